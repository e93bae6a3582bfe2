"""What is measured: a subject (a model, or an op) at a size, with inputs that every contestant gets alike."""
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    batch: int
    sequence: int
    dtype: str  # "f32" or "bf16": the type of weights and arithmetic
    subject: str = "MiniLM"

    @property
    def name(self):
        """"MiniLM B1 S128 f32"; the name of an op says its sizes."""
        sizes = f" B{self.batch} S{self.sequence}" if self.sequence else ""
        return f"{self.subject}{sizes} {self.dtype}"

    @property
    def file_stem(self):
        return "".join(letter if letter.isalnum() else "-" for letter in self.name)

    def inputs(self):
        """Numpy arrays, seeded."""
        from tenon.bench.subjects import subject_of
        return subject_of(self).inputs(self.batch, self.sequence)

    def to_json(self):
        return asdict(self)


MINILM = (("MiniLM", 1, 128), ("MiniLM", 8, 128), ("MiniLM", 1, 16))


def parse_case(text, subjects):
    """"B8S128" -> ("MiniLM", 8, 128); "GPT-2 B1S64" -> ("GPT-2", 1, 64); ValueError otherwise."""
    subject, _, shape = text.rpartition(" ")
    subject = subject or "MiniLM"
    batch, found, sequence = shape.upper().removeprefix("B").partition("S")
    if (subject not in subjects or not shape.upper().startswith("B") or not found or int(batch) < 1
            or not 2 <= int(sequence) <= 512):
        raise ValueError(text)
    return subject, int(batch), int(sequence)


def reference_path(folder, case):
    return Path(folder) / f"reference-{case.file_stem}.npy"
