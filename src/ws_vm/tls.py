"""TLS above a TCP connection that we keep in sight.

Theory of operation. asyncio and uvloop encrypt what is written at once and hand it to
the TCP transport beneath, so that the TLS transport says that its buffer is empty
while megabytes wait. Therefore TCP is connected first and TLS begun on top of it: the
lower transport is at hand, and its buffer is counted too. asyncio reports to the TLS
layer alone that this buffer has drained, so `WriteWatch` stands between the two and
passes on every call, this one to the connection as well.
"""

import asyncio
import ssl
from functools import cache
from typing import cast

from ws_vm.transport import VmTransport


@cache
def default_context() -> ssl.SSLContext:
    """Return the context of all clients that name none: loading one takes 10 ms."""
    return ssl.create_default_context()


async def start_tls(
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
    above = await loop.start_tls(
        tcp, protocol, context, server_hostname=server_hostname
    )
    if above is None:
        raise ConnectionResetError("the connection was lost during the TLS handshake")
    return above


def watch_writing(tcp: asyncio.Transport, transport: VmTransport, limit: int) -> None:
    """Report to the connection that the buffer of this transport has drained.

    Args:
        tcp: The lowest transport, with TLS above it.
        transport: The connection.
        limit: Bytes in the buffer above which it counts as full.
    """
    tls = cast("asyncio.BufferedProtocol", tcp.get_protocol())
    tcp.set_protocol(WriteWatch(tls, transport))
    tcp.set_write_buffer_limits(high=limit)


class WriteWatch(asyncio.BufferedProtocol):
    """What TCP calls instead of the TLS layer.

    The two calls of each read go to that layer directly.
    """

    __slots__ = ("_tls", "_transport", "buffer_updated", "get_buffer")

    def __init__(self, tls: asyncio.BufferedProtocol, transport: VmTransport) -> None:
        self._tls = tls
        self._transport = transport
        self.get_buffer = tls.get_buffer  # type: ignore[method-assign]
        self.buffer_updated = tls.buffer_updated  # type: ignore[method-assign]

    def eof_received(self) -> bool | None:
        """Pass it on."""
        return self._tls.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on."""
        self._tls.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass it on."""
        self._tls.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on, and let the connection know."""
        self._tls.resume_writing()
        self._transport.resume_writing()
