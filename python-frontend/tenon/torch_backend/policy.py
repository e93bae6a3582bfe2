"""TENON_FALLBACK: what happens when a part of a model cannot be compiled and stays in torch."""
import os
import threading
import warnings

from tenon.errors import InvalidArgumentError

POLICIES = ("error", "warn", "allow")
_warned, _lock = set(), threading.Lock()


class FallbackWarning(UserWarning):
    """A part of a model runs in torch."""


def policy():
    value = os.environ.get("TENON_FALLBACK") or "warn"
    if value not in POLICIES:
        raise InvalidArgumentError(f"TENON_FALLBACK is '{value}', expected one of {', '.join(POLICIES)}")
    return value


def warn_once(ops, text):
    """Warns of ops that no earlier warning of this process named."""
    with _lock:
        new = {op for op in ops} - _warned
        _warned.update(new)
    if new:
        warnings.warn(text, FallbackWarning, stacklevel=2)


def forget_warnings():
    with _lock:
        _warned.clear()
