"""JupyterLab as `make lab` starts it, in headless Chromium: a server, and lessons opened in it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Locator, Page, Playwright

from tools.my_notebooks import write_copy

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
STARTS_WITHIN_S = 120
OPENS_WITHIN_MS = 120_000
RUNS_WITHIN_MS = 600_000
# All cells in the page at once, also those out of sight, so that each can be measured.
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}
PANEL = "jupyterapp.shell.currentWidget"
CODE = (
    f"{PANEL}.content.widgets.map(w => w.model.sharedModel.toJSON())"
    ".filter(c => c.cell_type === 'code')"
)
IDLE = (
    f"{PANEL}.sessionContext.isReady && {PANEL}.sessionContext.session?.kernel?.status === 'idle'"
)
# After the first error JupyterLab runs no more cells.
DONE = (
    f"{IDLE} && ({CODE}.every(c => c.execution_count) "
    f"|| {CODE}.some(c => c.outputs.some(o => o.ename)))"
)


class Lab(NamedTuple):
    """A running JupyterLab."""

    port: int
    token: str
    folder: Path  # what it shows


@contextmanager
def lab(folder: Path) -> Iterator[Lab]:
    """Start JupyterLab on an empty folder, with settings and records of its own beside it; it ends
    with the block.
    """
    notebooks, own = folder / "notebooks", folder / "own"
    notebooks.mkdir()
    for name, setting in SETTINGS.items():
        file = own / f"config/lab/user-settings/@jupyterlab/{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(setting), encoding="utf-8")
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_DATA_DIR": str(own / "data"),
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        "IPYTHONDIR": str(own / "ipython"),
    }
    environment.pop("TQDM_DISABLE", None)  # learners see progress bars
    started = Lab(free_port(), secrets.token_hex(16), notebooks)
    command = [
        sys.executable,
        "-m",
        "tools.start_lab",
        "--no-browser",
        "--allow-root",
        f"--ServerApp.root_dir={notebooks}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={started.port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={started.token}",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--MappingKernelManager.transport_encryption=auto",
    ]
    with open(folder / "log", "w", encoding="utf-8") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            wait_for(started, server, folder / "log")
            yield started
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def free_port() -> int:
    with socket.socket() as any_socket:
        any_socket.bind(("127.0.0.1", 0))
        return any_socket.getsockname()[1]


def wait_for(lab: Lab, server: subprocess.Popen, log: Path) -> None:
    """Return when the server answers; raises RuntimeError with its log when it ended or does not
    answer in time.
    """
    end = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{lab.port}/api?token={lab.token}", timeout=5
            ):
                return
        except OSError:
            time.sleep(0.25)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")


def start_chromium(playwright: Playwright) -> Browser:
    """Start headless Chromium: that of the variable CHROMIUM, or else the one on this machine."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    assert path, f"no Chromium: set CHROMIUM, or install one of {', '.join(BROWSERS)}"
    quiet = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ]
    return playwright.chromium.launch(
        executable_path=path, args=["--no-sandbox", "--disable-gpu", *quiet]
    )


class Lesson:
    """A learner's copy of a notebook, open in JupyterLab, with its kernel started.

    page_errors: what scripts raised; elsewhere: the addresses of requests to anywhere but the
    server.
    """

    def __init__(self, lab: Lab, page: Page, notebook: Path):
        self.page, self.page_errors, self.elsewhere = page, [], []
        here = f"127.0.0.1:{lab.port}/"
        page.on("pageerror", lambda error: self.page_errors.append(str(error)))
        page.on("request", lambda request: self._note(request.url, here))
        page.on("websocket", lambda socket: self._note(socket.url, here))
        write_copy(notebook, lab.folder / notebook.name)
        page.goto(f"http://{here}lab/tree/{notebook.name}?token={lab.token}&reset")
        page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=OPENS_WITHIN_MS)
        self.wait_until(IDLE, OPENS_WITHIN_MS)

    def _note(self, url: str, here: str) -> None:
        scheme, _, rest = url.partition("://")
        if scheme in ("http", "https", "ws", "wss") and not rest.startswith(here):
            self.elsewhere.append(url)

    def wait_until(self, condition: str, timeout_ms: int = OPENS_WITHIN_MS) -> None:
        """Wait until a JavaScript expression is true; raises playwright's TimeoutError if it does
        not become so.
        """
        self.page.wait_for_function(f"() => {condition}", timeout=timeout_ms)

    def run_all(self) -> None:
        """Choose Run All Cells in the menu, as a learner does, and wait until all have run or one
        has failed.
        """
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        self.page.wait_for_timeout(500)  # the kernel is idle before it is busy
        self.wait_until(DONE, RUNS_WITHIN_MS)
        self.page.wait_for_timeout(500)  # what was shown last is drawn

    def code_cells(self) -> list[dict]:
        """Return the code cells as they would be saved: source, outputs, execution_count."""
        return self.page.evaluate(CODE)

    def cell(self, number: int) -> Locator:
        """Return the code cell of this number, from 0, in the page."""
        return self.page.locator(".jp-CodeCell").nth(number)

    def write_and_run(self, number: int, source: str) -> str:
        """Put code in place of a cell's by keyboard, run it with Shift and Enter, and return the
        text that it shows.
        """
        before = self.code_cells()[number]["execution_count"]
        self.cell(number).locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(source)
        self.page.keyboard.press("Shift+Enter")
        self.wait_until(f"{CODE}[{number}].execution_count > {before} && {IDLE}")
        self.page.wait_for_timeout(300)
        return self.cell(number).locator(".jp-OutputArea-output").first.inner_text()

    def set_theme(self, name: str) -> None:
        """Choose "JupyterLab Light" or "JupyterLab Dark"."""
        self.page.evaluate(
            f"jupyterapp.commands.execute('apputils:change-theme', {{theme: '{name}'}})"
        )
        is_light = json.dumps("Light" in name).lower()
        self.wait_until(f"document.body.dataset.jpThemeLight === '{is_light}'")
        self.page.wait_for_timeout(1000)  # the style sheet is loaded, and colours fade

    def present(self) -> None:
        """Show the lesson as on a projector: presentation mode, without the list of files beside
        it.
        """
        self.page.set_viewport_size({"width": 1280, "height": 720})
        self.page.evaluate("jupyterapp.commands.execute('application:toggle-presentation-mode')")
        self.page.evaluate("jupyterapp.shell.collapseLeft()")
        self.page.wait_for_timeout(1000)

    def close(self) -> None:
        """End the kernel and close the page."""
        self.page.evaluate(f"{PANEL}.sessionContext.shutdown()")
        self.page.close()
