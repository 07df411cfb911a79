"""Which systems and Pythons find a wheel of everything, in the tested versions."""

import pytest
from environments import ROOT, uv

SYSTEMS = {
    "Linux": "x86_64-unknown-linux-gnu",
    "Linux on ARM": "aarch64-unknown-linux-gnu",
    "Windows": "x86_64-pc-windows-msvc",
    "a Mac with Apple's processor": "aarch64-apple-darwin",
}
EXTRAS = ("lab", "ray", "test", "handouts")


def resolved(system: str, python: str, ok: bool = True) -> str:
    """Return what would be installed there, or why nothing would be."""
    where = ["--python-platform", system, "--python-version", python, "--only-binary", ":all:"]
    tested = ["--constraint", ROOT / "constraints.txt", "--no-annotate", "--no-header"]
    extras = [part for extra in EXTRAS for part in ("--extra", extra)]
    return uv("pip", "compile", *where, *tested, *extras, ROOT / "pyproject.toml", ok=ok)


@pytest.mark.parametrize("python", ["3.11.0", "3.14"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_there_is_a_wheel_of_everything(system, python):
    found = resolved(SYSTEMS[system], python)
    assert "torch==" in found and "ray==" in found


def test_there_is_none_for_macs_with_intels_processor():
    """As README and docs/platforms.md say; where this fails, they can say better."""
    assert "x86_64" in resolved("x86_64-apple-darwin", "3.11.0", ok=False)
