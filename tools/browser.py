"""Have a Chromium: Playwright's own where it can be had, else the system's."""

import os
import runpy
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tools.common import ROOT, STAMPS, ToolError, is_fresh, mark, run, say

DOWNLOAD_TIMEOUT = 300.0
APT_TIMEOUT = 600.0

_REFUSED = STAMPS / "no-playwright-download"


def load_config() -> dict[str, Any]:
    """Load `playwright.config.py`, whose name cannot be imported."""
    return runpy.run_path(str(ROOT / "playwright.config.py"))


def ensure_chromium() -> None:
    """Have a browser that `playwright.config.py` finds; returns at once where it does.

    Raises:
        ToolError: None could be had; says what to do.
    """
    if _is_there():
        return
    say("There is no Chromium yet; installing one ...")
    reasons: list[str] = []
    for attempt in (_download, _apt):
        try:
            attempt()
        except ToolError as error:
            reasons.append(str(error))
        if _is_there():
            return
    tried = "\n\n".join(reasons)
    raise ToolError(
        f"{tried}\n\nThe page needs a Chromium. Install one in whichever way this "
        "machine allows, then run this again:\n"
        f"    {Path(sys.executable)} -m playwright install --with-deps chromium\n"
        "    sudo apt-get install chromium      (Debian)\n"
        "    or Google Chrome, anywhere on PATH",
    )


def _is_there() -> bool:
    try:
        load_config()["executable_path"](playwrights_own())
    except FileNotFoundError:
        return False
    return True


def playwrights_own() -> str:
    """Where Playwright's own Chromium is, or would be."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not for `demo`

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def _download() -> None:
    # A network that refuses the download refuses it every time: asked once per version.
    key = version("playwright")
    if is_fresh(_REFUSED, key):
        raise ToolError("Playwright's own Chromium could not be downloaded before.")
    try:
        run(
            [sys.executable, "-m", "playwright", "install", "chromium"],
            what="download Playwright's own Chromium",
            timeout=DOWNLOAD_TIMEOUT,
        )
    except ToolError:
        mark(_REFUSED, key)
        raise


def _apt() -> None:
    apt = shutil.which("apt-get")
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if apt is None or not root:
        raise ToolError("Debian's Chromium needs apt-get, and to be root.")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    what = "install Debian's Chromium"
    run([apt, "update", "-qq"], what=what, timeout=APT_TIMEOUT, env=quiet)
    run(
        [apt, "install", "-y", "-qq", "--no-install-recommends", "chromium"],
        what=what,
        timeout=APT_TIMEOUT,
        env=quiet,
    )


if __name__ == "__main__":
    ensure_chromium()
