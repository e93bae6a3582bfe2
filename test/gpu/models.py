"""Whole models for run_gpu.py: made here with torch, run there without it.

A model's weights are values of f16, so that its file serves f32 and f16 as they are and bf16 after one more rounding;
those of models without a file come from a seed. Rule N7: its largest and its root mean square error against float64
with the same weights are at most 1.25 times PyTorch's own in the same type, which is measured here, on the CPU.
"""

import json
import struct
import zlib

import numpy as np

from exec_cpu.dtypes import ALL, decode, encode, round_to

DTYPES = {dtype.name: dtype for dtype in ALL}
MARGIN = 1.25  # times PyTorch's own error


# ---- weights ----
def seeded(key, shape):
    """Values near those of a trained model, the same on every machine."""
    rng = np.random.default_rng([7, zlib.crc32(key.encode())])
    scale = 0.04 if len(shape) > 1 else 0.02
    values = rng.standard_normal(shape, dtype=np.float32) * np.float32(scale)
    is_gain = len(shape) == 1 and key.endswith("weight")
    return (values + np.float32(is_gain)).astype(np.float16)


def read_safetensors(path):
    """{key: array} of f16, of integers and of bool."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header, start = json.loads(data[8 : 8 + length]), 8 + length
    types = {"F16": np.float16, "I64": np.int64, "I32": np.int32, "BOOL": np.bool_}
    arrays = {}
    for key, entry in header.items():
        if key != "__metadata__":
            begin, end = (start + offset for offset in entry["data_offsets"])
            arrays[key] = np.frombuffer(data[begin:end], types[entry["dtype"]]).reshape(entry["shape"])
    return arrays


# ---- making: needs torch ----
def minilm():
    import torch

    from tenon.samples import minilm as sample

    module = sample.load(dtype=torch.float16).float()
    rng = np.random.default_rng(3)
    inputs = []
    for batch, length in ((1, 1), (1, 16), (3, 65), (8, 128), (2, 255)):
        ids = rng.integers(1000, 30000, (batch, length))
        mask = (np.arange(length) < rng.integers(1, length + 1, (batch, 1))).astype(np.int64)
        mask[0] = 1
        inputs.append([ids, mask])
    return module, sample.export, inputs, False


def transformer(build, make_inputs, exported):
    """A model of `transformers` with seeded weights; its first output counts."""

    def make():
        import torch

        class First(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.model = build()

            def forward(self, *inputs):
                return self.model(*inputs)[0]

        module = First().eval()
        with torch.no_grad():
            for key, parameter in module.named_parameters():
                parameter.copy_(torch.from_numpy(seeded(key, tuple(parameter.shape)).astype(np.float32)))
        return module, exported, make_inputs(np.random.default_rng(3)), True

    return make


def bert_base():
    import transformers

    config = transformers.BertConfig(attn_implementation="sdpa")
    return transformers.BertModel(config, add_pooling_layer=False)


def gpt2():
    import transformers

    return transformers.GPT2LMHeadModel(transformers.GPT2Config(use_cache=False))


def vit():
    import transformers

    return transformers.ViTModel(transformers.ViTConfig(), add_pooling_layer=False)


def tokens(rng):
    return [[rng.integers(0, 30000, shape)] for shape in ((1, 16), (1, 128), (3, 65))]


def images(rng):
    return [[rng.standard_normal((batch, 3, 224, 224)).astype(np.float16).astype(np.float64)] for batch in (1, 2)]


def export_tokens(module):
    import torch

    dims = {0: torch.export.Dim("batch", min=1, max=64), 1: torch.export.Dim("length", min=1, max=512)}
    with torch.no_grad():
        ids = torch.ones(3, 17, dtype=torch.int64)
        return torch.export.export(module, (ids,), dynamic_shapes=((dims,),), strict=False)


def export_images(module):
    import torch

    dtype = next(module.parameters()).dtype
    dims = {0: torch.export.Dim("batch", min=1, max=64)}
    with torch.no_grad():
        pixels = torch.zeros(3, 3, 224, 224, dtype=dtype)
        return torch.export.export(module, (pixels,), dynamic_shapes=((dims,),), strict=False)


MODELS = {
    "minilm": minilm,
    "bert-base": transformer(bert_base, tokens, export_tokens),
    "gpt2": transformer(gpt2, tokens, export_tokens),
    "vit-b16": transformer(vit, images, export_images),
}


def make(model, target, folder):
    """Puts the model into `folder`; its entry of index.json. `model`: "minilm:f16"."""
    import sys

    import torch
    from safetensors.torch import save_file

    from families import ROOT

    sys.path.insert(0, str(ROOT / "python-frontend"))
    from tenon.executable import compile_artefact
    from tenon.importer.exported_program import import_program
    from tenon.library import check, library

    name, dtype = model.split(":")
    torch_dtype = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[dtype]
    module, export, inputs, is_seeded = MODELS[name]()
    module = module.to(torch_dtype)
    imported = import_program(export(module), None)
    (folder / "models").mkdir(exist_ok=True)
    base = f"models/{name}-{dtype}"
    artefact = compile_artefact(imported.text, target, filename=model)
    check(library().tenon_artefact_save(artefact.raw, str(folder / f"{base}.tnx").encode()))
    weights = None
    if not is_seeded:
        weights = f"models/{name}.safetensors"
        if dtype != "bf16" or not (folder / weights).exists():
            def stored(value):
                value = value.detach().half() if value.is_floating_point() else value.detach()
                return value.contiguous().clone()

            save_file({key: stored(value) for key, value in imported.weights.items()}, folder / weights)
    others = {}
    if is_seeded:  # what is no parameter: positions and the like
        names = dict(module.named_parameters())
        others = {key: value.detach().double().numpy() for key, value in imported.weights.items() if key not in names}
    arrays = {f"other:{key}": value for key, value in others.items()}
    own, outputs = [], []
    with torch.no_grad():
        for kind in (torch_dtype, torch.float64):
            module = module.to(kind)
            for given in inputs:
                taken = [torch.from_numpy(np.asarray(value)) for value in given]
                taken = [value.to(torch_dtype).to(kind) if value.is_floating_point() else value for value in taken]
                outputs.append(module(*taken).double())
        for index, (given, same, exact) in enumerate(zip(inputs, outputs, outputs[len(inputs) :])):
            own.append((same - exact).flatten().numpy())
            arrays[f"exact{index}"] = exact.numpy()
            for position, value in enumerate(given):
                arrays[f"input{index}_{position}"] = value
    errors = np.concatenate(own)
    np.savez_compressed(folder / f"{base}.npz", **arrays)
    return {
        "model": model,
        "artefact": f"{base}.tnx",
        "arrays": f"{base}.npz",
        "weights": weights,
        "inputs": [len(given) for given in inputs],
        "largest": float(np.abs(errors).max()),
        "rms": float(np.sqrt((errors**2).mean())),
    }


# ---- running: needs numpy alone ----
def weights_of(entry, manifest, arrays, folder, buffer):
    """{key: buffer} for every weight that the plan names."""
    stored = read_safetensors(folder / entry["weights"]) if entry["weights"] else {}
    result = {}
    for value in manifest["values"]:
        if value["kind"] != "weight":
            continue
        key, dtype = value["name"], DTYPES[value["dtype"]]
        if key in stored:
            given = stored[key]
        elif f"other:{key}" in arrays:
            given = arrays[f"other:{key}"]
        else:
            given = seeded(key, tuple(value["shape"]))
        values = given.astype(np.float64 if dtype.is_float else np.int64)
        result[key] = buffer(dtype, values.shape, encode(dtype, round_to(dtype, values)))
    return result


def run_model(entry, folder):
    """(failures, results compared, what to tell)."""
    import zipfile

    from device import DeviceBuffer, DeviceLibrary

    with zipfile.ZipFile(folder / entry["artefact"]) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    arrays = np.load(folder / entry["arrays"])
    library = DeviceLibrary()
    artefact = library.open(folder / entry["artefact"])
    weights = weights_of(entry, manifest, arrays, folder, DeviceBuffer)
    executable, context = library.load(artefact, weights)
    values = {value["id"]: value for value in manifest["values"]}
    inputs_of = [DTYPES[values[number]["dtype"]] for number in manifest["inputs"]]
    output = DTYPES[values[manifest["outputs"][0]]["dtype"]]
    failures, errors = [], []
    for index, count in enumerate(entry["inputs"]):
        exact = arrays[f"exact{index}"]
        given = []
        for dtype, position in zip(inputs_of, range(count)):
            value = arrays[f"input{index}_{position}"]
            given.append((f"input{position}", DeviceBuffer(dtype, value.shape, encode(dtype, round_to(dtype, value)))))
        result = DeviceBuffer(output, exact.shape)
        stored = []
        for fill in (0xFF, 0x5A, 0xFF):
            result.fill(fill)
            library.run(context, [buffer for _, buffer in given], [result])
            stored.append(result.data.tobytes())
        if any(each != stored[0] for each in stored):
            failures.append(f"inputs {index}: repeated calls give different bits, or elements are not written")
        for name, buffer in given + [("output", result)] + list(weights.items()):
            if problem := buffer.damage():
                failures.append(f"inputs {index}: {name}: {problem}")
        errors.append((decode(output, np.frombuffer(stored[0], np.uint8), exact.shape) - exact).ravel())
    errors = np.concatenate(errors)
    largest, rms = np.abs(errors).max(), np.sqrt((errors**2).mean())
    note = (
        f"largest error {largest:.3g} ({largest / entry['largest']:.2f} of PyTorch's own), "
        f"root mean square {rms:.3g} ({rms / entry['rms']:.2f})"
    )
    if not (largest <= MARGIN * entry["largest"] and rms <= MARGIN * entry["rms"]):
        failures.append(f"{note}; at most {MARGIN}")
    library.free(executable, context)
    library.free_artefact(artefact)
    return failures, len(errors), note
