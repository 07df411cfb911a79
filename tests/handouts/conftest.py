"""What `make handouts` built, read once; and headless Chromium."""

import functools
import os
import shutil

import nbformat
import pytest
from built import BUILT, LESSONS, Pdf

from tools.handout_pdf import pdf_path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def pdf():
    """Return a function from paper, role and name to a Pdf, each read once."""
    return functools.cache(lambda *edition: Pdf(pdf_path(BUILT, *edition)))


@pytest.fixture(scope="session")
def notebooks():
    return {stem: nbformat.read(path, as_version=4) for stem, path in LESSONS.items()}


@pytest.fixture(scope="session")
def browser():
    """Return headless Chromium: that of the variable CHROMIUM, or else the one on this machine."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    assert path, f"no Chromium: set CHROMIUM, or install one of {', '.join(BROWSERS)}"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()
