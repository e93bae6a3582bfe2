"""Small modules in the manner of torch's own tests of backends: what models are made of, and what Python makes of it.
Each entry: a module, and its inputs."""
import collections
import math

import torch
import torch.nn.functional as F
from torch import nn


def rand(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed + sum(shape)))


def ids(*shape, high=10):
    return torch.randint(0, high, shape, generator=torch.Generator().manual_seed(sum(shape)))


class Of(nn.Module):
    """A module around a function of itself and its inputs; parts given by name are its submodules and buffers."""

    def __init__(self, function, **parts):
        super().__init__()
        self._function = function
        for name, part in parts.items():
            if isinstance(part, torch.Tensor) and not isinstance(part, nn.Parameter):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)

    def forward(self, *args, **kwargs):
        return self._function(self, *args, **kwargs)


class Attention(nn.Module):
    def __init__(self, causal):
        super().__init__()
        self.qkv, self.out, self.causal = nn.Linear(16, 48), nn.Linear(16, 16), causal

    def forward(self, x):
        q, k, v = self.qkv(x).view(*x.shape[:2], 3, 4, 4).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.out(y.transpose(1, 2).flatten(2))


class EagerAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(16, 16) for _ in range(3))

    def forward(self, x, mask):
        heads = [part(x).view(*x.shape[:2], 4, 4).transpose(1, 2) for part in (self.q, self.k, self.v)]
        scores = heads[0] @ heads[1].transpose(-1, -2) / 2 + (1 - mask[:, None, None, :].float()) * -1e9
        return (scores.softmax(-1) @ heads[2]).transpose(1, 2).reshape(x.shape)


class RMSNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(rand(16))

    def forward(self, x):
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)


class Rope(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("frequencies", 1.0 / 100 ** (torch.arange(0, 8, 2) / 8), persistent=False)

    def forward(self, x):
        angles = torch.arange(x.shape[1])[:, None] * self.frequencies
        cos, sin = torch.cat([angles.cos()] * 2, -1), torch.cat([angles.sin()] * 2, -1)
        first, second = x.chunk(2, -1)
        return x * cos + torch.cat([-second, first], -1) * sin


class SwiGlu(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate, self.up, self.down = nn.Linear(16, 24, False), nn.Linear(16, 24, False), nn.Linear(24, 16, False)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.first, self.second = nn.LayerNorm(16), nn.Linear(16, 32), nn.Linear(32, 16)

    def forward(self, x):
        x += self.second(F.gelu(self.first(self.norm(x))))
        return x


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.norm1, self.norm2 = nn.BatchNorm2d(4), nn.BatchNorm2d(4)

    def forward(self, x):
        return F.relu(self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x))))) + x)


class Cache(nn.Module):
    """A static cache that each call writes to."""

    def __init__(self):
        super().__init__()
        self.register_buffer("keys", torch.zeros(2, 6, 4))

    def forward(self, key, position):
        self.keys.index_copy_(1, position, key)
        return self.keys.sum(1)


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

    def forward(self, x):
        self.calls += 1
        return x * self.calls


Point = collections.namedtuple("Point", "x y")


def loop(self, x):
    for layer in self.layers:
        x = layer(x).tanh()
    return x


def branch(self, x, flag=True):
    return self.a(x) if flag else self.b(x)


def stop(self, x):
    y = self.a(x)
    torch._dynamo.graph_break()
    return self.b(y.relu())


def by_value(self, x):
    return self.a(x) if x.sum() > 0 else self.b(x)


def write(self, x):
    y = x.clone()
    y[:, 1] = 0.5
    y[..., 2:4] *= 2
    return y


def write_input(self, x):
    x.mul_(2)
    return x + 1


def view_of_input(self, x):
    return x.view(-1)[2:], x.t()


def closure(self, x):
    scale = x.shape[0] / 2

    def inner(y):
        return y * scale
    return inner(inner(x))


def encoder():
    return nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, activation="gelu", norm_first=True)


def two():
    return dict(a=nn.Linear(16, 16), b=nn.Linear(16, 16))


X = (rand(3, 5, 16),)
PADDED = torch.tensor([[False] * 5, [False] * 3 + [True] * 2, [False] + [True] * 4])
IMAGE = (rand(2, 4, 9, 9),)
PAIR = (rand(3, 16), rand(3, 16, seed=1))

