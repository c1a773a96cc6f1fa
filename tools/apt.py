"""Have programs of Debian and Ubuntu installed, where that is allowed."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from tools.common import ToolError, digest, is_fresh, mark, run, say

TIMEOUT = 600.0
"""Seconds for one call of apt."""

_SYSTEM = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where programs for root are, though they may be missing from PATH."""


def find(program: str) -> str | None:
    """The path of a program, if it is installed."""
    path = os.pathsep.join([os.environ.get("PATH", ""), _SYSTEM])
    return shutil.which(program, path=path)


def _is_root() -> bool:
    """Whether programs may be installed and namespaces made."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def ensure(missing: Iterable[str], packages: dict[str, str], failed: Path) -> None:
    """Install programs; returns at once where none is missing, or it failed before.

    A failure is remembered until other programs are missing: a machine that cannot
    reach its packages would wait for them at every run.

    Args:
        missing: The programs.
        packages: Programs, and the packages that have them.
        failed: The file that remembers a failure.
    """
    names = sorted(missing)
    key = digest(*(name.encode() for name in names))
    if not names or is_fresh(failed, key):
        return
    apt = find("apt-get")
    if apt is None or not _is_root():
        say(f"Not installed: {', '.join(names)} (that takes apt-get, and root).")
        return
    say(f"Installing {', '.join(names)} ...")
    # Without a run level, their scripts start no service: tests start their own.
    quiet = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    wanted = [packages[name] for name in names]
    install = ["install", "-y", "-qq", "--no-install-recommends", *wanted]
    try:
        for arguments in (["update", "-qq"], install):
            what = f"install {', '.join(wanted)}"
            run([apt, *arguments], what=what, timeout=TIMEOUT, env=quiet)
    except ToolError as error:
        say(str(error))
        mark(failed, key)
