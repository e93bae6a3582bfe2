"""Every op of the dialect, compiled for the CPU and run on boundary shapes, against float64 formulas in numpy."""

import os

# numpy's own threads would spin beside the kernels'.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
