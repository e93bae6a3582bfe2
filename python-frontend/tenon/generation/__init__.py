"""Text from compiled models of transformers: the prompt and each token after it, on one cache, chosen where the model runs."""
from tenon.generation.cached_model import CachedModel
from tenon.generation.generator import Generator, compile_generator

__all__ = ["CachedModel", "Generator", "compile_generator"]
