"""The first step, which needs no GPU: the kernels of the sources, once a key, and an artefact for each schedule that each may
have, in a folder with an index."""
import hashlib
import json
import os
import re
import shutil
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from ctypes import byref
from pathlib import Path

from tenon.errors import CorruptError, TenonError
from tenon.executable import compile_artefact, compile_options
from tenon.library import Handle, check, library, text_of
from tenon.tune.database import KEY

INDEX, FORMAT = "index.json", 1
HOPELESS, LEAST = 1.6, 10  # times as long as the best by the model; but so many are measured
CHOSEN = re.compile(r"has (#tile\.\w+<.*?>): ")


def find_tasks(texts, target):
    """Tasks of [(name, text)], as lib/Compiler/TuningTasks.h has them with "name" and "build" beside, once a key; and [(name,
    kernel, why)] of the kernels that are no task."""
    tasks, left_out = {}, []
    for name, text in texts:
        options, handle, data = compile_options(target, filename=name), Handle("tenon_text_free"), text.encode()
        check(library().tenon_tuning_tasks(data, len(data), byref(options), byref(handle.raw)))
        found = json.loads(text_of(library().tenon_text_get, handle.raw))
        left_out += [(name, entry["kernel"], entry["why"]) for entry in found["left_out"]]
        for task in found["tasks"]:
            task.update(name=name if len(found["tasks"]) == 1 else f"{name}, {task['kernel']}", build=found["build"])
            known = tasks.setdefault(key_text(task), task)
            if known is not task:
                known["uses"] += task["uses"]
    return list(tasks.values()), left_out


def key_text(task):
    return " | ".join(task[name] for name in KEY)


def choose(candidates, count):
    """Which of the ranked candidates are measured: most by rank, and where the model may be wrong as a whole, the best of each
    height of tiles, swapped or not, of parts for teams, and number of splits, by who adds them up."""
    def family(candidate):
        return tuple(re.findall(r"(?:rows|split_k|parts) = \d+|swapped|joined|by_last", candidate["schedule"]))
    limit = HOPELESS * candidates[0]["seconds"]
    ranked = [candidate for number, candidate in enumerate(candidates) if candidate["seconds"] <= limit or number < LEAST]
    chosen, rest = ranked[:count * 2 // 3], ranked[count * 2 // 3:]
    known = {family(candidate) for candidate in chosen}
    firsts = []
    for candidate in rest:
        if family(candidate) not in known:
            known.add(family(candidate))
            firsts.append(candidate)
    chosen += firsts[:count - len(chosen)]
    chosen += [candidate for candidate in rest if candidate not in chosen][:count - len(chosen)]
    return chosen


class Folder:
    """Artefacts of tasks and their index, written after each task, so that what is cut short goes on where it was."""

    def __init__(self, path, target):
        self.path = Path(path)
        self.path.mkdir(parents=True, exist_ok=True)
        self.index = {"format": FORMAT, "target": target, "tasks": {}}
        if (self.path / INDEX).exists():
            self.index["tasks"] = read_index(self.path)["tasks"]
        runtime = library().path.with_name("libtenon-runtime.so")
        if runtime.exists():
            shutil.copy(runtime, self.path)

    def has(self, task):
        return key_text(task) in self.index["tasks"]

    def add(self, task, count, jobs):
        """Compiles a task's schedules; its entry of the index."""
        entry = compile_task(task, self.index["target"], self.path, count, jobs)
        self.index["tasks"][key_text(task)] = entry
        temporary = self.path / (INDEX + ".new")
        temporary.write_text(json.dumps(self.index, indent=1))
        temporary.replace(self.path / INDEX)
        return entry


def read_index(path):
    try:
        index = json.loads((Path(path) / INDEX).read_text())
        if index["format"] != FORMAT:
            raise CorruptError(f"{path}: the folder has format {index['format']}, this tenon-tune reads {FORMAT}: compile "
                               "again")
        return index
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, CorruptError):
            raise
        raise CorruptError(f"{path}: no folder of tenon-tune --compile-only: {error}") from None


def compile_task(task, target, folder, count, jobs):
    stem = hashlib.sha256(key_text(task).encode()).hexdigest()[:12]

    def save(text, name, schedule=None):
        """(file, schedule that the model chose) of one artefact."""
        with tempfile.TemporaryDirectory(prefix="tenon-tune-") as temporary:
            lines = None
            if schedule:
                lines = Path(temporary) / "schedule"
                lines.write_text(f"@{task['kernel']} = {schedule}\n")
            made = compile_artefact(text, target, schedule=lines, tuning="none", from_phase="tile", remarks=not schedule)
        file = f"{stem}-{name}.tnx"
        check(library().tenon_artefact_save(made.raw, os.fsencode(folder / file)))
        chosen = None
        if not schedule:
            remarks = json.loads(text_of(library().tenon_artefact_report, made.raw))["remarks"]
            said = [CHOSEN.search(remark["message"]) for remark in remarks
                    if remark["category"] == "tenon-choose-tile-schedules" and f"@{task['kernel']} " in remark["message"]]
            chosen = next(match.group(1) for match in reversed(said) if match)  # after refusals, the last
        return file, chosen

    def attempt(*arguments):
        try:
            return save(*arguments)[0], None
        except TenonError as error:
            return None, str(error).splitlines()[0]
    entry = {name: task[name] for name in (*KEY, "name", "kernel", "uses", "depth", "is_product")}
    with ThreadPoolExecutor(jobs) as pool:
        references = {name: pool.submit(save, task[name], name) for name in ("reference", "rounded") if task[name]}
        model = pool.submit(save, task["text"], "model")
        ranked = choose(task["candidates"], count)
        made = [pool.submit(attempt, task["text"], str(number), candidate["schedule"])
                for number, candidate in enumerate(ranked)]
        file, chosen = model.result()
        entry |= {name: job.result()[0] for name, job in references.items()}
        entry["model"] = {"file": file, "schedule": chosen}
        seen, entry["candidates"] = {contents(folder / file)}, []
        for candidate, job in zip(ranked, made):
            path, refused = job.result()
            if refused:
                entry["candidates"].append({"schedule": candidate["schedule"], "model_us": candidate["seconds"] * 1e6,
                                            "refused": refused})
                continue
            made_of = contents(folder / path)
            if made_of in seen:  # the model's own, or one that became the same program
                (folder / path).unlink()
                continue
            seen.add(made_of)
            entry["candidates"].append({"schedule": candidate["schedule"], "model_us": candidate["seconds"] * 1e6,
                                        "file": path})
    return entry


def contents(path):
    """What an artefact does, to be compared."""
    with zipfile.ZipFile(path) as archive:
        return tuple((item.filename, item.CRC) for item in archive.infolist())
