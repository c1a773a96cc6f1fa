"""Have a Chromium: Playwright's own where it can be had, else the system's."""

import os
import runpy
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tools.common import ROOT, STAMPS, ToolError, is_fresh, print_line, run, write_stamp

DOWNLOAD_TIMEOUT = 300.0
APT_TIMEOUT = 600.0

_FAILURE_STAMP = STAMPS / "no-playwright-download"


def load_config() -> dict[str, Any]:
    """Load `playwright.config.py`, whose name cannot be imported."""
    return runpy.run_path(str(ROOT / "playwright.config.py"))


def ensure_chromium() -> None:
    """Have a browser that `playwright.config.py` finds; returns at once where it does.

    Raises:
        ToolError: None could be had; says what to do.
    """
    if _has_chromium():
        return
    print_line("There is no Chromium yet; installing one ...")
    reasons: list[str] = []
    for install in (_download_chromium, _install_with_apt):
        try:
            install()
        except ToolError as error:
            reasons.append(str(error))
        if _has_chromium():
            return
    failures = "\n\n".join(reasons)
    raise ToolError(
        f"{failures}\n\nThe page needs a Chromium. Install one in whichever way this "
        "machine allows, then run this again:\n"
        f"    {Path(sys.executable)} -m playwright install --with-deps chromium\n"
        "    sudo apt-get install chromium      (Debian)\n"
        "    or Google Chrome, anywhere on PATH",
    )


def _has_chromium() -> bool:
    try:
        load_config()["find_executable"](get_playwright_chromium())
    except FileNotFoundError:
        return False
    return True


def get_playwright_chromium() -> str:
    """Where Playwright's own Chromium is, or would be."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not for `demo`

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def _download_chromium() -> None:
    # A network that refuses the download refuses it every time: asked once per version.
    key = version("playwright")
    if is_fresh(_FAILURE_STAMP, key):
        raise ToolError("Playwright's own Chromium could not be downloaded before.")
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
        raise ToolError("Debian's Chromium needs apt-get, and to be root.")
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
