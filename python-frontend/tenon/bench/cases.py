"""What is measured: MiniLM at a few shapes, with inputs that every contestant gets alike."""
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy


@dataclass(frozen=True)
class Case:
    batch: int
    sequence: int
    dtype: str  # "f32" or "bf16": the type of weights and arithmetic

    @property
    def name(self):
        return f"B{self.batch} S{self.sequence} {self.dtype}"

    def inputs(self):
        """(ids, mask): seeded, every token counts."""
        random = numpy.random.default_rng(self.batch * 1000 + self.sequence)
        ids = random.integers(1000, 29000, (self.batch, self.sequence))
        ids[:, 0] = 101
        ids[:, -1] = 102
        return ids.astype(numpy.int64), numpy.ones_like(ids, dtype=numpy.int64)

    def to_json(self):
        return asdict(self)


SHAPES = ((1, 128), (8, 128), (1, 16))


def parse_shape(text):
    """"B8S128" -> (8, 128); ValueError otherwise."""
    batch, found, sequence = text.upper().removeprefix("B").partition("S")
    if not text.upper().startswith("B") or not found or int(batch) < 1 or not 2 <= int(sequence) <= 512:
        raise ValueError(text)
    return int(batch), int(sequence)


def reference_path(folder, case):
    return Path(folder) / f"reference-b{case.batch}-s{case.sequence}.npy"
