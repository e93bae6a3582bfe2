"""An exported program in a file -> what the command-line tools read: FOLDER/model.mlir and, where the model has weights,
FOLDER/model.safetensors. torch.export.load may run code from the file: only for files from where one would run a program.

usage: python -m tenon.importer MODEL.pt2 FOLDER
"""
import sys
import warnings
import zipfile
from pathlib import Path

from tenon.errors import InvalidArgumentError, TenonError


def read_program(path):
    if not zipfile.is_zipfile(path):
        raise InvalidArgumentError(f"{path}: not an exported program: what torch.export.save writes is a zip")
    try:
        import torch
    except ImportError:
        raise InvalidArgumentError(f"{path}: reading an exported program needs PyTorch, which {sys.executable} lacks: "
                                   "pip install torch, or set TENON_PYTHON to a Python that has it") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.export.load(path)
    except Exception as error:
        raise InvalidArgumentError(f"{path}: not an exported program that torch {torch.__version__} reads: "
                                   f"{str(error).splitlines()[0] if str(error) else type(error).__name__}; write it with "
                                   "torch.export.save of this version") from None


def main(arguments):
    if len(arguments) != 2:
        print(__doc__.strip().splitlines()[-1], file=sys.stderr)
        return 2
    path, folder = Path(arguments[0]), Path(arguments[1])
    try:
        program = read_program(path)
        from tenon.importer import import_program
        from tenon.weights import write_safetensors
        imported = import_program(program)
        (folder / "model.mlir").write_text(imported.text, encoding="utf-8")
        if imported.weights:
            write_safetensors(imported.weights, folder / "model.safetensors")
    except (TenonError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
