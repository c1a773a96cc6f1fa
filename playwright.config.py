"""The configuration of the browser: which one, how to start it, and which page to open.

The name of this file contains a dot, so it cannot be imported. Load it by its path:

    config = runpy.run_path("playwright.config.py")
    arguments = config["launch_arguments"](playwright.chromium.executable_path)

`tests/e2e/conftest.py` and `tools/` do so. The file uses only the standard library.
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

# ── The folder of the results, and what a failed test leaves there ──────────

ARTIFACTS = ROOT / "build" / "test-results"
TRACING = "retain-on-failure"
SCREENSHOT = "only-on-failure"

# ── Time limits, in milliseconds as Playwright counts them ──────────────────

LAUNCH_TIMEOUT = 30_000
NAVIGATION_TIMEOUT = 30_000
ACTION_TIMEOUT = 30_000
PYODIDE_TIMEOUT = 60_000
"""From opening a page to the first line of Python, which takes 2 to 5 s when idle."""

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
"""Options that keep Chromium from using the network by itself.

Tests must pass in a closed network, where each such request would wait for a timeout.
"""

SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_executable(bundled_path: str) -> str | None:
    """Find the browser to start.

    Args:
        bundled_path: `playwright.chromium.executable_path`. The file need not exist.

    Returns:
        None to start Playwright's own Chromium, otherwise the path of the system's.

    Raises:
        FileNotFoundError: No Chromium is installed.
    """
    # Playwright's own build is preferred: each version of Playwright is tested with it.
    if Path(bundled_path).exists():
        return None
    for name in SYSTEM_NAMES:
        if found := shutil.which(name):
            return found
    raise FileNotFoundError(
        "No Chromium is installed. Run `playwright install chromium`, or install the "
        "system's package (on Debian: apt-get install chromium).",
    )


def launch_arguments(bundled_path: str) -> dict[str, Any]:
    """Return the arguments of `browser_type.launch()`."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    arguments: dict[str, Any] = {
        # Chromium refuses to start as root unless its sandbox is disabled. Containers
        # and CI usually run as root.
        "args": [*FLAGS, "--no-sandbox"] if is_root else FLAGS,
        "timeout": LAUNCH_TIMEOUT,
    }
    if path := find_executable(bundled_path):
        arguments["executable_path"] = path
    return arguments


def context_arguments() -> dict[str, Any]:
    """Return the arguments of `browser.new_context()`."""
    # A fixed scale factor makes screenshots the same size on every machine.
    return {"viewport": VIEWPORT, "device_scale_factor": 1}


# ── The servers ─────────────────────────────────────────────────────────────

SERVER = ROOT / "web-demo" / "server.py"


@contextlib.contextmanager
def demo_server(port: int = 0) -> Iterator[str]:
    """Run the server of `web-demo/` in a subprocess.

    Args:
        port: The preferred port. If it is 0 or in use, a free port is chosen.

    Yields:
        The URL of the page, without a slash at the end.

    Raises:
        RuntimeError: The server did not start. Its output is on standard error.
    """
    command = [sys.executable, str(SERVER), "--port", str(port)]
    # In a session of its own the server does not get the SIGINT of Ctrl-C. It would
    # otherwise stop before the pages and clients that still use it.
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
            # The server prints its URL when it listens, and closes stdout if it fails,
            # so this line needs neither polling nor a timeout.
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"The demo server did not start: {command}")
            yield line.split()[-1]
        finally:
            process.terminate()
