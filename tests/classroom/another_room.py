"""A lesson in another room: `python another_room.py NOTEBOOK FOLDER REPORT KERNELS`, started by
`visit`.

The room has no network (a namespace of its own, with loopback), and another locale, time zone and
instruction set than the machine. There, in one kernel: Run All; every cell again in reverse order;
an interrupt in the middle of each cell that takes over a second; Run All again, alone or in step
with a second kernel on the same cache. Each time the outputs are compared with those stored, as
strict nbval does. The interrupts come on an empty cache, so that they hit the computing. What they
leave behind in it is what the last Run All starts from; the entries that are still missing are
those of the first.

What the quarter of an hour for all lessons does not hold: a Run All after each single interrupt
instead of one after all of them; a second kernel for every lesson; interrupts in a kernel in which
nothing has run yet (one in the middle of importing PyTorch may need a new kernel, whatever the
lesson does).
"""

import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

LOCALE, CHARMAP = "tr_TR", "ISO-8859-9"  # a decimal comma, a lower-case i of its own, and no UTF-8
ENVIRONMENT = {
    "LC_ALL": f"{LOCALE}.{CHARMAP}",
    "LANG": f"{LOCALE}.{CHARMAP}",
    "TZ": "<+1345>-13:45",
}
FACTS = """
import json, locale, socket, time
import numpy._core._multiarray_umath as numpy_core
import torch
print(json.dumps({
    "locale": locale.setlocale(locale.LC_CTYPE), "encoding": locale.getencoding(),
    "zone": time.timezone, "torch": torch.backends.cpu.get_cpu_capability(),
    "networks": [name for _, name in socket.if_nameindex()],
    "numpy": " ".join(f for f in numpy_core.__cpu_dispatch__ if numpy_core.__cpu_features__[f]),
}))
"""


def visit(notebook: Path, n_kernels: int = 1) -> dict:
    """Run a lesson's notebook in the other room and return what happened there: see
    `lesson_in_the_room`.
    """
    with TemporaryDirectory(prefix="hpt-room-") as folder:
        report = Path(folder, "report.json")
        make_locale(Path(folder))
        program = [sys.executable, __file__, str(notebook), folder, str(report), str(n_kernels)]
        environment = os.environ | ENVIRONMENT | instructions() | {"LOCPATH": folder}
        done = subprocess.run(["unshare", "-rn", *program], env=environment, capture_output=True)
        if done.returncode:
            raise RuntimeError(f"{notebook.name}: {done.stderr.decode(errors='replace')[-3000:]}")
        return json.loads(report.read_text(encoding="utf-8"))


def make_locale(folder: Path) -> None:
    """Make the room's locale in a folder, for LOCPATH: machines have few of them.

    Needs Debian's package locales.
    """
    target = folder / f"{LOCALE}.{CHARMAP}"
    subprocess.run(
        ["localedef", "-i", LOCALE, "-f", CHARMAP, target], check=True, capture_output=True
    )


@cache
def instructions() -> dict[str, str]:
    """Return the variables for instructions that PyTorch, MKL, OpenBLAS and NumPy would not choose
    on this machine.

    Where there is AVX512 it is AVX2, which most laptops have, and else the oldest, with which
    lessons take twice as long.
    """
    import numpy._core._multiarray_umath as numpy_core

    chosen = [name for name in numpy_core.__cpu_dispatch__ if numpy_core.__cpu_features__[name]]
    wide = [name for name in chosen if name.startswith(("X86_V4", "AVX512"))]
    torchs, mkls, openblas = (
        ("avx2", "AVX2", "Haswell") if wide else ("default", "SSE4_2", "Nehalem")
    )
    return {
        "ATEN_CPU_CAPABILITY": torchs,
        "MKL_ENABLE_INSTRUCTIONS": mkls,
        "OPENBLAS_CORETYPE": openblas,
        "NPY_DISABLE_CPU_FEATURES": " ".join(wide or chosen),
    }


def loopback_up() -> None:
    """Bring up the loopback of a new network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        set_flags, up = 0x8914, 1  # SIOCSIFFLAGS, IFF_UP
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh", b"lo", up))


def add_missing(source: Path, cache: Path) -> None:
    """Copy those entries of a cache that another one lacks into it."""
    cache.mkdir(mode=0o700, exist_ok=True)
    for entry in source.glob("*.npz"):
        if not (cache / entry.name).exists():
            shutil.copy(entry, cache)


def lesson_in_the_room(notebook: Path, folder: Path, n_kernels: int) -> dict:
    """Return what happened to a lesson here: differences and other faults of each pass, and facts
    about the room.

    n_kernels: how many kernels run the last pass, each cell in all of them at the same moment.
    """
    from kernels import code_cells, execute, interrupt_each, kernels, run_all, run_all_in_step

    from hpt_helpers.classroom.computing.cache import cache_folder

    cells = code_cells(notebook)
    with kernels(notebook.parent, n_kernels) as (first, *others):
        in_order, seconds = run_all(first, cells)
        reverse, _ = run_all(first, cells[::-1])
        for kernel in (first, *others):
            execute(kernel, f"import os; os.environ['HPT_CACHE_DIR'] = {str(folder / 'cache')!r}")
        # what is in memory would be ready at once, with nothing to interrupt
        execute(first, "from hpt_helpers.classroom.lab import trainer\ntrainer.forget()")
        interrupts, n_interrupted = interrupt_each(first, cells, seconds)
        add_missing(cache_folder(), folder / "cache")
        again = run_all_in_step([first, *others], cells)
        [facts] = execute(first, FACTS)[0]
    return {
        "facts": json.loads(facts.text),
        "in order": in_order,
        "in reverse order": reverse,
        "interrupts": interrupts,
        "again": again,
        "interrupted": n_interrupted,
        "seconds": seconds,
    }


if __name__ == "__main__":
    loopback_up()
    notebook, folder, report = map(Path, sys.argv[1:4])
    report.write_text(
        json.dumps(lesson_in_the_room(notebook, folder, int(sys.argv[4]))), encoding="utf-8"
    )
