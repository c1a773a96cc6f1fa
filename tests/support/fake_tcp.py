"""A native transport over a fake TCP transport, which is fed with bytes by hand."""

import asyncio
from typing import Any

from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.uri import parse_uri
from websockets.utils import accept_key

from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.transport import TransportSink
from ws_vm.transport import VmTransport

DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate\r\n"


class FakeTcp(asyncio.Transport):
    """Records what is written, and the calls of other methods.

    Attributes:
        written: All bytes.
        reading: Whether the socket would be read.
        aborted: Whether it was aborted.
    """

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.reading = True
        self.aborted = False

    def write(self, data: Any) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(
        self, high: int | None = None, low: int | None = None
    ) -> None:
        pass

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


def client_protocol(max_size: int | None, *, deflate: bool) -> ClientProtocol:
    """Return the library's protocol as the connector creates it."""
    extensions = [ClientPerMessageDeflateFactory()] if deflate else None
    return ClientProtocol(
        parse_uri("ws://host/"), extensions=extensions, max_size=max_size
    )


def response_to(protocol: ClientProtocol, *, deflate: bool = False) -> bytes:
    """Return the response that opens the connection."""
    head = (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\n{DEFLATE if deflate else ''}"
        f"Sec-WebSocket-Accept: {accept_key(protocol.key)}\r\n\r\n"
    )
    return head.encode()


def unopened(
    sink: TransportSink, *, max_size: int | None = None, deflate: bool = False
) -> tuple[VmTransport, FakeTcp]:
    """Return a transport that has sent its request. It needs a running loop."""
    protocol = client_protocol(max_size, deflate=deflate)
    options = WebSocketOptions(max_size=max_size)
    transport = VmTransport(protocol, protocol.connect(), options, sink)
    tcp = FakeTcp()
    transport.connection_made(tcp)
    return transport, tcp


def opened(
    sink: TransportSink, *, max_size: int | None = None, deflate: bool = False
) -> tuple[VmTransport, FakeTcp]:
    """Return a transport whose opening handshake is complete."""
    transport, tcp = unopened(sink, max_size=max_size, deflate=deflate)
    receive(transport, response_to(transport.library, deflate=deflate))
    tcp.written = b""
    return transport, tcp


def receive(transport: VmTransport, data: bytes) -> None:
    """Make the transport read these bytes, in as few reads as possible."""
    while data:
        room = transport.get_buffer(-1)
        count = min(len(room), len(data))
        room[:count] = data[:count]
        transport.buffer_updated(count)
        data = data[count:]
