"""Connects to a server through a proxy.

A SOCKS proxy needs the library python-socks, which is optional. An HTTP proxy is asked
for a tunnel with CONNECT (RFC 9110 section 9.3.6), which needs no library.
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
"""The largest head of a proxy's response, in bytes."""


async def connect_through_socks(
    proxy: Proxy, host: str, port: int, local_addr: tuple[str, int] | None
) -> socket.socket:
    """Connect to a server through a SOCKS proxy, and return the socket.

    Cancelling it closes the socket.

    Args:
        proxy: The proxy.
        host: The host of the server.
        port: Its port.
        local_addr: The (host, port) to connect from; None for any.

    Raises:
        ImportError: python-socks is not installed.
        OSError: The proxy cannot be reached.
        ProxyError: The proxy has failed or refused.
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
        raise  # python-socks lets the errors of the network pass
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

    Cancelling it leaves the transport open; the caller has to abort it.

    Args:
        transport: The transport that is connected to the proxy.
        answer: The reader of the proxy's response.
        proxy: The proxy.
        uri: The parsed URL of the server.
        user_agent: The value of the header User-Agent.

    Raises:
        ProxyError: The proxy has failed or refused.
    """
    # The host and the port are in both the request line and the Host header, and the
    # former always has the port (RFC 9110 section 9.3.6).
    server = uri.host, uri.port, uri.secure
    headers = Headers(Host=build_host(*server))
    headers["User-Agent"] = user_agent
    if proxy.username is not None and proxy.password is not None:
        basic = build_authorization_basic(proxy.username, proxy.password)
        headers["Proxy-Authorization"] = basic
    target = build_host(*server, always_include_port=True)
    transport.write(f"CONNECT {target} HTTP/1.1\r\n".encode() + headers.serialize())
    # Any status of the 200s opens the tunnel (RFC 9110 section 9.3.6).
    response = await _read_response(answer)
    if not 200 <= response.status_code < 300:  # noqa: PLR2004
        raise InvalidProxyStatus(response)


async def _read_response(answer: asyncio.StreamReader) -> Response:
    """Read the head of the response.

    Raises:
        InvalidProxyMessage: It is not an HTTP response.
    """
    # A successful response has no body (RFC 9110 section 9.3.6), and after a refusal
    # the connection is closed, so nothing behind the head is read.
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
    """Parse the status line and the headers.

    Raises:
        ValueError: They are not HTTP.
    """
    # The parser of the library would not do: some proxies still speak HTTP/1.0.
    status_line, *lines = head.decode("iso-8859-1").rstrip().split("\r\n")
    version, status, *reason = status_line.split(" ", 2)
    if not version.startswith("HTTP/1."):
        raise ValueError(version)
    headers = Headers()
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip()] = value.strip()
    return Response(int(status), "".join(reason), headers)
