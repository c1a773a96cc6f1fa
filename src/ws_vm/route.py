"""The way to a server: TCP or a Unix socket, proxies, and TLS.

Theory of operation. Every way begins with a connected socket. Without TLS and without
an HTTP proxy the connection becomes the protocol of the socket at once, so that no byte
is lost in between. Otherwise it becomes the protocol of the uppermost layer. Whatever
is connected has an owner at all times, who closes it on cancellation: first the
coroutine that has made it, then the connection.

asyncio and uvloop encrypt what is written at once, and pass it to the TCP transport
below. So the TLS transport says that its buffer is empty while megabytes are waiting.
Therefore TCP is connected first, and TLS is started on top of it: so the TCP transport
is known, and its buffer is counted too. asyncio reports only to the TLS protocol that
this buffer has drained. `WriteObserver` is put between the two. It forwards every call
to TLS, and this one to the connection as well.
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
    """Return the TLS context of all clients that configure none."""
    # Loading the system's certificates takes 10 ms, so this is done once.
    return ssl.create_default_context()


async def connect_transport(
    transport: VmTransport,
    uri: WebSocketURI,
    options: WebSocketOptions,
    server_hostname: str | None,
) -> None:
    """Connect to a server, and make `transport` the protocol of the connection.

    Cancelling it closes the socket, unless `transport` has become its protocol already:
    then the caller has to call `transport.abort()`.

    Args:
        transport: The connection.
        uri: The parsed URL of the server.
        options: The options of the client.
        server_hostname: The host name that the server's certificate must be for; None
            for that of the URL.

    Raises:
        OSError: The network or TLS has failed.
        ProxyError: The proxy has failed or refused.
    """
    # The proxy is chosen anew for each attempt: the environment may have changed.
    proxy = _choose_proxy(uri, options)
    sock = await _connect_socket(uri, options, proxy)
    uses_tunnel = proxy is not None and not proxy.is_socks
    if not (uses_tunnel or uri.secure):
        await _create_transport(sock, transport)
        return
    layers: list[asyncio.Transport] = []  # TCP first
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
        # Aborting TCP is enough: the layers above it lose their connection with it.
        for layer in layers[:1]:
            layer.abort()
        raise
    _install_transport(layers, transport, options.write_limit)


def _install_transport(
    layers: Sequence[asyncio.Transport], transport: VmTransport, limit: int
) -> None:
    """Make the connection the protocol of the uppermost layer.

    Args:
        layers: The transports, TCP first.
        transport: The connection.
        limit: The high watermark of the send buffers in bytes.
    """
    *beneath, top = layers
    top.set_protocol(transport)
    transport.set_lower_transports(*beneath)
    transport.connection_made(top)
    # TCP is the lowest layer, and carries the encrypted bytes of all TLS above it.
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
    """Create a transport for a socket, and close the socket if that fails."""
    loop = asyncio.get_running_loop()
    is_unix = sock.family == getattr(socket, "AF_UNIX", None)
    connect = loop.create_unix_connection if is_unix else loop.create_connection
    # create_connection() does not say whether it has taken the socket when it raises or
    # is cancelled. It has if it has called the factory, and closes it then.
    made: list[asyncio.BaseProtocol] = []

    def make() -> asyncio.BaseProtocol:
        made.append(protocol)
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
    """Open a tunnel through an HTTP proxy, over TLS if its URL says https.

    Args:
        layers: The transports are appended to it, so that the caller can abort them.
        sock: The socket that is connected to the proxy.
        proxy: The proxy.
        uri: The parsed URL of the server.
        options: The options of the client.
    """
    # The limit of the reader bounds the head of the proxy's response.
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
    """Start TLS, and return its transport.

    Cancelling it closes the connection. The caller calls `connection_made()`.

    Args:
        tcp: The transport below, which may be TLS to a proxy.
        protocol: The protocol of the new transport.
        context: The TLS context.
        server_hostname: The host name that the certificate must be for.

    Raises:
        OSError: No TLS could be negotiated, or the certificate is not trusted.
    """
    loop = asyncio.get_running_loop()
    tls_transport = await loop.start_tls(
        tcp, protocol, context, server_hostname=server_hostname
    )
    # asyncio returns None if the connection was lost at the end of the handshake.
    if tls_transport is None:
        raise ConnectionResetError("the connection was lost during the TLS handshake")
    return tls_transport


_FORWARDED = (
    *("get_buffer", "buffer_updated", "eof_received"),
    *("connection_lost", "pause_writing"),
)
"""The attributes of `WriteObserver` that are bound methods of the TLS protocol.

So a read over TLS costs no more Python calls than without the observer.
"""


class WriteObserver(asyncio.BufferedProtocol):
    """The protocol of the TCP transport, which forwards all calls to the TLS protocol.

    Args:
        tls: asyncio's own protocol, which encrypts and decrypts.
        transport: The connection, which is told that the buffer below TLS has drained.
    """

    __slots__ = ("_tls", "_transport", *_FORWARDED)

    def __init__(self, tls: asyncio.BufferedProtocol, transport: VmTransport) -> None:
        self._tls = tls
        self._transport = transport
        for name in _FORWARDED:
            setattr(self, name, getattr(tls, name))

    def resume_writing(self) -> None:
        """Forward the call to the TLS protocol, and to the connection."""
        self._tls.resume_writing()
        self._transport.resume_writing()
