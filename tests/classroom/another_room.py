"""A lesson in another room: `python another_room.py NOTEBOOK FOLDER REPORT`, started by `visit`.

The room has no network (a namespace of its own, with loopback), and another locale, time zone and instruction set
than the machine. There, in one kernel: Run All; every cell again in reverse order; an interrupt in the middle of each
cell that takes over a second; Run All again, in step with a second kernel on the same cache. Each time the outputs
are compared with those stored, as strict nbval does. The interrupts come on an empty cache, so that they hit the
computing, and what they leave behind in it is what the last Run All starts from. (What they hit are cells that have
run before: an interrupt in the middle of the very first import of PyTorch needs a new kernel, as PyTorch has it.)
"""

import fcntl
import json
import os
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
    "locale": locale.setlocale(locale.LC_CTYPE), "encoding": locale.getencoding(), "zone": time.timezone,
    "torch": torch.backends.cpu.get_cpu_capability(), "networks": [name for _, name in socket.if_nameindex()],
    "numpy": " ".join(f for f in numpy_core.__cpu_dispatch__ if numpy_core.__cpu_features__[f]),
}))
"""


def visit(notebook: Path) -> dict:
    """Run a lesson's notebook in the other room and return what happened there: see `lesson_in_the_room`."""
    with TemporaryDirectory(prefix="hpt-room-") as folder:
        report = Path(folder, "report.json")
        make_locale(Path(folder))
        program = [sys.executable, __file__, str(notebook), folder, str(report)]
        environment = os.environ | ENVIRONMENT | instructions() | {"LOCPATH": folder}
        done = subprocess.run(["unshare", "-rn", *program], env=environment, capture_output=True)
        if done.returncode:
            raise RuntimeError(f"{notebook.name}: {done.stderr.decode(errors='replace')[-3000:]}")
        return json.loads(report.read_text())


def make_locale(folder: Path) -> None:
    """Make the room's locale in a folder, for LOCPATH: machines have few of them. Needs Debian's package locales."""
    target = folder / f"{LOCALE}.{CHARMAP}"
    subprocess.run(["localedef", "-i", LOCALE, "-f", CHARMAP, target], check=True, capture_output=True)


@cache
def instructions() -> dict[str, str]:
    """Return the variables for instructions that PyTorch, MKL, OpenBLAS and NumPy would not choose on this machine.

    Where there is AVX512 it is AVX2, which most laptops have, and else the oldest, with which lessons take twice as
    long.
    """
    import numpy._core._multiarray_umath as numpy_core

    chosen = [name for name in numpy_core.__cpu_dispatch__ if numpy_core.__cpu_features__[name]]
    wide = [name for name in chosen if name.startswith(("X86_V4", "AVX512"))]
    torchs, mkls, openblas = ("avx2", "AVX2", "Haswell") if wide else ("default", "SSE4_2", "Nehalem")
    return {
        "ATEN_CPU_CAPABILITY": torchs, "MKL_ENABLE_INSTRUCTIONS": mkls, "OPENBLAS_CORETYPE": openblas,
        "NPY_DISABLE_CPU_FEATURES": " ".join(wide or chosen),
    }  # fmt: skip


def loopback_up() -> None:
    """Bring up the loopback of a new network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        set_flags, up = 0x8914, 1  # SIOCSIFFLAGS, IFF_UP
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh", b"lo", up))


def lesson_in_the_room(notebook: Path, folder: Path) -> dict:
    """Return what happened to a lesson here: facts about the room, differences and other faults, numbers of cells."""
    from kernels import code_cells, execute, interrupt_each, kernels, run_all, run_all_in_step

    cells = code_cells(notebook)
    with kernels(notebook.parent, 2) as (first, second):
        in_order, seconds = run_all(first, cells)
        reverse, _ = run_all(first, cells[::-1])
        for kernel in (first, second):
            execute(kernel, f"import os; os.environ['HPT_CACHE_DIR'] = {str(folder / 'cache')!r}")
        interrupts, n_interrupted = interrupt_each(first, cells, seconds)
        again = run_all_in_step([first, second], cells)
        [facts] = execute(first, FACTS)[0]
    return {
        "facts": json.loads(facts.text), "in order": in_order, "in reverse order": reverse, "interrupts": interrupts,
        "again, in two kernels at once": again, "interrupted": n_interrupted, "seconds": seconds,
    }  # fmt: skip


if __name__ == "__main__":
    loopback_up()
    given = [Path(argument) for argument in sys.argv[1:]]
    given[2].write_text(json.dumps(lesson_in_the_room(given[0], given[1])))
