"""The way to a server: TCP, a Unix socket or a proxy, and TLS on top where asked for.

Theory of operation. Every way ends in a socket, or in a transport where an HTTP proxy
was spoken to over one. The connection becomes its protocol: at once where no TLS is
wanted, so that no byte can get lost in between, else above the TLS layer. Whatever is
connected has an owner at all times who closes it where this is cancelled: the
coroutine that made it, until the connection has it.
"""

import asyncio
import socket
from collections.abc import Sequence
from typing import NamedTuple

from websockets.http11 import USER_AGENT
from websockets.uri import WebSocketURI

from ws_common.options import WebSocketOptions
from ws_vm.dialing import dial, dial_unix
from ws_vm.proxies import (
    Proxy,
    Tunnel,
    connect_by_socks,
    parse_proxy,
    proxy_of_environment,
)
from ws_vm.tls import default_context, start_tls, watch_writing
from ws_vm.transport import VmTransport


class Route(NamedTuple):
    """Where a connection goes.

    Attributes:
        uri: The server's URL, taken apart.
        options: The client's.
        same_origin: Whether that is the server that the client was given: another's
            certificate is not for `server_hostname`.
    """

    uri: WebSocketURI
    options: WebSocketOptions
    same_origin: bool


async def connect_transport(route: Route, transport: VmTransport) -> None:
    """Connect to a server, and make `transport` the protocol of the connection.

    Cancelled before it is, this leaves no socket behind; afterwards, `abort()` does.

    Raises:
        OSError: The network did not let us.
        ProxyError: The proxy did not let us.
    """
    proxy = _proxy(route)
    sock = await _connect_socket(route, proxy)
    by_tunnel = proxy is not None and not proxy.is_socks
    if not (by_tunnel or route.uri.secure):
        await _wrap(sock, transport)
        return
    layers: list[asyncio.Transport] = []  # from TCP upwards
    try:
        if proxy is not None and by_tunnel:
            await _open_tunnel(layers, sock, proxy, route)
        else:
            layers.append(await _wrap(sock, asyncio.Protocol()))
        if route.uri.secure:
            layers.append(await _start_tls(layers[-1], transport, route))
    except BaseException:
        for layer in layers[:1]:
            layer.abort()
        raise
    _put_above(layers, transport, route.options.write_limit)


def _put_above(
    layers: Sequence[asyncio.Transport], transport: VmTransport, limit: int
) -> None:
    """Put the connection above all layers."""
    *beneath, top = layers
    top.set_protocol(transport)
    transport.lie_above(*beneath)
    transport.connection_made(top)
    if beneath:
        watch_writing(beneath[0], transport, limit)


def _proxy(route: Route) -> Proxy | None:
    options, uri = route.options, route.uri
    url = options.proxy
    if options.unix_path is not None or not url:
        return None
    if url is True:
        url = proxy_of_environment(uri.host, uri.port, secure=uri.secure)
    return None if url is None else parse_proxy(url)


async def _connect_socket(route: Route, proxy: Proxy | None) -> socket.socket:
    options, uri = route.options, route.uri
    if options.unix_path is not None:
        return await dial_unix(options.unix_path)
    if proxy is None:
        return await dial(uri.host, uri.port, options.local_addr)
    if proxy.is_socks:
        return await connect_by_socks(proxy, uri.host, uri.port, options.local_addr)
    return await dial(proxy.host, proxy.port, options.local_addr)


async def _wrap(
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
    layers: list[asyncio.Transport], sock: socket.socket, proxy: Proxy, route: Route
) -> None:
    """Ask an HTTP proxy for a tunnel, over TLS where it wants that."""
    tunnel = Tunnel(proxy, route.uri, route.options.user_agent or USER_AGENT)
    if proxy.scheme == "https":
        layers.append(await _wrap(sock, asyncio.Protocol()))
        context = default_context()
        layers.append(await start_tls(layers[-1], tunnel, context, proxy.host))
        tunnel.connection_made(layers[-1])
    else:
        layers.append(await _wrap(sock, tunnel))
    await tunnel.opened


async def _start_tls(
    beneath: asyncio.Transport, transport: VmTransport, route: Route
) -> asyncio.Transport:
    options = route.options
    name = options.server_hostname if route.same_origin else None
    context = options.ssl or default_context()
    return await start_tls(beneath, transport, context, name or route.uri.host)
