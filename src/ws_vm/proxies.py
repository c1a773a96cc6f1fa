"""Which proxy stands between, and how to get through it.

Which one: the options name it, or the environment does. RFC 6455 section 4.1 leaves
the order open; a proxy for WebSockets comes first, then SOCKS, then those for HTTP.

How: a SOCKS proxy hands over a socket that is connected to the server; python-socks
does that, where it is installed. An HTTP proxy is asked for a tunnel (RFC 9110 section
9.3.6); that is short enough to stand here, and needs no other library.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from websockets.datastructures import Headers
from websockets.exceptions import (
    InvalidProxy,
    InvalidProxyMessage,
    InvalidProxyStatus,
    ProxyError,
)
from websockets.headers import build_authorization_basic, build_host
from websockets.http11 import Response
from websockets.uri import WebSocketURI

_SOCKS = {
    "socks5h": ("SOCKS5", True),
    "socks5": ("SOCKS5", False),
    "socks4a": ("SOCKS4", True),
    "socks4": ("SOCKS4", False),
}
"""The schemes: the protocol, and whether names are resolved by the proxy."""

_NAMES = ("wss", "ws", "socks", "https", "http", "all", "no")
_VARIABLES = (
    b"REQUEST_METHOD",
    *(f"{name}_proxy".encode() for name in _NAMES),
    *(f"{name}_proxy".upper().encode() for name in _NAMES),
)
"""What `getproxies()` looks at, in small and in capital letters."""

MAX_HEAD = 64 * 1024
"""Bytes of a proxy's answer."""


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
        return self.scheme in _SOCKS


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
    if parts.scheme not in {"http", "https", *_SOCKS}:
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


def proxy_of_environment(host: str, port: int, *, secure: bool) -> str | None:
    """Return the proxy that the environment names for a server; None: none."""
    proxies = _proxies()
    names = ("wss", "socks", "https", "all") if secure else _NAMES[1:-1]
    for name in names:
        if name in proxies:
            if proxy_bypass(f"{host}:{port}"):
                return None
            proxy = proxies[name]
            if name == "socks" and proxy.startswith("http://"):
                return f"socks5h://{proxy.removeprefix('http://')}"
            return proxy
    return None


_known: tuple[list[object], Mapping[str, str]] = ([], {})


def _proxies() -> Mapping[str, str]:
    """Return what `getproxies()` does, which takes a fifth of the time to connect.

    Its last answer is kept as long as the environment stays as it was. Windows and
    macOS have settings besides, which may change at any time.
    """
    global _known  # noqa: PLW0603 - a cache of one
    if sys.platform in {"win32", "darwin"}:
        return getproxies()
    # The dict inside of `os.environ`, as asking for fifteen names that are mostly not
    # there by way of its `get()` takes a twentieth of the time to connect.
    get: Callable[[bytes], object] = getattr(os.environ, "_data", os.environb).get
    state = [get(name) for name in _VARIABLES]
    if _known[0] != state:
        _known = state, getproxies()
    return _known[1]


async def connect_by_socks(
    proxy: Proxy, host: str, port: int, local_addr: tuple[str, int] | None
) -> socket.socket:
    """Return a socket that a SOCKS proxy has connected to the server.

    Raises:
        ImportError: There is no python-socks.
        OSError: The proxy cannot be reached.
        ProxyError: It failed.
    """
    try:
        from python_socks import ProxyType  # noqa: PLC0415 - optional
        from python_socks.async_.asyncio import Proxy as Socks  # noqa: PLC0415
    except ImportError:
        msg = "connecting through a SOCKS proxy requires python-socks"
        raise ImportError(msg) from None
    kind, rdns = _SOCKS[proxy.scheme]
    socks = Socks(
        ProxyType[kind], proxy.host, proxy.port, proxy.username, proxy.password, rdns
    )
    try:
        return await socks.connect(host, port, local_addr=local_addr)
    except OSError:
        raise
    except Exception as error:
        raise ProxyError("failed to connect to SOCKS proxy") from error


async def open_tunnel(
    transport: asyncio.WriteTransport,
    answer: asyncio.StreamReader,
    proxy: Proxy,
    uri: WebSocketURI,
    user_agent: str,
) -> None:
    """Ask an HTTP proxy for a tunnel to the server.

    Args:
        transport: Connected to the proxy.
        answer: What the proxy sends.
        proxy: The proxy.
        uri: The server's URL.
        user_agent: The header of this name.

    Raises:
        ProxyError: There is no tunnel.
    """
    server = uri.host, uri.port, uri.secure
    headers = Headers(Host=build_host(*server))
    headers["User-Agent"] = user_agent
    if proxy.username is not None and proxy.password is not None:
        basic = build_authorization_basic(proxy.username, proxy.password)
        headers["Proxy-Authorization"] = basic
    target = build_host(*server, always_include_port=True)
    transport.write(f"CONNECT {target} HTTP/1.1\r\n".encode() + headers.serialize())
    response = await _read_response(answer)
    if not 200 <= response.status_code < 300:  # noqa: PLR2004
        raise InvalidProxyStatus(response)


async def _read_response(answer: asyncio.StreamReader) -> Response:
    """Read the head of the answer; there is no body that matters."""
    try:
        return _parse(await answer.readuntil(b"\r\n\r\n"))
    except asyncio.LimitOverrunError:
        reason = "its headers have no end"
    except asyncio.IncompleteReadError:
        reason = "it hung up"
    except ValueError:
        reason = "it does not speak HTTP"
    except OSError as error:
        reason = str(error)
    msg = f"did not receive a valid HTTP response from proxy: {reason}"
    raise InvalidProxyMessage(msg)


def _parse(head: bytes) -> Response:
    """Parse status and headers; some proxies still speak HTTP/1.0.

    Raises:
        ValueError: They are not HTTP.
    """
    status_line, *lines = head.decode("iso-8859-1").rstrip().split("\r\n")
    version, status, *reason = status_line.split(" ", 2)
    if not version.startswith("HTTP/1."):
        raise ValueError(version)
    headers = Headers()
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip()] = value.strip()
    return Response(int(status), "".join(reason), headers)
