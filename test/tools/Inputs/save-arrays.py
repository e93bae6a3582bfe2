"""Writes arrays given as NAME=EXPRESSION (numpy as np) to FILE: .npz, .safetensors, or .npy (one array). Further files
follow after `--`: one start of Python makes all that a test needs.

usage: save-arrays.py FILE NAME=EXPRESSION ... [-- FILE NAME=EXPRESSION ...]
"""
import sys

import numpy as np


def save(path, items):
    arrays = {}
    for item in items:
        name, expression = item.split("=", 1)
        arrays[name] = np.asarray(eval(expression, {"np": np}))
    if path.endswith(".npz"):
        np.savez(path, **arrays)
    elif path.endswith(".npy"):
        np.save(path, next(iter(arrays.values())))
    else:
        from safetensors.numpy import save_file
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)


group = []
for argument in sys.argv[1:] + ["--"]:
    if argument != "--":
        group.append(argument)
    else:
        save(group[0], group[1:])
        group = []
