"""The native `Transport`, which is the socket's protocol as well.

Theory of operation. asyncio reads into a buffer that all connections of a thread share
(or into the memory of a large message), `FrameReader` makes batches of it, and each
batch is one call of the sink (`ws_vm.delivery`). Before that, the opening handshake
goes to the library, to the last byte of the response and not further: what follows it
in the same read are frames.

Of what is sent, the library makes compressed frames and control frames. It knows the
state of the closing handshake.
"""

import asyncio
import re
import threading
from typing import cast

from websockets.client import ClientProtocol
from websockets.exceptions import ProtocolError
from websockets.http11 import Request, Response
from websockets.protocol import OPEN

from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.errors import WSConnectionClosedError, WSInvalidCloseError
from ws_common.vocabulary.messages import Data
from ws_common.vocabulary.transport import Handshake, TransportSink
from ws_vm.delivery import Delivery, Reading
from ws_vm.failures import plain_headers
from ws_vm.frame_reader import MAX_INPUT, FrameReader
from ws_vm.frame_scanner import BINARY, TEXT
from ws_vm.frame_writer import frame_of
from ws_vm.late_delivery import DISCARD
from ws_vm.pings import cancel_pings, new_ping

_LARGE = 64 * 1024
"""Bytes of payload from which a second write costs less than one more copy."""

_END_OF_RESPONSE = b"\r\n\r\n"
_REFUSAL_1_0 = re.compile(rb"\AHTTP/1\.0 (?!101)")
"""A refusal by a server that is older than WebSocket: its status means the same."""

_OPENING, _FLOWING, _OVER = Reading.OPENING, Reading.FLOWING, Reading.OVER
_PAUSES = Reading.PAUSED, Reading.HOLDING


class _SharedBuffer(threading.local):
    """What the sockets of a thread are read into: a read is over before the next."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(MAX_INPUT))


_shared_buffer = _SharedBuffer()


class VmTransport(Delivery):
    """One open socket.

    Args:
        library: The library's protocol.
        request: What the opening handshake asks for.
        options: The client's.
        sink: What to report to.

    Attributes:
        last_activity: Loop time of the last byte from the peer.
        can_pause: Always: the socket is not read meanwhile.
    """

    __slots__ = ("_buffer", "_opened", "_request", "_response", "last_activity")

    can_pause = True

    _opened: asyncio.Future[None]
    _response: Response

    def __init__(
        self,
        library: ClientProtocol,
        request: Request,
        options: WebSocketOptions,
        sink: TransportSink,
    ) -> None:
        super().__init__(library, options, sink)
        self._request = request
        self._buffer = _shared_buffer.view
        self.last_activity = self._loop.time()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        self._tcp = cast("asyncio.Transport", transport)
        self._tcp.set_write_buffer_limits(high=self._options.write_limit)
        self._opened = self._loop.create_future()
        self._reading = _OPENING
        self.library.send_request(self._request)
        del self._request
        self._send_data()
        if early := self._tail:
            self._tail = b""
            self._read_response(early, 0)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's guess
        """Return where the next bytes go: behind the beginning of their frame."""
        if self._reading is _FLOWING and self._frames.large.room:
            return self._frames.large.room
        if tail := self._tail:
            self._buffer[: len(tail)] = tail
            return self._buffer[len(tail) :]
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Deliver what was read, or keep it."""
        self.last_activity = self._loop.time()
        reading = self._reading
        if reading is _FLOWING and (large := self._frames.large).room:
            large.room = large.room[nbytes:]
            self._deliver(b"")
            return
        known = len(self._tail)
        data = bytes(self._buffer[: known + nbytes])
        if reading is _FLOWING or reading is Reading.ENDING:
            self._tail = b""
            if rest := self._deliver(data):
                self._keep(rest)
        elif reading is _OPENING:
            self._read_response(data, known)
        elif reading in _PAUSES:
            self._keep(data)
        elif reading is Reading.DIALING:
            self._tail = data  # of a server that speaks first, with TLS 1.2

    def eof_received(self) -> None:
        """End the stream, behind all that came before it.

        The socket closes itself after this, and `connection_lost()` follows.
        """
        if self._reading is Reading.DIALING:
            return  # `connection_lost()` follows when the transport is ours
        if self._reading in _PAUSES:
            self._deliver_late()
        self.library.receive_eof()
        if self._reading is _OPENING:
            self._take_response()
        self._reading = _OVER
        self._tail = b""

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the end, behind all that came before."""
        self.eof_received()
        cancel_pings(self._pings)
        sink, self._sink = self._sink, DISCARD
        if sink is not DISCARD:
            sink.on_closed(self._frames.how_it_ended(exc))

    def resume_writing(self) -> None:
        """Pass on that there is room again, in all layers."""
        if self._reading is not _OPENING and (
            self.buffered_amount <= self._options.write_limit
        ):
            self._sink.on_writable()

    # The opening handshake

    def _read_response(self, data: bytes, known: int) -> None:
        """Give the library its response, and no byte of the frames behind it.

        Args:
            data: What was read, behind the last bytes before it.
            known: How many of these the library has already.
        """
        if not known:  # the library takes HTTP/1.1 alone, of refusals too
            data = _REFUSAL_1_0.sub(b"HTTP/1.1 ", data, count=1)
        end = data.find(_END_OF_RESPONSE)
        end = len(data) if end < 0 else end + len(_END_OF_RESPONSE)
        self._tail = data[1 - len(_END_OF_RESPONSE) :]
        self.library.receive_data(data[known:end])
        self._take_response()
        if self._reading is _FLOWING:
            if rest := self._deliver(data[end:]):
                self._keep(rest)
        elif self._reading is _OPENING and end < len(data):  # the body of a refusal
            self.library.receive_data(data[end:])
            self._take_response()

    def _take_response(self) -> None:
        """See whether the library has come to a result."""
        for event in self.library.events_received():
            self._response = cast("Response", event)
        if self.library.handshake_exc is not None:
            self._reading = _OVER
            self._sink = DISCARD
        elif self.library.state is OPEN:
            self._reading = _FLOWING
            self._tail = b""
            self._frames = FrameReader(self.library, self._options.max_size)
        if self._reading is not _OPENING and not self._opened.done():
            self._opened.set_result(None)

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
            peer=self._tcp.get_extra_info("peername"),
        )

    # Sending

    @property
    def _can_send(self) -> bool:
        """Whether a message would be taken; a socket that closes swallows them."""
        return self.library.state is OPEN and not self._tcp.is_closing()

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

    def ping(self) -> asyncio.Future[float]:
        """Send a Ping; the future gives the round trip in seconds.

        Raises:
            WSConnectionClosedError: The connection is closing or lost.
        """
        if not self._can_send:
            raise self._closed_error()
        self._pings = self._pings or {}  # not the one that all share
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
        """What to raise where nothing can be sent any more."""
        close = self._frames.how_it_ended()
        return WSConnectionClosedError(
            close_code=close.code,
            close_reason=close.reason,
            was_clean=close.was_clean,
        )
