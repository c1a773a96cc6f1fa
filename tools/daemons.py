"""Have the servers and network tools that the native tests meet: by apt, where we may.

What cannot be had is no error: the tests that need it skip, and say so.
"""

from tools.apt import ensure, find
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

_FAILED = STAMPS / "no-daemons"


def ensure_daemons() -> None:
    """Install what is missing, unless that failed before."""
    missing = [name for name in PACKAGES if find(name) is None]
    ensure(missing, PACKAGES, _FAILED)


if __name__ == "__main__":
    ensure_daemons()
