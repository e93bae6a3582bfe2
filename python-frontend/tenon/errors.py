"""The exceptions of the package: one class a kind of error of the C API, each also a class of Python's own."""


class TenonError(Exception):
    """Base of all errors that Tenon raises; the text says what, where, what was expected and what to do."""


class InvalidArgumentError(TenonError, ValueError):
    """The caller's: a wrong count, type, shape or path."""


class NotFoundError(TenonError, LookupError):
    """A file, a weight or a kernel that is not there."""


class CorruptError(TenonError, ValueError):
    """A file that breaks its format."""


class UnsupportedError(TenonError, NotImplementedError):
    """Understood, but not offered. `ops`: the unsupported ops of a model as (op, reason, places), else empty."""

    def __init__(self, message, ops=()):
        super().__init__(message)
        self.ops = tuple(ops)


class OutOfMemoryError(TenonError, MemoryError):
    """No memory for an allocation."""


class IoError(TenonError, OSError):
    """The system refused: no space, no permission."""


class InternalError(TenonError, RuntimeError):
    """A fault in Tenon."""


class DeviceError(TenonError, RuntimeError):
    """A GPU failed, and this process cannot use it any more; every later call says so again."""


# tenon_error_kind of include/tenon-c/tenon.h.
BY_KIND = {
    1: InvalidArgumentError,
    2: NotFoundError,
    3: CorruptError,
    4: UnsupportedError,
    5: OutOfMemoryError,
    6: IoError,
    7: InternalError,
    8: DeviceError,
}
