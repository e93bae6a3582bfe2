"""What a single kernel that is measured on a GPU is: its program, and the same for those that it is measured beside."""
from dataclasses import dataclass, field


@dataclass
class KernelCase:
    """`peers`: {name: function(torch, *inputs)}; the first is what an error is measured against. `in_jax`: the same for
    XLA, function(jax, *inputs). A library's own attention has no f32, so that it is compared in bf16."""
    text: str  # in the tenon dialect
    sizes: list  # of the inputs
    peers: dict
    in_jax: callable
    flops: float  # 0: what it computes does not count
    bytes: float  # read and written, at least
    has_f32: bool = True
    is_fused: bool = field(default=False)  # several ops, or a row op: torch.compile has something to do
    inputs: callable = None  # function(torch): others than random normal numbers in bf16 of these sizes
    weights: tuple = ()  # names of the last inputs, where Tenon has them as weights: known when it loads
    reference: callable = None  # function(torch, *inputs): the result in f32, where the first peer does not give it
    options: dict = field(default_factory=dict)  # of tenon's compiler: {"tf32": True}, {"schedule": [lines]}
