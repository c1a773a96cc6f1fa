"""Which proxy stands between: the options name it, or the environment does.

RFC 6455 section 4.1 leaves the order open; a proxy for WebSockets comes first, then
SOCKS, then those for HTTP.
"""

import os
import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from websockets.exceptions import InvalidProxy

SOCKS = {
    "socks5h": ("SOCKS5", True),
    "socks5": ("SOCKS5", False),
    "socks4a": ("SOCKS4", True),
    "socks4": ("SOCKS4", False),
}
"""The schemes: the protocol, and whether names are resolved by the proxy."""

_PROXY_NAMES = ("wss", "ws", "socks", "https", "http", "all", "no")
_VARIABLES = (
    b"REQUEST_METHOD",
    *(f"{name}_proxy".encode() for name in _PROXY_NAMES),
    *(f"{name}_proxy".upper().encode() for name in _PROXY_NAMES),
)
"""What `getproxies()` looks at, in small and in capital letters."""


class Proxy(NamedTuple):
    """A proxy's URL, taken apart."""

    scheme: str
    host: str
    port: int
    username: str | None
    password: str | None

    @property
    def is_socks(self) -> bool:
        """Whether it is no HTTP proxy."""
        return self.scheme in SOCKS


def parse_proxy(url: str) -> Proxy:
    """Take a proxy's URL apart.

    Raises:
        InvalidProxy: It is none.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise InvalidProxy(url, "host or port isn't valid") from None
    problem, host = "", parts.hostname
    if parts.scheme not in {"http", "https", *SOCKS}:
        problem = f"scheme {parts.scheme} isn't supported"
    elif host is None:
        problem = "hostname isn't provided"
    elif parts.path not in {"", "/"} or parts.query or parts.fragment:
        problem = "a path, a query or a fragment is meaningless"
    elif parts.username is not None and parts.password is None:
        problem = "username provided without password"
    if problem or host is None:
        raise InvalidProxy(url, problem)
    username, password = (
        part and unquote(part, errors="strict")
        for part in (parts.username, parts.password)
    )
    if not url.isascii():
        host = host.encode("idna").decode()
    return Proxy(parts.scheme, host, port, username, password)


def proxy_from_environment(host: str, port: int, *, secure: bool) -> str | None:
    """Return the proxy that the environment names for a server; None: none."""
    proxies = _proxies()
    names = ("wss", "socks", "https", "all") if secure else _PROXY_NAMES[1:-1]
    for name in names:
        if name in proxies:
            if proxy_bypass(f"{host}:{port}"):
                return None
            proxy = proxies[name]
            if name == "socks" and proxy.startswith("http://"):
                return f"socks5h://{proxy.removeprefix('http://')}"
            return proxy
    return None


_cached: tuple[list[object], Mapping[str, str]] = ([], {})


def _proxies() -> Mapping[str, str]:
    """Return what `getproxies()` does, which takes a fifth of the time to connect.

    Its last answer is kept as long as the environment stays as it was. Windows and
    macOS have settings besides, which may change at any time.
    """
    global _cached  # noqa: PLW0603 - a cache of one
    if sys.platform in {"win32", "darwin"}:
        return getproxies()
    # The dict inside of `os.environ`, as asking for fifteen names that are mostly not
    # there by way of its `get()` takes a twentieth of the time to connect.
    get: Callable[[bytes], object] = getattr(os.environ, "_data", os.environb).get
    state = [get(name) for name in _VARIABLES]
    if _cached[0] != state:
        _cached = state, getproxies()
    return _cached[1]
