"""The native `Transport`, which is the socket's protocol as well.

It receives as `ws_vm.receive_path` says; here is what a client asks of it. The library
makes compressed frames and control frames, and knows the state of the closing
handshake.
"""

import asyncio
from typing import Any

from websockets.client import ClientProtocol
from websockets.exceptions import ProtocolError
from websockets.http11 import Request
from websockets.protocol import OPEN

from ws_common.durations import seconds
from ws_common.errors import WSConnectionClosedError, WSInvalidCloseError
from ws_common.messages import Data
from ws_common.options import WebSocketOptions
from ws_common.transport import Handshake, TransportSink
from ws_vm.close_info import closed_error
from ws_vm.delivery import Reading
from ws_vm.failures import plain_headers
from ws_vm.frame_scanner import BINARY, TEXT
from ws_vm.frame_writer import frame_of
from ws_vm.late_delivery import DISCARD
from ws_vm.pings import NO_PINGS, new_ping
from ws_vm.receive_path import ReceivePath

INTERVAL = 20.0
"""Seconds between two reads while paused, where there is no heartbeat to ask."""


_LARGE = 64 * 1024
"""Bytes of payload from which a second write costs less than one more copy."""


class VmTransport(ReceivePath):
    """One open socket.

    Args:
        library: The library's protocol.
        request: What the opening handshake asks for.
        options: The client's.
        sink: What to report to.
    """

    __slots__ = ("_beneath", "_request", "_write_limit")

    def __init__(
        self,
        library: ClientProtocol,
        request: Request,
        options: WebSocketOptions,
        sink: TransportSink,
    ) -> None:
        heartbeat = options.heartbeat
        super().__init__(
            library,
            sink,
            max_size=options.max_size,
            interval=INTERVAL if heartbeat is None else seconds(heartbeat.interval),
        )
        self._request = request
        self._write_limit = options.write_limit
        self._beneath: tuple[asyncio.WriteTransport, ...] = ()

    # The opening handshake

    def lie_above(self, *transports: asyncio.WriteTransport) -> None:
        """Count the buffers of these, too: what TLS has encrypted waits there."""
        self._beneath = transports

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        super().connection_made(transport)
        self._tcp.set_write_buffer_limits(high=self._write_limit)
        self.library.send_request(self._request)
        del self._request
        self._send_data()
        self._read_what_came_early()

    async def handshake_done(self) -> None:
        """Wait for the response.

        Raises:
            InvalidHandshake: The library's: it is not what was asked for.
        """
        await self._opened
        del self._opened
        if self.library.handshake_exc is not None:
            raise self.library.handshake_exc

    @property
    def protocol(self) -> str | None:
        """The subprotocol that the server picked."""
        return self.library.subprotocol

    @property
    def handshake(self) -> Handshake:
        """What the server answered; made when it is asked for."""
        headers = plain_headers(self._response.headers)
        return Handshake(
            status=self._response.status_code,
            headers=headers,
            extensions=headers.get("sec-websocket-extensions", ""),
            peer=self.socket_info("peername"),
        )

    def socket_info(self, name: str) -> Any:
        """What asyncio knows of the socket, as `get_extra_info()` has it."""
        return self._tcp.get_extra_info(name)

    # Sending

    @property
    def _can_send(self) -> bool:
        """Whether a message would be taken; a socket that closes swallows them."""
        return self.library.state is OPEN and not self._tcp.is_closing()

    @property
    def buffered_amount(self) -> int:
        """Bytes that the operating system has not taken yet, in all layers."""
        amount = super().buffered_amount
        for transport in self._beneath:
            amount += transport.get_write_buffer_size()
        return amount

    def send(self, data: Data, *, text: bool) -> None:
        """Write one message.

        Raises:
            WSConnectionClosedError: The connection is closing or lost.
        """
        if not self._can_send:
            raise self._closed_error()
        payload = data.encode() if isinstance(data, str) else data
        if self.library.extensions:
            send = self.library.send_text if text else self.library.send_binary
            send(payload)
            self._send_data()
            return
        header, masked = frame_of(TEXT if text else BINARY, payload)
        if len(masked) < _LARGE:
            self._tcp.write(header + masked)
        else:
            self._tcp.write(header)
            self._tcp.write(masked)

    def resume_writing(self) -> None:
        """Pass on that there is room again, in all layers."""
        if self._reading is not Reading.OPENING and (
            self.buffered_amount <= self._write_limit
        ):
            self._sink.on_writable()

    def ping(self) -> asyncio.Future[float]:
        """Send a Ping; the future gives the round trip in seconds.

        Raises:
            WSConnectionClosedError: The connection is closing or lost.
        """
        if not self._can_send:
            raise self._closed_error()
        if self._pings is NO_PINGS:
            self._pings = {}
        payload, future = new_ping(self._loop, self._pings)
        self.library.send_ping(payload)
        self._send_data()
        return future

    # The end

    def close(self, code: int | None, reason: str | None) -> None:
        """Send a Close frame, unless one was sent or received.

        Without a code there can be no reason (RFC 6455 section 5.5.1).

        Raises:
            WSInvalidCloseError: A code or reason that may not be sent.
        """
        if not self._can_send:
            return
        try:
            self.library.send_close(code, (reason or "") if code is not None else "")
        except ProtocolError as error:
            raise WSInvalidCloseError(str(error)) from error
        self._send_data()

    def abort(self) -> None:
        """Free the socket now. No event comes after it."""
        self._sink = DISCARD
        before, self._reading = self._reading, Reading.OVER
        self._held = self._tail = b""
        if before is Reading.HOLDING:
            self._timer.cancel()
        if before is not Reading.DIALING:
            self._tcp.abort()

    def _closed_error(self) -> WSConnectionClosedError:
        return closed_error(self._how_it_ended(None))

    # Without a pause there is nothing to ask: a socket can always be left unread.

    @property
    def can_pause(self) -> bool:
        """Always: the socket is not read meanwhile."""
        return True
