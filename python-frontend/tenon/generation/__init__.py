"""Text from compiled models of transformers: a module with a static key/value cache, which compiles to a prefill and a decode."""
from tenon.generation.cached_model import CachedModel

__all__ = ["CachedModel"]
