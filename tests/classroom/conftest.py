"""JupyterLab and headless Chromium, started once for each of xdist's workers, and which worker
takes what.
"""

import re

import pytest


def pytest_xdist_make_scheduler(config, log):
    """Send all tests of one lesson to one worker: they share a visit, and the second file the first
    one's cache.

    (xdist's own `loadgroup` does nothing beside pytest 9.2: it renames tests, which pytest no
    longer lets it do.)
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByLesson(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            lesson = re.search(r"\[(0\d_[a-z_]+)", nodeid)
            return lesson.group(1) if lesson else nodeid.partition("::")[0]

    return ByLesson(config, log)


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
        return tour(
            jupyterlab,
            chromium.new_page(viewport={"width": 1300, "height": 1000}),
            notebook,
            exercises,
        )

    return go
