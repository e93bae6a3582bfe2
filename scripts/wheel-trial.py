"""Run by scripts/wheel where a wheel was just installed and no checkout is: MiniLM from PyTorch to an artefact ("compile"),
which the run-only wheel then runs ("run")."""
import sys
from pathlib import Path

import numpy
import tenon

ids = numpy.random.default_rng(0).integers(1000, 29000, (3, 21))
mask = numpy.ones_like(ids)
mask[1, 12:] = 0
assert "site-packages" in tenon.__file__, tenon.__file__
print(f"tenon {tenon.version()} from {Path(tenon.__file__).parent}")

if sys.argv[1] == "compile":
    import torch
    from tenon.samples import minilm
    module = minilm.load()
    model = tenon.compile(minilm.export(module))
    model.save("minilm.tnx")
    given = torch.from_numpy(ids), torch.from_numpy(mask)
    with torch.no_grad():
        fast = torch.compile(module, backend="tenon")(*given)
        exact = module.double()(*given).numpy()
    numpy.save("exact.npy", exact)
    assert abs(fast.numpy() - exact).max() < 1e-6
else:
    assert "torch" not in sys.modules and not tenon.library().path.with_name("libtenon.so").exists()
    model, exact = tenon.load("minilm.tnx"), numpy.load("exact.npy")
    try:
        tenon.compile("module {}")
        raise AssertionError("the run-only wheel compiles")
    except tenon.UnsupportedError as error:
        print(error)
error = abs(numpy.asarray(model(ids, mask)) - exact).max()
print(f"largest error against float64: {error:.1e} (embeddings have length 1)")
assert error < 1e-6