MODULES = {
    "linear": lambda: (nn.Linear(16, 8), X),
    "linear_no_bias": lambda: (nn.Linear(16, 8, bias=False), X),
    "linear_vector": lambda: (nn.Linear(16, 8), (rand(16),)),
    "bilinear": lambda: (nn.Bilinear(16, 16, 4), PAIR),
    "mlp": lambda: (nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4), nn.Sigmoid()), X),
    "gelu": lambda: (nn.GELU(), X),
    "gelu_tanh": lambda: (nn.GELU("tanh"), X),
    "activations": lambda: (nn.Sequential(nn.ELU(), nn.Hardswish(), nn.Mish(), nn.Softplus(), nn.LeakyReLU()), X),
    "prelu": lambda: (nn.PReLU(5), X),
    "glu": lambda: (nn.GLU(), X),
    "layer_norm": lambda: (nn.LayerNorm(16), X),
    "rms_norm": lambda: (nn.RMSNorm(16, eps=1e-6), X),
    "rms_norm_by_hand": lambda: (RMSNorm(), X),
    "group_norm": lambda: (nn.GroupNorm(2, 4), IMAGE),
    "batch_norm": lambda: (nn.BatchNorm2d(4), IMAGE),
    "instance_norm": lambda: (nn.InstanceNorm2d(4, affine=True), IMAGE),
    "embedding": lambda: (nn.Embedding(10, 8), (ids(2, 5),)),
    "embedding_tied": lambda: (tied(), (ids(2, 5),)),
    "softmax": lambda: (nn.Softmax(-1), X),
    "log_softmax": lambda: (nn.LogSoftmax(1), X),
    "dropout_in_eval": lambda: (nn.Sequential(nn.Linear(16, 16), nn.Dropout(0.5)), X),
    "attention": lambda: (Attention(False), X),
    "attention_causal": lambda: (Attention(True), X),
    "attention_eager": lambda: (EagerAttention(), (*X, torch.tensor([[1] * 5, [1, 1, 1, 0, 0], [1] + [0] * 4]))),
    "multihead": lambda: (Of(lambda self, x: self.a(x, x, x)[0], a=nn.MultiheadAttention(16, 4, batch_first=True)), X),
    "encoder_layer": lambda: (encoder(), X),
    "encoder_layer_norm_last": lambda: (nn.TransformerEncoderLayer(16, 2, 8, batch_first=True), X),
    "encoder_layer_masked": lambda: (Of(lambda self, x, m: self.a(x, src_key_padding_mask=m), a=encoder()), (*X, PADDED)),
    "encoder_layer_causal": lambda: (Of(lambda self, x, m: self.a(x, m), a=encoder()), (*X, ~torch.ones(5, 5).tril().bool())),
    "encoder": lambda: (nn.TransformerEncoder(encoder(), 2, enable_nested_tensor=False), X),
    "rope": lambda: (Rope(), (rand(2, 6, 8),)),
    "swiglu": lambda: (SwiGlu(), X),
    "residual_in_place": lambda: (Of(lambda self, x: self.a(x * 1), a=Residual()), X),
    "conv1d": lambda: (nn.Conv1d(5, 6, 3, stride=2), X),
    "conv2d": lambda: (nn.Conv2d(4, 6, 3, padding=1), IMAGE),
    "conv2d_depthwise": lambda: (nn.Conv2d(4, 4, 3, groups=4), IMAGE),
    "resnet_block": lambda: (Block(), IMAGE),
    "patches": lambda: (Of(lambda self, x: self.a(x).flatten(2).transpose(1, 2), a=nn.Conv2d(4, 8, 3, 3)), IMAGE),
    "max_pool": lambda: (nn.MaxPool2d(2), IMAGE),
    "avg_pool": lambda: (nn.AvgPool2d(3, 2), IMAGE),
    "adaptive_pool": lambda: (nn.AdaptiveAvgPool2d(1), IMAGE),
    "upsample": lambda: (nn.Upsample(scale_factor=2), IMAGE),
    "pixel_shuffle": lambda: (nn.PixelShuffle(2), IMAGE),
    "weight_norm": lambda: (nn.utils.parametrizations.weight_norm(nn.Linear(16, 8)), X),
    "lstm_cell": lambda: (nn.LSTMCell(16, 8), (rand(3, 16),)),
    "gru_cell": lambda: (nn.GRUCell(16, 8), (rand(3, 16),)),
    "loop_of_layers": lambda: (Of(loop, layers=nn.ModuleList(nn.Linear(16, 16) for _ in range(4))), X),
    "branch_on_argument": lambda: (Of(branch, **two()), X),
    "graph_break": lambda: (Of(stop, **two()), X),
    "branch_on_value": lambda: (Of(by_value, **two()), X),
    "buffer_counts_calls": lambda: (Counter(), X),
    "static_cache": lambda: (Cache(), (rand(2, 2, 4), torch.tensor([1, 4]))),
    "write_slices": lambda: (Of(write), (rand(3, 16),)),
    "write_input": lambda: (Of(write_input), (rand(3, 16),)),
    "views_of_input": lambda: (Of(view_of_input), (rand(3, 16),)),
    "input_returned": lambda: (Of(lambda self, x: (x, x + 1)), X),
    "transposed_output": lambda: (Of(lambda self, x: (x * 2).transpose(1, 2)), X),
    "expanded_output": lambda: (Of(lambda self, x: (x[:, :1] * 2).expand(-1, 3, -1)), X),
    "noncontiguous_input": lambda: (nn.Linear(16, 4), (rand(16, 5).t(),)),
    "no_tensor_input": lambda: (Of(lambda self: self.a * 2, a=nn.Parameter(rand(3))), ()),
    "constants": lambda: (Of(lambda self, x: x * torch.tensor([1.0, 2.0] * 8) + torch.arange(16)), X),
    "closure": lambda: (Of(closure), X),
    "dict_output": lambda: (Of(lambda self, x: {"sum": x.sum(-1), "parts": [x.exp(), (x > 0,)]}), X),
    "dict_input": lambda: (Of(lambda self, d: d["a"] - d["b"]), ({"a": PAIR[0], "b": PAIR[1]},)),
    "namedtuple": lambda: (Of(lambda self, p: Point(p.y * 2, p.x)), (Point(*PAIR),)),
    "none_output": lambda: (Of(lambda self, x: (None, x.relu(), 3)), X),
    "scalar_arguments": lambda: (Of(lambda self, x, n, f: x * n + f), (*X, 3, 0.25)),
    "zero_dimensional": lambda: (Of(lambda self, x, s: (x * s).mean()), (*X, torch.tensor(2.5))),
    "empty": lambda: (Of(lambda self, x: torch.cat([x * 2, self.rows]), rows=rand(2, 4)), (torch.zeros(0, 4),)),
    "integers": lambda: (Of(lambda self, i: (i // 3, i % 3, i.cumsum(-1), i.float() / 2)), (ids(3, 4),)),
    "booleans": lambda: (Of(lambda self, x: (x > 0) & ~(x > 1) | (x == 0)), X),
    "gather_scatter": lambda: (Of(lambda self, x, i: x.gather(1, i) + x[:, :3].flip(1)), (rand(3, 16), ids(3, 3))),
    "where_and_masks": lambda: (Of(lambda self, x: x.masked_fill(x > 1, -math.inf).softmax(-1).tril()), (rand(5, 5),)),
    "reductions": lambda: (Of(lambda self, x: (x.var(-1), x.amax(1), x.argmin(-1), x.norm(dim=1))), X),
    "einsum": lambda: (Of(lambda self, x, y: torch.einsum("bi,bj->bij", x, y)), PAIR),
    "half": lambda: (nn.Linear(16, 8).bfloat16(), (rand(3, 16).bfloat16(),)),
    "double": lambda: (nn.Linear(16, 8).double(), (rand(3, 16).double(),)),
    # Left to torch, whole or in part.
    "sort_between": lambda: (Of(lambda self, x: self.b(self.a(x).sort(-1).values * 2), **two()), X),
    "inverse": lambda: (Of(lambda self, x: torch.linalg.inv(x @ x.t() + 5 * torch.eye(3)) + 1), (rand(3, 16),)),
    "complex": lambda: (Of(lambda self, x: torch.fft.rfft(self.a(x)).abs() + 1, a=nn.Linear(16, 16)), X),
    "small_integers": lambda: (Of(lambda self, x: (x * 10).to(torch.int16).to(torch.float32) + x.exp()), X),
    "nonzero": lambda: (Of(lambda self, x: x[x > 0].exp()), (rand(3, 16),)),
}


def tied():
    embed, head = nn.Embedding(10, 8), nn.Linear(8, 10, bias=False)
    head.weight = embed.weight
    return nn.Sequential(embed, head)
