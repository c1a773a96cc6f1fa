"""Have programs of Debian and Ubuntu installed, where that is allowed."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from tools.common import ToolError, digest, is_fresh, print_line, run, write_stamp

TIMEOUT = 600.0
"""Seconds for one call of apt."""

_ROOT_PATH = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where programs for root are, though they may be missing from PATH."""


def find_program(program: str) -> str | None:
    """The path of a program, if it is installed."""
    path = os.pathsep.join([os.environ.get("PATH", ""), _ROOT_PATH])
    return shutil.which(program, path=path)


def _is_root() -> bool:
    """Whether programs may be installed and namespaces made."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def install_programs(
    missing: Iterable[str], packages: dict[str, str], failure_stamp: Path
) -> None:
    """Install programs; returns at once where none is missing, or it failed before.

    A failure is remembered until other programs are missing: a machine that cannot
    reach its packages would wait for them at every run.

    Args:
        missing: The programs.
        packages: Programs, and the packages that have them.
        failure_stamp: The file that remembers a failure.
    """
    programs = sorted(missing)
    key = digest(*(program.encode() for program in programs))
    if not programs or is_fresh(failure_stamp, key):
        return
    apt = find_program("apt-get")
    if apt is None or not _is_root():
        print_line(
            f"Not installed: {', '.join(programs)} (that takes apt-get, and root)."
        )
        return
    print_line(f"Installing {', '.join(programs)} ...")
    # Without a run level, their scripts start no service: tests start their own.
    environment = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    package_names = [packages[program] for program in programs]
    install = ["install", "-y", "-qq", "--no-install-recommends", *package_names]
    try:
        for arguments in (["update", "-qq"], install):
            what = f"install {', '.join(package_names)}"
            run([apt, *arguments], what=what, timeout=TIMEOUT, env=environment)
    except ToolError as error:
        print_line(str(error))
        write_stamp(failure_stamp, key)
