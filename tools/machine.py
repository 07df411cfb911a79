"""What a measured number depends on: the machine, its load and the versions of libraries.

Both `tools` and `benchmarks` say it beside their numbers. Benchmarks import from tools, and no tool
imports a benchmark.
"""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch


def machine() -> dict[str, str | int | float]:
    """Return what the figures depend on: processor, cores, load by others, threads, versions."""
    packages = {name: version(name) for name in ("torch", "numpy", "scikit-learn")}
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "load at the start": round(os.getloadavg()[0], 1),
        "system": platform.system(),
        "torch threads": torch.get_num_threads(),
        "instruction set": torch.backends.cpu.get_cpu_capability(),
        "python": platform.python_version(),
        **packages,
    }


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text().splitlines() if listing.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
