"""The way through a proxy.

A SOCKS proxy hands over a socket that is connected to the server; python-socks does
that, where it is installed. An HTTP proxy is asked for a tunnel (RFC 9110 section
9.3.6); that is short enough to stand here, and needs no other library.
"""

import asyncio
import socket

from websockets.datastructures import Headers
from websockets.exceptions import InvalidProxyMessage, InvalidProxyStatus, ProxyError
from websockets.headers import build_authorization_basic, build_host
from websockets.http11 import Response
from websockets.uri import WebSocketURI

from ws_vm.proxies import SOCKS, Proxy

MAX_HEAD = 64 * 1024
"""Bytes of a proxy's answer."""


async def connect_through_socks(
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
    kind, rdns = SOCKS[proxy.scheme]
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
