"""What is compiled for a benchmark on a GPU: an artefact a case, and one for each variant of it; no GPU is needed.

A file of variants asks for more artefacts of some cases, each with schedules by hand or other options:

    {"gemm 4096x4096x4096": {"narrow": {"schedule": ["@linear = #tile.gemm<rows = 128, columns = 128, depth = 64>"]},
                             "deep": {"schedule": ["@linear = #warp.schedule<..>"], "tf32": true}}}
"""
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from tenon.bench.gpu_kernels import kernels
from tenon.bench.gpu_models import context_of, models
from tenon.errors import InvalidArgumentError, TenonError

INDEX = "index.json"
OPTIONS = {"schedule": list, "tf32": bool}


@dataclass
class Selection:
    """Which cases: of these kinds, whose name is one of `names` and that `pattern` is found in."""
    kinds: tuple = ("kernels", "models")
    names: list = field(default_factory=list)
    pattern: str = ""

    def takes(self, kind, name):
        return kind in self.kinds and (not self.names or name in self.names) and re.search(self.pattern, name) is not None

    def of(self, kind, cases):
        return {name: case for name, case in cases.items() if self.takes(kind, name)}

    def wants_models(self):
        """False where no model can be meant: they are slow to import."""
        return "models" in self.kinds and not (self.names and all(name in kernels() for name in self.names))

    def check(self):
        """InvalidArgumentError where a name is no case."""
        for name in self.names:
            check_name(name)


def check_name(name):
    if name not in kernels() and name not in models():  # the models are slow to import
        raise InvalidArgumentError(f"no case '{name}'; cases are {', '.join([*kernels(), *models()])}")


def file_name(name):
    return re.sub(r"[^A-Za-z0-9]+", "_", name) + ".tnx"


def read_variants(path):
    """{case: {variant: options}} of a file; InvalidArgumentError that says what is wrong in it."""
    try:
        variants = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(f"variants {path}: {error}") from None
    def is_object(value):
        return isinstance(value, dict)
    if not is_object(variants) or not all(is_object(named) and all(map(is_object, named.values()))
                                          for named in variants.values()):
        raise InvalidArgumentError(f"variants {path}: expected an object, {{case: {{variant: {{option: value}}}}}}")
    for case, named in variants.items():
        check_name(case)
        for variant, options in named.items():
            for option, value in options.items():
                if not isinstance(value, OPTIONS.get(option, ())):
                    raise InvalidArgumentError(f"variants {path}: {case}, {variant}: '{option}' is no option, or not of "
                                               "its type; options are schedule, a list of lines, and tf32, true or false")
    return variants


def _compile(text, target, path, options):
    from tenon.executable import compile_artefact
    from tenon.library import check, library
    with tempfile.TemporaryDirectory(prefix="tenon-bench-") as folder:
        schedule = None
        if options.get("schedule"):
            schedule = Path(folder) / "schedule"
            schedule.write_text("\n".join(options["schedule"]) + "\n")
        artefact = compile_artefact(text, target, tf32=options.get("tf32", False), schedule=schedule)
        check(library().tenon_artefact_save(artefact.raw, os.fsencode(path)))


def _text_of_model(case):
    import torch
    from tenon.generation.generator import entries_of
    from tenon.importer.exported_program import import_entries, import_program
    from transformers.initialization import no_init_weights
    torch.set_default_dtype(torch.bfloat16)  # so that the largest fits
    with no_init_weights():  # the text has no weights
        module = case.build().eval()
    torch.set_default_dtype(torch.float32)
    if case.count:
        return import_entries(entries_of(module, case.batch, context_of(case)))[0]
    values = tuple(value.to(torch.bfloat16) if value.is_floating_point() else value for value in case.inputs())
    with torch.no_grad():
        return import_program(torch.export.export(module, values, strict=False)).text


def compile_cases(folder, target, selection, variants, say):
    """Fills the folder with artefacts, their index and libtenon-runtime.so, which is all that a run needs of a build. What
    does not compile is told and left out; gives how many those are."""
    import tenon
    from tenon.library import library
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(library().path.with_name("libtenon-runtime.so"), folder)
    index = {"target": target, "compiler": tenon.version(), "cases": {}}
    if (folder / INDEX).exists():
        index["cases"] = json.loads((folder / INDEX).read_text())["cases"]
    chosen = selection.of("kernels", kernels())
    texts = {name: lambda case=case: case.text for name, case in chosen.items()}
    given = {name: case.options for name, case in chosen.items()}
    if selection.wants_models():
        texts |= {name: lambda case=case: _text_of_model(case) for name, case in selection.of("models", models()).items()}
    refused = 0
    for name, make_text in texts.items():
        text, made = make_text(), {}
        for variant, options in {"": {}, **variants.get(name, {})}.items():
            title = f"{name}, {variant}" if variant else name
            try:
                _compile(text, target, folder / file_name(title), {**given.get(name, {}), **options})
            except TenonError as error:
                refused += 1
                say(f"{title}: does not compile: {error}")
                continue
            made[variant] = {"file": file_name(title), **options}
            say(title)
        index["cases"].pop(name, None)
        if "" in made:
            index["cases"][name] = {"file": made.pop("")["file"], "variants": made}
        (folder / INDEX).write_text(json.dumps(index, indent=1))
    return refused
