"""What makes outputs comparable from run to run: one list, for the builder, the tests and the
benchmarks.
"""

import os

# one thread for each process, in each of the three libraries that would start more
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
ENVIRONMENT = {
    "TQDM_DISABLE": "1",  # no progress bars
    "PYTHONHASHSEED": "0",  # one order for sets of strings
    **ONE_THREAD,
}


def make_repeatable() -> None:
    """Set these variables for this process and all that it starts; call it before anything imports
    torch.
    """
    os.environ.update(ENVIRONMENT)
    # Kernels inherit the environment, and with MPLBACKEND=Agg a notebook would show no figure.
    os.environ.pop("MPLBACKEND", None)
