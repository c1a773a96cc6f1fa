"""Install the servers and network tools that the native tests use, with apt-get.

A program that cannot be installed is not an error: the tests that need it are skipped.
"""

from tools.apt import find_program, install_programs
from tools.common import STAMPS

# `nginx-light` has the fewest modules, and `tinyproxy-bin` contains only the program,
# without the service of the package `tinyproxy`.
PACKAGES = {
    "ip": "iproute2",
    "iptables": "iptables",
    "microsocks": "microsocks",
    "nginx": "nginx-light",
    "squid": "squid",
    "tinyproxy": "tinyproxy-bin",
}
"""The package of Debian and Ubuntu that contains each program."""

_FAILURE_STAMP = STAMPS / "no-daemons"


def ensure_daemons() -> None:
    """Install the missing programs, unless that has failed before."""
    missing = [program for program in PACKAGES if find_program(program) is None]
    install_programs(missing, PACKAGES, _FAILURE_STAMP)


if __name__ == "__main__":
    ensure_daemons()
