"""A loaded artefact: what the entries of a model have in common, so that it is there once."""
import ctypes
import json
import os
import threading

from tenon.errors import NotFoundError
from tenon.library import Handle, LoadOptions, check, library, text_of
from tenon.tensors import HOST
from tenon.weights import NamedWeights


class Program:
    """`plans`: {name: launch plan} of the entries, in their order; most models have one, "main"."""

    def __init__(self, artefact, weights, weights_path, device):
        self.artefact, self.weights, self.weights_path = artefact, weights, weights_path
        manifest = json.loads(text_of(library().tenon_artefact_manifest, artefact.raw))
        self.plans = ({entry["name"]: entry["plan"] for entry in manifest["entries"]} if "entries" in manifest else
                      {"main": manifest})
        target = next(iter(self.plans.values()))["target"]
        self.device = device if target.startswith("cuda:") else HOST
        self.executables = {}  # name -> Executable, those that somebody asked for
        self.state = None      # the buffers of all entries, once an executable of one that has some is made
        self._handle, self._lock = None, threading.Lock()

    @property
    def first(self):
        return next(iter(self.plans))

    def plan(self, entry):
        if entry not in self.plans:
            names = ", ".join(f"'{name}'" for name in self.plans)
            raise NotFoundError(f"the model has no entry '{entry}'; its {'entries are' if len(self.plans) > 1 else 'entry is'} "
                                f"{names}")
        return self.plans[entry]

    @property
    def is_loaded(self):
        return self._handle is not None

    def handle(self, entry):
        """That of an entry of the loaded model, a new one each time; the first loads all of them."""
        with self._lock:
            if self._handle is None:
                named = NamedWeights(self.weights) if self.weights else None
                path = os.fsencode(self.weights_path) if self.weights_path else None
                options = LoadOptions(ctypes.sizeof(LoadOptions), path, named.array if named else None,
                                      named.count if named else 0, max(self.device, 0))
                handle = Handle("tenon_executable_free")
                check(library().tenon_executable_load(self.artefact.raw, ctypes.byref(options), ctypes.byref(handle.raw)))
                self._named, self._handle = named, handle
        found = Handle("tenon_executable_free")
        check(library().tenon_executable_entry(self._handle.raw, entry.encode(), ctypes.byref(found.raw)))
        return found
