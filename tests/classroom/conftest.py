"""JupyterLab and headless Chromium, started once for each of xdist's workers."""

import pytest


@pytest.fixture(scope="session")
def chromium():
    from lab import start_chromium
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = start_chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def jupyterlab(tmp_path_factory):
    from lab import lab

    with lab(tmp_path_factory.mktemp("lab")) as started:
        yield started


@pytest.fixture(scope="session")
def go_through(jupyterlab, chromium):
    """Return a function that goes through a notebook in JupyterLab and returns the faults."""
    from tour import tour

    def go(notebook, exercises):
        return tour(jupyterlab, chromium.new_page(viewport={"width": 1300, "height": 1000}), notebook, exercises)

    return go
