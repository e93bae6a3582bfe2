"""torch.compile(model, backend="tenon"): torch captures the graphs, guards them and specialises their sizes; here they are
imported, compiled and called. What the importer lacks stays in torch, and is reported.
"""
from tenon.torch_backend.backend import tenon_backend
from tenon.torch_backend.report import report

__all__ = ["report", "tenon_backend"]
