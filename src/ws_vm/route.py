"""The way to a server: TCP, a Unix socket or a proxy, and TLS on top where asked for.

Theory of operation. Every way ends in a socket, or in a transport where an HTTP proxy
was spoken to over one. The connection becomes its protocol: at once where no TLS is
wanted, so that no byte can get lost in between, else above the TLS layer. Whatever is
connected has an owner at all times who closes it where this is cancelled: the
coroutine that made it, until the connection has it.

asyncio and uvloop encrypt what is written at once and hand it to the TCP transport
beneath, so that the TLS transport says that its buffer is empty while megabytes wait.
Therefore TCP is connected first and TLS begun on top of it: the lower transport is at
hand, and its buffer is counted too. asyncio reports to the TLS layer alone that this
buffer has drained, so `WriteObserver` stands between the two and passes on every call,
this one to the connection as well.
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from functools import cache
from typing import cast

from websockets.http11 import USER_AGENT
from websockets.uri import WebSocketURI

from ws_common.options.options import WebSocketOptions
from ws_vm.happy_eyeballs import connect_tcp, connect_unix
from ws_vm.proxies import Proxy, parse_proxy, proxy_from_environment
from ws_vm.proxy_tunnel import MAX_HEAD, connect_through_socks, open_tunnel
from ws_vm.transport import VmTransport


@cache
def default_context() -> ssl.SSLContext:
    """Return the context of all clients that name none: loading one takes 10 ms."""
    return ssl.create_default_context()


async def connect_transport(
    transport: VmTransport,
    uri: WebSocketURI,
    options: WebSocketOptions,
    server_hostname: str | None,
) -> None:
    """Connect to a server, and make `transport` the protocol of the connection.

    Cancelled before it is, this leaves no socket behind; afterwards, `abort()` does.

    Args:
        transport: The connection.
        uri: The server's URL, taken apart.
        options: The client's.
        server_hostname: The name in the server's certificate; None: the URL's.

    Raises:
        OSError: The network did not let us.
        ProxyError: The proxy did not let us.
    """
    proxy = _choose_proxy(uri, options)
    sock = await _connect_socket(uri, options, proxy)
    uses_tunnel = proxy is not None and not proxy.is_socks
    if not (uses_tunnel or uri.secure):
        await _create_transport(sock, transport)
        return
    layers: list[asyncio.Transport] = []  # from TCP upwards
    try:
        if proxy is not None and uses_tunnel:
            await _open_tunnel(layers, sock, proxy, uri, options)
        else:
            layers.append(await _create_transport(sock, asyncio.Protocol()))
        if uri.secure:
            context, name = options.ssl or default_context(), server_hostname
            layers.append(
                await _start_tls(layers[-1], transport, context, name or uri.host)
            )
    except BaseException:
        for layer in layers[:1]:
            layer.abort()
        raise
    _install_transport(layers, transport, options.write_limit)


def _install_transport(
    layers: Sequence[asyncio.Transport], transport: VmTransport, limit: int
) -> None:
    """Put the connection above all layers."""
    *beneath, top = layers
    top.set_protocol(transport)
    transport.set_lower_transports(*beneath)
    transport.connection_made(top)
    if beneath:
        tls = cast("asyncio.BufferedProtocol", beneath[0].get_protocol())
        beneath[0].set_protocol(WriteObserver(tls, transport))
        beneath[0].set_write_buffer_limits(high=limit)


def _choose_proxy(uri: WebSocketURI, options: WebSocketOptions) -> Proxy | None:
    url = options.proxy
    if options.unix_path is not None or not url:
        return None
    if url is True:
        url = proxy_from_environment(uri.host, uri.port, secure=uri.secure)
    return None if url is None else parse_proxy(url)


async def _connect_socket(
    uri: WebSocketURI, options: WebSocketOptions, proxy: Proxy | None
) -> socket.socket:
    if options.unix_path is not None:
        return await connect_unix(options.unix_path)
    if proxy is not None and proxy.is_socks:
        return await connect_through_socks(
            proxy, uri.host, uri.port, options.local_addr
        )
    peer = uri if proxy is None else proxy
    return await connect_tcp(peer.host, peer.port, options.local_addr)


async def _create_transport(
    sock: socket.socket, protocol: asyncio.BaseProtocol
) -> asyncio.Transport:
    """Make a transport of a socket, which is closed where that fails."""
    loop = asyncio.get_running_loop()
    is_unix = sock.family == getattr(socket, "AF_UNIX", None)
    connect = loop.create_unix_connection if is_unix else loop.create_connection
    made: list[asyncio.BaseProtocol] = []

    def make() -> asyncio.BaseProtocol:
        made.append(protocol)  # from here on the loop owns the socket
        return protocol

    try:
        transport, _ = await connect(make, sock=sock)
    except BaseException:
        if not made:
            sock.close()
        raise
    return transport


async def _open_tunnel(
    layers: list[asyncio.Transport],
    sock: socket.socket,
    proxy: Proxy,
    uri: WebSocketURI,
    options: WebSocketOptions,
) -> None:
    """Ask an HTTP proxy for a tunnel, over TLS where it wants that."""
    answer = asyncio.StreamReader(limit=MAX_HEAD)
    protocol = asyncio.StreamReaderProtocol(answer)
    if proxy.scheme == "https":
        layers.append(await _create_transport(sock, asyncio.Protocol()))
        context = default_context()
        layers.append(await _start_tls(layers[-1], protocol, context, proxy.host))
        protocol.connection_made(layers[-1])
    else:
        layers.append(await _create_transport(sock, protocol))
    user_agent = options.user_agent or USER_AGENT
    await open_tunnel(layers[-1], answer, proxy, uri, user_agent)


async def _start_tls(
    tcp: asyncio.Transport,
    protocol: asyncio.BaseProtocol,
    context: ssl.SSLContext,
    server_hostname: str,
) -> asyncio.Transport:
    """Begin TLS; return its transport. `connection_made()` is left to the caller.

    Cancelled, it closes the connection.

    Raises:
        OSError: The peer agreed on nothing, or is not trusted.
    """
    loop = asyncio.get_running_loop()
    tls_transport = await loop.start_tls(
        tcp, protocol, context, server_hostname=server_hostname
    )
    if tls_transport is None:
        raise ConnectionResetError("the connection was lost during the TLS handshake")
    return tls_transport


_FORWARDED = (
    *("get_buffer", "buffer_updated", "eof_received"),
    *("connection_lost", "pause_writing"),
)
"""What of `WriteObserver` is the TLS layer's own method."""


class WriteObserver(asyncio.BufferedProtocol):
    """What TCP calls instead of the TLS layer.

    All calls but one go to that layer directly.
    """

    __slots__ = ("_tls", "_transport", *_FORWARDED)

    def __init__(self, tls: asyncio.BufferedProtocol, transport: VmTransport) -> None:
        self._tls = tls
        self._transport = transport
        for name in _FORWARDED:
            setattr(self, name, getattr(tls, name))

    def resume_writing(self) -> None:
        """Pass it on, and let the connection know."""
        self._tls.resume_writing()
        self._transport.resume_writing()
