"""Compiles many cases as one module and runs them on every kind of data and every size.

A batch runs in a child process, so that a crash or a hang of generated code is the result of a test and not its end;
what spoils a batch is found by halving it.
"""

import os
import pickle
import select
import signal
import time
import traceback
import zlib

import numpy as np

from exec_cpu.cases import values_of
from exec_cpu.check import mismatch
from exec_cpu.dtypes import decode, encode
from exec_cpu.library import Buffer, Library, TenonError

KINDS = ["integers", "normal", "special", "positive", "wide", "ramp", "peak", "far", "lowest"]
BATCH = 48  # cases in a module
TIMEOUT = 240  # seconds for a batch
MOST_FAILURES = 3  # told of a case


def module_text(cases):
    """One @main that computes every case, and the names of its dimensions' bounds."""
    arguments, lines, results, types, bounds = [], [], [], [], []
    for number, case in enumerate(cases):
        prefix = f"k{number}_"
        names = [f"%{prefix}{i}" for i in range(len(case.operands))]
        for name, operand in zip(names, case.operands):
            if operand.weight:
                lines.append(f'{name} = tenon.weight "{name[1:]}" : {operand.type()}')
                continue
            dims = ", ".join(f'"{prefix}{d}"' if isinstance(d, str) else '""' for d in operand.dims)
            named = f"tenon.dims = [{dims}], " if operand.dims else ""
            arguments.append(f'{name}: {operand.type()} {{{named}tenon.name = "{name[1:]}"}}')
        for dim in sorted({d for operand in case.operands for d in operand.dims if isinstance(d, str)}):
            sizes = [size[dim] for size in case.sizes]
            bounds.append(f"{prefix}{dim} = array<i64: {min(sizes)}, {max(sizes)}>")
        words = {f"t{i}": operand.type() for i, operand in enumerate(case.operands)}
        words.update({f"rt{i}": result.type() for i, result in enumerate(case.results)})
        words.update({f"r{i}": f"%{prefix}r{i}" for i in range(len(case.results))})
        lines.append(f"// {case.name}")
        lines += case.body.format(*names, p=f"%{prefix}t", **words).splitlines()
        results += [words[f"r{i}"] for i in range(len(case.results))]
        types += [result.type() for result in case.results]
    attributes = f" attributes {{tenon.dim_bounds = {{{', '.join(bounds)}}}}}" if bounds else ""
    body = "\n    ".join(lines)
    return (
        f"module{attributes} {{\n  func.func @main({', '.join(arguments)})\n      -> ({', '.join(types)}) {{\n"
        f"    {body}\n    return {', '.join(results)} : {', '.join(types)}\n  }}\n}}\n"
    )


