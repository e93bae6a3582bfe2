"""Importers: a model of a framework becomes text in the `tenon` dialect, and its weights a safetensors file."""
