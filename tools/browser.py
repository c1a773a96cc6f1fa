"""Find or install a Chromium.

Playwright's own Chromium is used if it can be downloaded, otherwise the system's.
"""

import os
import runpy
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tools.common import ROOT, STAMPS, ToolError, is_fresh, print_line, run, write_stamp

DOWNLOAD_TIMEOUT = 300.0
"""Seconds for the download of Playwright's Chromium."""

APT_TIMEOUT = 600.0
"""Seconds for one call of apt-get."""

_FAILURE_STAMP = STAMPS / "no-playwright-download"


def load_config() -> dict[str, Any]:
    """Load `playwright.config.py` by its path.

    The name of the file contains a dot, so an import statement cannot name it.
    """
    return runpy.run_path(str(ROOT / "playwright.config.py"))


def ensure_chromium() -> None:
    """Install a Chromium, unless `playwright.config.py` finds one already.

    Raises:
        ToolError: No Chromium could be installed. The message says what to do.
    """
    if _has_chromium():
        return
    print_line("No Chromium was found; installing one ...")
    reasons: list[str] = []
    # The download goes first: Playwright is tested with exactly that build, and it
    # needs no root. It fails in a closed network, where a mirror of Debian often is
    # available.
    for install in (_download_chromium, _install_with_apt):
        try:
            install()
        except ToolError as error:
            reasons.append(str(error))
        if _has_chromium():
            return
    failures = "\n\n".join(reasons)
    raise ToolError(
        f"{failures}\n\nThe page needs a Chromium. Install one in one of these ways, "
        "then run the command again:\n"
        f"    {Path(sys.executable)} -m playwright install --with-deps chromium\n"
        "    sudo apt-get install chromium      (Debian)\n"
        "    or install Google Chrome anywhere on PATH",
    )


def _has_chromium() -> bool:
    try:
        load_config()["find_executable"](get_playwright_chromium())
    except FileNotFoundError:
        return False
    return True


def get_playwright_chromium() -> str:
    """Return the path of Playwright's own Chromium, which need not be installed."""
    # `make demo` loads this module too, in an environment without Playwright.
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - see above

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def _download_chromium() -> None:
    # If a network blocks the download, every attempt costs a long timeout. So a failure
    # is recorded, and the download is tried once for each version of Playwright.
    key = version("playwright")
    if is_fresh(_FAILURE_STAMP, key):
        raise ToolError(
            "The download of Playwright's own Chromium has failed in an earlier run."
        )
    try:
        run(
            [sys.executable, "-m", "playwright", "install", "chromium"],
            what="download Playwright's own Chromium",
            timeout=DOWNLOAD_TIMEOUT,
        )
    except ToolError:
        write_stamp(_FAILURE_STAMP, key)
        raise


def _install_with_apt() -> None:
    apt = shutil.which("apt-get")
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if apt is None or not is_root:
        raise ToolError("Installing Debian's Chromium requires apt-get and root.")
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    what = "install Debian's Chromium"
    run([apt, "update", "-qq"], what=what, timeout=APT_TIMEOUT, env=environment)
    run(
        [apt, "install", "-y", "-qq", "--no-install-recommends", "chromium"],
        what=what,
        timeout=APT_TIMEOUT,
        env=environment,
    )


if __name__ == "__main__":
    ensure_chromium()
