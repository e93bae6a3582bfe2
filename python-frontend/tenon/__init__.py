"""Tenon: compiles Transformer models to kernels and a launch plan, and runs them.

    program = torch.export.export(module.eval(), (x,))
    model = tenon.compile(program)
    y = model(x)
    model.save("m.tnx")
    model = tenon.load("m.tnx")

    fast = torch.compile(module.eval(), backend="tenon")   # needs no import of this package
    print(tenon.report(fast))
"""
from tenon.compiler import compile, load
from tenon.errors import (CorruptError, DeviceError, InternalError, InvalidArgumentError, IoError, NotFoundError,
                          OutOfMemoryError, TenonError, UnsupportedError)
from tenon.executable import Executable
from tenon.library import library

__all__ = ["CorruptError", "DeviceError", "Executable", "InternalError", "InvalidArgumentError", "IoError",
           "NotFoundError", "OutOfMemoryError", "TenonError", "UnsupportedError", "compile", "load", "num_threads",
           "report", "version"]


def version():
    """The version of the library."""
    return library().tenon_version().decode()


def num_threads():
    """Threads that a model runs on: TENON_THREADS, else the cores of this process."""
    return library().tenon_num_threads()


def report(model):
    """What a model is made of, as text: one of tenon.compile or tenon.load, or one of torch.compile(backend="tenon")."""
    if isinstance(model, Executable):
        return model.report()
    from tenon.torch_backend import report as report_captured
    return report_captured(model)
