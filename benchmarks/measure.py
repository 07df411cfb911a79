"""How the benchmarks measure: interleaved timings, memory of a fresh process, the machine, a table
with verdicts.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from tools.machine import machine as machine  # for those who import all from here


@dataclass(frozen=True)
class Row:
    """One line of the table.

    must and aim bound the value from above, or from below where `at_least`; None: report.
    """

    what: str
    value: float
    unit: str
    must: float | None = None
    aim: float | None = None
    at_least: bool = True

    @property
    def missed(self) -> bool:
        return not self._reaches(self.must)

    @property
    def verdict(self) -> str:
        if self.missed:
            return "MISSED"
        if self.must is None and self.aim is None:
            return "reported"
        return (
            "ok"
            if self._reaches(self.aim)
            else "aim missed"
            if self.must is None
            else "ok, aim missed"
        )

    def _reaches(self, bound: float | None) -> bool:
        if bound is None:
            return True
        return self.value >= bound if self.at_least else self.value <= bound  # False for nan

    def bound(self, value: float | None) -> str:
        """Return must or aim as text, e.g. ≥ 40; a dash for None."""
        return "-" if value is None else f"{'≥' if self.at_least else '≤'} {value:g}"


def interleaved(tasks: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, np.ndarray]:
    """Run every task once a round, after a round that does not count; return their seconds, shape
    (rounds,) each.

    Whatever else the machine does then falls on all of them alike, so that their ratio is steadier
    than the times are.
    """
    seconds = {name: [] for name in tasks}
    for task in tasks.values():
        task()
    for _ in range(rounds):
        for name, task in tasks.items():
            started = time.perf_counter()
            task()
            seconds[name].append(time.perf_counter() - started)
    return {name: np.array(values) for name, values in seconds.items()}


def best_of(n: int, task: Callable[[], object]) -> float:
    """Return the seconds of the fastest of n runs: the one least disturbed."""
    times = []
    for _ in range(n):
        started = time.perf_counter()
        task()
        times.append(time.perf_counter() - started)
    return min(times)


def matmul_rate(shapes: Sequence[tuple[int, int, int, int]]) -> float:
    """Return FLOP/s of one thread over float64 products (n, a, b) @ (n, b, c), for shapes (n, a, b,
    c).
    """
    flops, seconds = 0.0, 0.0
    for n, a, b, c in shapes:
        left, right = (
            torch.ones(n, a, b, dtype=torch.float64),
            torch.ones(n, b, c, dtype=torch.float64),
        )
        out = torch.empty(n, a, c, dtype=torch.float64)
        flops += 2.0 * n * a * b * c
        seconds += best_of(30, partial(torch.bmm, left, right, out=out))
    return flops / seconds


def peak_memory_growth(setup: str, statement: str) -> float:
    """Run both in a fresh Python process; return by how many bytes `statement` raised its peak of
    resident memory.
    """
    lines = "from benchmarks.measure import peak_memory", setup, "before = peak_memory()", statement
    code = "\n".join([*lines, "print(peak_memory() - before)"])
    return float(
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout
    )


def peak_memory() -> int:
    """Return the largest resident memory of this process so far, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux's ru_maxrss begins with that of the process which started this one
        line = next(
            line
            for line in status.read_text(encoding="utf-8").splitlines()
            if line.startswith("VmHWM")
        )
        return int(line.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def table(rows: Sequence[Row]) -> str:
    """Return the rows as aligned text."""
    cells = [("what", "must", "aim", "measured", "verdict")]
    for row in rows:
        digits = 0 if row.value >= 100 else 2 if row.value < 10 else 1
        cells.append(
            (
                row.what,
                row.bound(row.must),
                row.bound(row.aim),
                f"{row.value:,.{digits}f} {row.unit}",
                row.verdict,
            )
        )
    widths = [max(len(line[i]) for line in cells) for i in range(5)]
    return "\n".join(
        "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )
