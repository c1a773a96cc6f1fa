"""Chooses a proxy: the one of the environment, and the parts of its URL.

RFC 6455 section 4.1 leaves open which proxy is used if several are configured. Here a
proxy for WebSockets comes first, then SOCKS, then those for HTTP, as in `websockets`.
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
"""The protocol of each SOCKS scheme, and whether the proxy resolves host names."""

_PROXY_NAMES = ("wss", "ws", "socks", "https", "http", "all", "no")
_VARIABLES = (
    b"REQUEST_METHOD",
    *(f"{name}_proxy".encode() for name in _PROXY_NAMES),
    *(f"{name}_proxy".upper().encode() for name in _PROXY_NAMES),
)
"""The environment variables that `getproxies()` reads, in both spellings.

REQUEST_METHOD is one of them: under CGI `HTTP_PROXY` could be set by a client.
"""


class Proxy(NamedTuple):
    """The parts of a proxy's URL."""

    scheme: str
    host: str
    port: int
    username: str | None
    password: str | None

    @property
    def is_socks(self) -> bool:
        """Whether it is a SOCKS proxy, and not an HTTP proxy."""
        return self.scheme in SOCKS


def parse_proxy(url: str) -> Proxy:
    """Parse the URL of a proxy.

    Args:
        url: The URL, which may contain credentials.

    Raises:
        InvalidProxy: It is not the URL of a proxy.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        # The original error is dropped, since it may quote the password.
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
    # DNS knows ASCII only, so a host name in another script is encoded (RFC 3490).
    if not url.isascii():
        host = host.encode("idna").decode()
    return Proxy(parts.scheme, host, port, username, password)


def proxy_from_environment(host: str, port: int, *, secure: bool) -> str | None:
    """Return the URL of the proxy that the environment configures for a server.

    Args:
        host: The host of the server.
        port: Its port.
        secure: Whether the URL of the server is wss://.

    Returns:
        The URL of the proxy; None if there is none, or if `no_proxy` names the server.
    """
    proxies = _proxies()
    names = ("wss", "socks", "https", "all") if secure else _PROXY_NAMES[1:-1]
    for name in names:
        if name in proxies:
            # With the port, since `no_proxy` may name one.
            if proxy_bypass(f"{host}:{port}"):
                return None
            proxy = proxies[name]
            # macOS lists a SOCKS proxy in its settings as http://host:port.
            if name == "socks" and proxy.startswith("http://"):
                return f"socks5h://{proxy.removeprefix('http://')}"
            return proxy
    return None


_cached: tuple[list[object], Mapping[str, str]] = ([], {})


def _proxies() -> Mapping[str, str]:
    """Return the result of `getproxies()`, from a cache where that is possible.

    `getproxies()` was measured to take a fifth of the time that connecting takes. Its
    result is kept as long as the environment variables are unchanged.
    """
    global _cached  # noqa: PLW0603 - a cache of one
    # These also have settings outside of the environment, which may change at any time.
    if sys.platform in {"win32", "darwin"}:
        return getproxies()
    # The dictionary inside `os.environ` is read. Asking `os.environ.get()` for fifteen
    # names, most of which are not set, takes a twentieth of the time to connect.
    get: Callable[[bytes], object] = getattr(os.environ, "_data", os.environb).get
    state = [get(name) for name in _VARIABLES]
    if _cached[0] != state:
        _cached = state, getproxies()
    return _cached[1]
