"""Install programs with apt-get on Debian and Ubuntu, if this process is root."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from tools.common import ToolError, digest, is_fresh, print_line, run, write_stamp

TIMEOUT = 600.0
"""Seconds after which one call of apt-get is stopped."""

_ROOT_PATH = "/usr/local/sbin:/usr/sbin:/sbin"
"""Folders of programs for root.

Debian leaves them out of the PATH of other users, although some of the programs there,
such as nginx and squid, can be run by anybody.
"""


def find_program(program: str) -> str | None:
    """Return the path of a program, or None if it is not installed."""
    path = os.pathsep.join([os.environ.get("PATH", ""), _ROOT_PATH])
    return shutil.which(program, path=path)


def _is_root() -> bool:
    # Windows has no geteuid().
    return hasattr(os, "geteuid") and os.geteuid() == 0


def install_programs(
    missing: Iterable[str], packages: dict[str, str], failure_stamp: Path
) -> None:
    """Install programs, unless the same installation has failed before.

    The function never raises: it prints why a program could not be installed, and the
    tests that need the program are skipped.

    Args:
        missing: The names of the programs to install. If there are none, the function
            returns at once.
        packages: The package that contains each program, by the name of the program.
        failure_stamp: A file in which a failed installation is recorded.
    """
    programs = sorted(missing)
    # On a machine without access to a package server, apt-get takes minutes to give up.
    # So a failure is recorded, and apt-get is tried again only when the set of missing
    # programs has changed.
    key = digest(*(program.encode() for program in programs))
    if not programs or is_fresh(failure_stamp, key):
        return
    apt = find_program("apt-get")
    if apt is None or not _is_root():
        print_line(
            f"Not installed: {', '.join(programs)} (this requires apt-get and root)."
        )
        return
    print_line(f"Installing {', '.join(programs)} ...")
    # The install scripts of nginx, squid and tinyproxy start a service. With
    # RUNLEVEL=1 (single-user mode) they do not: the tests start their own servers, with
    # their own configuration and on free ports.
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
