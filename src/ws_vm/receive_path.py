"""The receiving side of a connection: from the socket to batches of messages.

Theory of operation. asyncio reads into a buffer that all connections of a thread share
(or into the memory of a large message), `FrameReader` makes batches of it, and each
batch is one call of the sink (`ws_vm.delivery`). Before that, the opening handshake
goes to the library, to the last byte of the response and not further: what follows it
in the same read are frames.
"""

import asyncio
import re
import threading
from typing import cast

from websockets.client import ClientProtocol
from websockets.http11 import Response
from websockets.protocol import OPEN

from ws_common.transport import CloseInfo, TransportSink
from ws_vm.close_info import of_wire
from ws_vm.delivery import Delivery, Reading
from ws_vm.frame_reader import MAX_INPUT, FrameReader
from ws_vm.late_delivery import DISCARD
from ws_vm.pings import cancel_pings

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


class ReceivePath(Delivery):
    """Receives for one connection.

    Args:
        library: The library's protocol.
        sink: What to report to.
        max_size: Bytes of a message, at most; None: no limit.
        interval: Seconds between two reads while paused.

    Attributes:
        last_activity: Loop time of the last byte from the peer.
    """

    __slots__ = ("_buffer", "_max_size", "_opened", "_response", "last_activity")

    _opened: asyncio.Future[None]
    _response: Response

    def __init__(
        self,
        library: ClientProtocol,
        sink: TransportSink,
        *,
        max_size: int | None,
        interval: float,
    ) -> None:
        super().__init__(library, sink, interval)
        self._buffer = _shared_buffer.view
        self._max_size = max_size
        self.last_activity = self._loop.time()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket's transport."""
        self._tcp = cast("asyncio.Transport", transport)
        self._opened = self._loop.create_future()
        self._reading = _OPENING

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
        if reading is _FLOWING and self._frames.large.room:
            self._frames.filled(nbytes)
            self._hand_over()
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
            self._tail = b""
            self._keep(data)
        elif reading is Reading.DIALING:
            self._tail = data  # of a server that speaks first, with TLS 1.2

    def eof_received(self) -> None:
        """End the stream, behind all that came before it.

        The socket closes itself after this, and `connection_lost()` follows.
        """
        self._end_of_stream()

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the end, behind all that came before."""
        self._end_of_stream()
        cancel_pings(self._pings)
        sink, self._sink = self._sink, DISCARD
        if sink is not DISCARD:
            sink.on_closed(self._how_it_ended(exc))

    # The opening handshake

    def _read_what_came_early(self) -> None:
        """Read what the TLS layer has brought before it was known to be there."""
        if early := self._tail:
            self._tail = b""
            self._read_response(early, 0)

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
            self._frames = FrameReader(self.library, self._max_size)
        if self._reading is not _OPENING and not self._opened.done():
            self._opened.set_result(None)

    # The end

    def _end_of_stream(self) -> None:
        """Let the library know that nothing comes any more."""
        if self._reading is Reading.DIALING:
            return  # `connection_lost()` follows when the transport is ours
        if self._reading in _PAUSES:
            self._deliver_late()
        self.library.receive_eof()
        if self._reading is _OPENING:
            self._take_response()
        self._reading = _OVER
        self._tail = b""

    def _how_it_ended(self, error: Exception | None) -> CloseInfo:
        """What to report at last; the failure that we have found comes first."""
        close = self._frames.close
        if close is not None and not close.was_clean:
            return close
        return of_wire(self.library, error)
