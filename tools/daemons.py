"""Have the servers and network tools that the native tests meet: by apt, where we may.

What cannot be had is no error: the tests that need it skip, and say so.
"""

from tools.apt import find_program, install_programs
from tools.common import STAMPS

PACKAGES = {
    "ip": "iproute2",
    "iptables": "iptables",
    "microsocks": "microsocks",
    "nginx": "nginx-light",
    "squid": "squid",
    "tinyproxy": "tinyproxy-bin",
}
"""Programs, and the packages of Debian and Ubuntu that have them."""

_FAILURE_STAMP = STAMPS / "no-daemons"


def ensure_daemons() -> None:
    """Install what is missing, unless that failed before."""
    missing = [program for program in PACKAGES if find_program(program) is None]
    install_programs(missing, PACKAGES, _FAILURE_STAMP)


if __name__ == "__main__":
    ensure_daemons()