class Batch:
    """Cases compiled together. Another machine's tests replace where tensors are and how the module gets there."""

    buffer = Buffer
    fills = (0xFF, 0x5A)  # all ones is NaN in every float type; what is not written differs between the runs

    def __init__(self, cases, seed, target):
        self.cases, self.seed, self.target = cases, seed, target
        if unknown := {kind for case in cases for kind in case.kinds} - {*KINDS}:
            raise ValueError(f"no case would be run on data of the kinds {sorted(unknown)}")
        self.prepared = {}
        if (target or "").startswith("sim:"):
            self.fills = self.fills[:1]  # the simulator sees what is read before it is written
        self.failures = {case.name: [] for case in cases}
        self.checks = {case.name: 0 for case in cases}

    def open(self):
        """(library, artefact)"""
        library = Library()
        # What is compiled in its own way is a case by itself.
        options = (self.cases[0].tf32, self.cases[0].schedule) if len(self.cases) == 1 else (False, ())
        return library, library.compile(module_text(self.cases), self.target, *options)

    def run(self):
        library, artefact = self.open()
        for kind in KINDS:
            users = [case for case in self.cases if kind in case.kinds]
            if not users:
                continue
            weights = {}
            for number, case in enumerate(self.cases):
                values = self._operands(case, kind, 0)
                for i, operand in enumerate(case.operands):
                    if operand.weight:
                        shape = operand.shape({})
                        weights[f"k{number}_{i}"] = self.buffer(operand.dtype, shape, encode(operand.dtype, values[i]))
            executable, context = library.load(artefact, weights)
            for instance in range(max(len(case.sizes) for case in users)):
                self._call(library, context, kind, instance)
            self._look_for_damage(weights.items(), kind)
            library.free(executable, context)
        library.free_artefact(artefact)
        return self.failures, self.checks

    def _operands(self, case, kind, instance):
        """Values of a case's operands; weights are the same for every instance."""
        sizes = case.sizes[instance % len(case.sizes)]
        kind = kind if kind in case.kinds else case.kinds[0]
        values = []
        for i, operand in enumerate(case.operands):
            turn = 0 if operand.weight else instance
            rng = np.random.default_rng([self.seed, zlib.crc32(case.name.encode()), KINDS.index(kind), turn, i])
            make = operand.data or (lambda rng, shape, kind, dtype=operand.dtype: values_of(rng, dtype, shape, kind))
            values.append(np.asarray(make(rng, operand.shape(sizes), kind)))
        return values

    def _call(self, library, context, kind, instance):
        inputs, outputs, expectations = [], [], []
        for number, case in enumerate(self.cases):
            asked = kind in case.kinds and instance < len(case.sizes)
            stored, expected = self._prepare(number, case, kind, instance, asked)
            for i, (operand, (shape, data)) in enumerate(zip(case.operands, stored)):
                if not operand.weight:
                    inputs.append((f"k{number}_{i}", self.buffer(operand.dtype, shape, data)))
            for result, wanted in zip(case.results, expected):
                outputs.append(self.buffer(result.dtype, np.shape(wanted.value)))
                expectations.append((case, result, wanted, asked))
        stored = []
        for fill in self.fills:
            for output in outputs:
                output.fill(fill)
            library.run(context, [buffer for _, buffer in inputs], outputs)
            stored.append([output.data.tobytes() for output in outputs])
        self._look_for_damage(inputs, f"{kind}, call {instance}")
        for number, (case, result, wanted, asked) in enumerate(expectations):
            where = f"{kind}, sizes {case.sizes[instance % len(case.sizes)]}: "
            problem = outputs[number].damage()
            if not problem and any(each[number] != stored[0][number] for each in stored):
                problem = "two calls give different bits, or elements are not written"
            if not problem and asked:
                self.checks[case.name] += 1
                got = decode(result.dtype, np.frombuffer(stored[0][number], np.uint8), outputs[number].shape)
                problem = mismatch(result.dtype, got, wanted)
            if problem:
                self._fail(case, where + problem)

    def _prepare(self, number, case, kind, instance, asked):
        """(shape and bytes of each operand, what is expected). A case that only has to be called, since others of its
        module go on, is called with what it had before."""
        key = (number, instance % len(case.sizes))
        if asked or key not in self.prepared:
            values = self._operands(case, kind, instance)
            with np.errstate(all="ignore"):
                expected = case.reference(*values, kind=kind if kind in case.kinds else case.kinds[0])
            stored = [(value.shape, encode(operand.dtype, value)) for operand, value in zip(case.operands, values)]
            self.prepared[key] = stored, expected if isinstance(expected, list) else [expected]
        return self.prepared[key]

    def _look_for_damage(self, named, where):
        for name, buffer in named:
            problem = buffer.damage()
            if problem:
                self._fail(self.cases[int(name[1:].split("_")[0])], f"{where}: operand {name}: {problem}")

    def _fail(self, case, text):
        if len(self.failures[case.name]) < MOST_FAILURES:
            self.failures[case.name].append(text)


def _in_child(cases, seed, target):
    """(failures, checks), or the text of what went wrong with the batch as a whole."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            try:
                result = Batch(cases, seed, target).run()
            except TenonError as error:
                result = str(error)
            except Exception:  # of a reference, or of the test itself
                result = "the test itself failed: " + " | ".join(traceback.format_exc().splitlines()[-4:])
            with os.fdopen(write, "wb") as pipe:
                pickle.dump(result, pipe)
            os._exit(0)
        finally:
            os._exit(70)
    os.close(write)
    data, end = b"", time.monotonic() + TIMEOUT
    while True:
        ready, _, _ = select.select([read], [], [], max(0, end - time.monotonic()))
        if not ready:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(read)
            return f"no end after {TIMEOUT} s"
        chunk = os.read(read, 1 << 20)
        if not chunk:
            break
        data += chunk
    os.close(read)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return f"killed by signal {signal.Signals(os.WTERMSIG(status)).name}"
    return pickle.loads(data) if os.WEXITSTATUS(status) == 0 else f"ended with status {os.WEXITSTATUS(status)}"


def run_cases(cases, seed, report, target="cpu"):
    """Calls report(case, failures, checks) for every case."""
    if not cases:
        return
    result = _in_child(cases, seed, target)
    if not isinstance(result, str):
        failures, checks = result
        for case in cases:
            report(case, failures[case.name], checks[case.name])
    elif len(cases) == 1:
        report(cases[0], [result], 0)
    else:
        middle = len(cases) // 2
        run_cases(cases[:middle], seed, report, target)
        run_cases(cases[middle:], seed, report, target)


def batches(cases):
    """Cases with about the same number of sizes together, since every case of a module runs as often as the others."""
    ordered = sorted(cases, key=lambda case: len(case.sizes))
    return [ordered[i : i + BATCH] for i in range(0, len(ordered), BATCH)]
