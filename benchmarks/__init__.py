"""Benchmarks, each a `python -m benchmarks.NAME`. One thread for every library, set before any is imported."""

import os

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", TQDM_DISABLE="1")
