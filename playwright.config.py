"""Everything about browsers in one place: which one, how it is started, what it visits.

The name has a dot and cannot be imported; load it by path:

    config = runpy.run_path("playwright.config.py")
    arguments = config["launch_arguments"](playwright.chromium.executable_path)

`tests/e2e/conftest.py` and `tools/` do so. It needs the standard library alone.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent

BROWSER = "chromium"

# ── Where results go, and what is kept of a test that failed ────────────────

ARTIFACTS = ROOT / "build" / "test-results"
TRACING = "retain-on-failure"
SCREENSHOT = "only-on-failure"

# ── Time limits, in milliseconds as Playwright counts them ──────────────────

LAUNCH_TIMEOUT = 30_000
NAVIGATION_TIMEOUT = 30_000
ACTION_TIMEOUT = 30_000
PYODIDE_TIMEOUT = 60_000
"""From opening a page to the first line of Python; 2 to 5 s where nothing else runs."""

# ── The browser ─────────────────────────────────────────────────────────────

VIEWPORT = {"width": 1120, "height": 760}

FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
"""Nothing that looks for the outside: tests must pass in a closed network."""

SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_executable(bundled_path: str) -> str | None:
    """The browser to start: None for Playwright's own, else the system's.

    Args:
        bundled_path: `playwright.chromium.executable_path`, there or not.

    Raises:
        FileNotFoundError: There is neither.
    """
    if Path(bundled_path).exists():
        return None
    for name in SYSTEM_NAMES:
        if found := shutil.which(name):
            return found
    raise FileNotFoundError(
        "There is no Chromium: run `playwright install chromium`, or install the "
        "system's (on Debian: apt-get install chromium).",
    )


def launch_arguments(bundled_path: str) -> dict[str, Any]:
    """What `browser_type.launch()` is given."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    arguments: dict[str, Any] = {
        # Chromium refuses its sandbox to root, as which containers and CI run.
        "args": [*FLAGS, "--no-sandbox"] if is_root else FLAGS,
        "timeout": LAUNCH_TIMEOUT,
    }
    if path := find_executable(bundled_path):
        arguments["executable_path"] = path
    return arguments


def context_arguments() -> dict[str, Any]:
    """What `browser.new_context()` is given."""
    return {"viewport": VIEWPORT, "device_scale_factor": 1}


# ── The servers ─────────────────────────────────────────────────────────────

SERVER = ROOT / "web-demo" / "server.py"


@contextlib.contextmanager
def demo_server(port: int = 0) -> Iterator[str]:
    """Run the server of `web-demo/`, and yield the URL of its page, the base URL.

    Args:
        port: The preferred one; where it is taken, or 0, a free one is used.

    Raises:
        RuntimeError: It did not start; what it said is on standard error.
    """
    command = [sys.executable, str(SERVER), "--port", str(port)]
    # In a session of its own, Ctrl-C in the terminal reaches its owner alone, who
    # ends it when everything else has been ended.
    process = subprocess.Popen(  # noqa: S603 - our own server
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            assert process.stdout is not None  # noqa: S101 - for the type checker
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"The demo server did not start: {command}")
            yield line.split()[-1]
        finally:
            process.terminate()
