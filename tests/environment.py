"""environment.yml's pip section installed as conda does it, into a new environment, and tried:
`make test-environment`.

The section becomes a requirements file beside environment.yml. Only conda's Python and PyTorch are
pip's here.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

import yaml

ROOT = Path(__file__).resolve().parents[1]
QUICK_FIT = """
import jupyterlab, nbval, ray.tune, skopt

from hpt_helpers.data import load_splits
from hpt_helpers.training import fit

curve = fit({"lr": 0.01, "batch_size": 16}, load_splits("iris"), n_epochs=20)
assert curve.val_accuracy[-1] > 0.7, curve.val_accuracy
print(f"iris, 20 epochs: validation accuracy {curve.val_accuracy[-1]:.2f}")
"""


@contextmanager
def requirements() -> Iterator[str]:
    """Give the path of a requirements file that holds the pip section; it is removed at the end."""
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))[
        "dependencies"
    ]
    [section] = [entry["pip"] for entry in dependencies if isinstance(entry, dict)]
    # Beside environment.yml, because its paths are relative; git ignores files of this name.
    with NamedTemporaryFile("w", dir=ROOT, prefix="condaenv.", suffix=".txt") as file:
        file.write("\n".join(section))
        file.flush()
        yield file.name


def main(pip_args: list[str]) -> None:
    """Install the section into a new environment, check that it is consistent, and train there."""
    with TemporaryDirectory() as folder, requirements() as file:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = str(Path(folder, "bin", "python"))
        for command in (
            ["-m", "pip", "install", "--quiet", *pip_args, "--requirement", file],
            ["-m", "pip", "check"],
            ["-I", "-c", QUICK_FIT],
        ):
            subprocess.run([python, *command], cwd=ROOT, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
