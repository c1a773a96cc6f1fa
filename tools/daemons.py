"""Have the servers and network tools that the native tests meet: by apt, where we may.

What cannot be had is no error: the tests that need it skip, and say so.
"""

import os
import shutil

from tools.common import STAMPS, ToolError, digest, is_fresh, mark, run, say

APT_TIMEOUT = 600.0

PACKAGES = {
    "ip": "iproute2",
    "iptables": "iptables",
    "microsocks": "microsocks",
    "nginx": "nginx-light",
    "squid": "squid",
    "tinyproxy": "tinyproxy-bin",
}
"""Programs, and the packages of Debian and Ubuntu that have them."""

_SYSTEM = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where programs for root are, though they may be missing from PATH."""

_FAILED = STAMPS / "no-daemons"


def find(program: str) -> str | None:
    """The path of a program, if it is installed."""
    path = os.pathsep.join([os.environ.get("PATH", ""), _SYSTEM])
    return shutil.which(program, path=path)


def ensure_daemons() -> None:
    """Install what is missing; returns at once where nothing is, or it failed before.

    A failure is remembered until other programs are missing: a machine that cannot
    reach its packages would wait for them at every run.
    """
    missing = sorted(name for name in PACKAGES if find(name) is None)
    key = digest(*(name.encode() for name in missing))
    if not missing or is_fresh(_FAILED, key):
        return
    apt = find("apt-get")
    if apt is None or not is_root():
        say(f"Not installed: {', '.join(missing)} (that takes apt-get, and root).")
        return
    say(f"Installing {', '.join(missing)} ...")
    # Without a run level, their scripts start no service: tests start their own.
    quiet = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    what = "install what the native tests need"
    packages = [PACKAGES[name] for name in missing]
    try:
        run([apt, "update", "-qq"], what=what, timeout=APT_TIMEOUT, env=quiet)
        run(
            [apt, "install", "-y", "-qq", "--no-install-recommends", *packages],
            what=what,
            timeout=APT_TIMEOUT,
            env=quiet,
        )
    except ToolError as error:
        say(str(error))
        mark(_FAILED, key)


def is_root() -> bool:
    """Whether programs may be installed and namespaces made."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


if __name__ == "__main__":
    ensure_daemons()
