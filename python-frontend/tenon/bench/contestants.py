"""The contestants. Each prepares a case and gives a function from numpy inputs to a numpy array (or to what `to_numpy`
turns into one). What is not installed raises ImportError; what cannot do a case raises Refused. Imports stand inside:
each runs alone in its process, and its memory is measured."""
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tenon.bench.subjects import subject_of, torch_dtype, torch_inputs


class Refused(Exception):
    """The contestant cannot do this case; the text says why."""


class Contestant:
    """prepare() returns the seconds that compiling took, None where nothing is compiled: from the model in the
    contestant's own form to its first result, without imports, and without reading weights where they are apart."""
    version = ""

    def prepare(self, case, folder):
        raise NotImplementedError

    def call(self):
        raise NotImplementedError

    def to_numpy(self, result):
        return result


class Tenon(Contestant):
    """The artefact, run by the run-only library; compiled in another process."""

    def prepare(self, case, folder):
        made = _made("tenon", case, folder)
        import tenon
        self._model = tenon.load(made["path"])
        self._inputs = [_in_type(array, case.dtype) for array in case.inputs()]
        self.version = tenon.version()
        begin = time.perf_counter()
        self.call()
        return made["seconds"] + time.perf_counter() - begin

    def call(self):
        return self._model(*self._inputs)

    def to_numpy(self, result):
        import numpy
        return numpy.asarray(result, numpy.float32)


def _in_type(array, dtype):
    if dtype == "f32" or array.dtype != "float32":
        return array
    import ml_dtypes
    return array.astype(ml_dtypes.bfloat16)


class Torch(Contestant):
    compiled = False

    def prepare(self, case, folder):
        import torch
        torch.set_num_threads(int(os.environ["TENON_THREADS"]))
        self._module = subject_of(case).load(torch_dtype(case))
        self._inputs = torch_inputs(case)
        self._mode = torch.inference_mode
        self.version = torch.__version__
        if self.compiled:
            self._module = torch.compile(self._module, dynamic=False)
        begin = time.perf_counter()
        self.call()
        return time.perf_counter() - begin if self.compiled else None

    def call(self):
        with self._mode():
            return self._module(*self._inputs)

    def to_numpy(self, result):
        return result.float().numpy()


class Inductor(Torch):
    compiled = True


class Xla(Contestant):
    def prepare(self, case, folder):
        import jax
        from safetensors.flax import load_file
        from tenon.bench import jax_models
        self.version = jax.__version__
        form = subject_of(case).jax_form
        form = getattr(jax_models, form) if isinstance(form, str) else form
        self._parameters = load_file(_made("weights", case, folder)["path"])
        self._inputs = [jax.numpy.asarray(array.astype("int32") if array.dtype == "int64" else _in_type(array, case.dtype))
                        for array in case.inputs()]
        begin = time.perf_counter()
        self._run = jax.jit(form).lower(self._parameters, *self._inputs).compile()
        self.call()
        return time.perf_counter() - begin

    def call(self):
        return self._run(self._parameters, *self._inputs).block_until_ready()

    def to_numpy(self, result):
        import numpy
        return numpy.asarray(result.astype("float32"))


class Ort(Contestant):
    """ONNX Runtime on torch.onnx's export; dynamic dimensions are fixed for the session."""

    def prepare(self, case, folder):
        import onnxruntime
        self.version = onnxruntime.__version__
        if case.dtype != "f32":
            raise Refused("its CPU provider has no bf16 kernels")
        made = _made("ort", case, folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ["TENON_THREADS"])
        options.log_severity_level = 3
        for name, size in (("batch", case.batch), ("sequence", case.sequence)):
            options.add_free_dimension_override_by_name(name, size)
        begin = time.perf_counter()
        self._session = onnxruntime.InferenceSession(made["path"], options, providers=["CPUExecutionProvider"])
        names = [entry.name for entry in self._session.get_inputs()]
        self._inputs = dict(zip(names, case.inputs()))
        self.call()
        return time.perf_counter() - begin

    def call(self):
        return self._session.run(None, self._inputs)[0]


class Tvm(Contestant):
    """Untuned: the default pipeline of relax."""

    def prepare(self, case, folder):
        import tvm  # before torch
        import torch
        from tenon.bench.tvm_models import built, imported
        self.version = tvm.__version__
        if case.dtype != "f32":
            raise Refused("not tried untuned in bf16")
        module = imported(subject_of(case).load(torch.float32), tuple(torch_inputs(case)))
        begin = time.perf_counter()
        self._machine = built(module, "llvm", tvm.cpu())
        self._inputs = [tvm.runtime.tensor(array) for array in case.inputs()]
        self.call()
        return time.perf_counter() - begin

    def call(self):
        return self._machine["main"](*self._inputs)

    def to_numpy(self, result):
        return (result[0] if not hasattr(result, "numpy") else result).numpy()


CONTESTANTS = {"tenon": Tenon, "torch": Torch, "inductor": Inductor, "xla": Xla, "ort": Ort, "tvm": Tvm}


# ---- files made once for all cases of a type, each in a process of its own ----
def _made(what, case, folder):
    """{"path", "seconds"} of a file, made by `python -m tenon.bench.contestants` the first time: for all sizes of a subject
    that is exported with dynamic ones."""
    subject = subject_of(case)
    shared = subject.dynamic or what == "weights"
    stem = "".join(letter if letter.isalnum() else "-" for letter in case.subject) + f"-{case.dtype}" if shared else case.file_stem
    note = Path(folder) / f"{what}-{stem}.json"
    if not note.exists():
        environment = {name: value for name, value in os.environ.items() if name != "TENON_LIBRARY"}
        done = subprocess.run([sys.executable, "-m", "tenon.bench.contestants", what, json.dumps(case.to_json()), str(note)],
                              env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            if "ModuleNotFoundError" in last:
                raise ImportError(last)
            raise Refused(f"making its file failed: {last}")
    return json.loads(note.read_text())


def _make(what, case, note):
    import torch
    from tenon.bench.cases import Case
    case, note = Case(**json.loads(case)), Path(note)
    subject, dtype = subject_of(case), torch_dtype(case)
    path, seconds = note.with_suffix({"tenon": ".tnx", "ort": ".onnx", "weights": ".safetensors"}[what]), 0.0
    if what == "weights":
        from safetensors.torch import save_file
        weights = {name: tensor.contiguous() for name, tensor in subject.weights(dtype).items()}
        save_file(weights, str(path))
    else:
        module = subject.load(dtype)
        program = subject.export(module, case)
        begin = time.perf_counter()
        if what == "tenon":
            import tenon
            model = tenon.compile(program)
            seconds = time.perf_counter() - begin
            model.save(path)
        else:
            with torch.no_grad():
                torch.onnx.export(program, f=str(path), external_data=not subject.dynamic, verbose=False)
            seconds = time.perf_counter() - begin
    note.write_text(json.dumps({"path": str(path), "seconds": seconds}))


if __name__ == "__main__":
    _make(*sys.argv[1:])
