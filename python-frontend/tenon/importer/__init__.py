"""Importers: a model of a framework becomes text in the `tenon` dialect, and its weights a safetensors file."""
from tenon.importer.exported_program import ImportedModel, import_program

__all__ = ["ImportedModel", "import_program"]
