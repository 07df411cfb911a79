"""How much memory this process can still have, in a container too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
NO_LIMIT_GB = 1e6  # what stands for "no limit" in version 1 is a number beyond any memory


def cgroups_of_this_process(
    told: Path = Path("/proc/self/cgroup"), root: Path = CGROUPS
) -> list[Path]:
    """Return the control groups that may limit this process's memory, from the innermost out.

    On Linux a container, a scheduler or a JupyterHub limits memory so, and the machine's own free
    memory does not show it. Elsewhere there are none. A container often sees its own group as the
    root, under whatever name: then only the root is there.
    """
    if not told.exists():
        return []
    found = []
    for line in told.read_text(encoding="utf-8").splitlines():
        _, controllers, name = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        top = root / controllers
        inner = top.joinpath(*(part for part in name.split("/") if part != ".."))
        found += [inner, *(parent for parent in inner.parents if parent.is_relative_to(top))]
    return [group for group in found if group.is_dir()]


def _number(path: Path) -> float:
    """Return the number in a file, and nan where there is none ("max", or no such file)."""
    try:
        return float(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return float("nan")


def left_in_cgroup_gb(group: Path) -> float:
    """Return how much memory a control group may still take, in GB; infinity without a limit.

    What it holds of files (`inactive_file`) counts as free, because the kernel gives it back.
    """
    version_2 = (group / "memory.max").exists()
    limit = "memory.max" if version_2 else "memory.limit_in_bytes"
    used = "memory.current" if version_2 else "memory.usage_in_bytes"
    limit_gb, used_gb = _number(group / limit) / 1e9, _number(group / used) / 1e9
    if not limit_gb < NO_LIMIT_GB:  # nan, too
        return float("inf")
    try:
        stat = (group / "memory.stat").read_text(encoding="utf-8").split()
        used_gb -= int(stat[stat.index("inactive_file") + 1]) / 1e9
    except (OSError, ValueError):
        pass  # then all that it holds counts as used
    return max(limit_gb - used_gb, 0.0)


def free_memory_gb(groups: Sequence[Path] | None = None) -> float:
    """Return how much memory this process can still have: the machine's, or its container's."""
    import psutil  # from the extra "lessons", which may be what is missing

    groups = cgroups_of_this_process() if groups is None else groups
    machine = psutil.virtual_memory().available / 1e9
    return min([machine, *map(left_in_cgroup_gb, groups)])
