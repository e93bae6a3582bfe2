"""tenon-tune: the schedules that a model's kernels may have, timed on a GPU; the fastest right ones go into a database that
compilations without a GPU choose from. `python -m tenon.tune --help`.
"""
