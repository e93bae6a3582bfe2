"""tenon.compile and tenon.load: the two ways to an executable model."""
from pathlib import Path

from tenon.errors import InvalidArgumentError, UnsupportedError
from tenon.executable import compile_text, load_artefact
from tenon.library import can_compile, library


def compile(model, target="cpu", *, weights=None, dump=None, dims=None, remarks=False, device=0,
            tf32=False, schedule=None, tuning=None):
    """Compiles a model and loads it.

    model: a torch.export.ExportedProgram, or text in the `tenon` dialect; {name: ExportedProgram} for a model with several
        entries, which share weights and the buffers that they write (Executable.entry).
    target: "cpu" (this machine), "cpu:<llvm cpu>", a GPU architecture ("sm_80", "sm_90a": needs no GPU until the
        model is called), or "cuda" (this machine's GPU).
    weights: for text, {key: tensor} or the path of a safetensors file; an exported program brings its own.
    dump: a folder that gets the IR of every phase.
    dims: names for dynamic dimensions, {"input_ids": ("batch", "seq")}; by default those of torch.export.Dim.
    remarks: also collect what the passes did, did not do, and why (Executable.report).
    device: which GPU it will run on.
    tf32: products of f32 may be rounded to tf32, on the Tensor Cores of a GPU.
    schedule: for a GPU, a file of schedules by hand: `@kernel = #tile.gemm<..>` or `#warp.schedule<..>`, a line each.
    tuning: for a GPU, a file of schedules that tenon-tune measured, which go before those that come with Tenon, or "none";
        by default TENON_TUNING.
    """
    if not can_compile():
        raise UnsupportedError(f"{library().path} only runs models: compile with libtenon.so, or load an artefact with "
                               "tenon.load")
    if isinstance(model, str):
        by_name = weights if isinstance(weights, dict) else None
        return compile_text(model, target, by_name, None if by_name else weights, dump, None, remarks, device, tf32,
                            schedule, tuning)
    if weights is not None:
        raise InvalidArgumentError("weights go with text; an exported program brings its own")
    from tenon.importer.exported_program import import_entries, import_program
    if isinstance(model, dict):
        if not model:
            raise InvalidArgumentError("a model without entries: give {name: torch.export.ExportedProgram}")
        text, own = import_entries(model, dims)
    else:
        imported = import_program(model, dims)
        text, own = imported.text, imported.weights
    return compile_text(text, target, own, None, dump, "exported program", remarks, device, tf32, schedule, tuning)


def load(path, weights=None, *, device=0):
    """Loads a `.tnx` file. `weights`: a safetensors file or {key: tensor}, where the artefact holds none or other ones
    are wanted. `device`: which GPU, for a model that is compiled for one."""
    by_name = weights if isinstance(weights, dict) else None
    if by_name is None and weights is not None and not isinstance(weights, (str, Path)):
        raise InvalidArgumentError(f"weights is a {type(weights).__name__}, expected a path or {{key: tensor}}")
    return load_artefact(path, by_name, None if by_name else weights, device)
