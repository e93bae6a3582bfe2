"""torch's own ways to take an op apart, for those that the table lacks."""
import functools

import torch

from tenon.importer.op_table import OPS


@functools.cache
def decompositions():
    """Random ops stay whole, and their numbers those of torch."""
    return {target: rule for target, rule in torch._decomp.core_aten_decompositions().items()
            if str(target) not in OPS and torch.Tag.nondeterministic_seeded not in target.tags}
