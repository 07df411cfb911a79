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
def toured(jupyterlab, chromium):
    """Return a function that goes through a notebook in JupyterLab, once, and returns the faults."""
    from functools import cache

    from tour import tour

    @cache
    def go(notebook, exercises=None):
        page = chromium.new_page(viewport={"width": 1300, "height": 1000})
        return tour(jupyterlab, page, notebook, exercises)

    return go
