"""The receiving side of a connection: from the socket to the calls of its sink.

Theory of operation. asyncio reads into a buffer that all connections of a thread share
(or into the memory of a large message), `FrameReader` makes batches of it, and each
batch is one call of the sink. What `Reading` says decides what happens to a read:

    DIALING   there is no socket yet
    OPENING   the server's response is awaited; it goes to the library
    FLOWING   batches are delivered as they come
    PAUSED    the sink wants none; the socket is read until something must be kept
    HOLDING   something is kept, and the socket is not read
    ENDING    the peer's end is here: what is kept is delivered, paused or not
    OVER      what comes is discarded

A pause takes effect between batches, and lazily: nothing touches the socket until a
read brings data frames, so that a reader that keeps up costs no system call. What is
kept then are the bytes as they came, not parsed and not inflated.

asyncio reports nothing of a socket that is not read: no FIN, no reset, and no Ping, so
that a peer with a keepalive of its own takes us for dead. So in every interval a
paused connection reads on until the next data frame (`HOLDING` becomes `PAUSED`), and
what came is searched for control frames: Pings are answered, Pongs count. As soon as
the peer's Close or the end of TCP is seen, no pause holds any more.
"""

import asyncio
import threading
from enum import Enum
from typing import cast

from websockets.client import ClientProtocol
from websockets.frames import Opcode
from websockets.http11 import Response
from websockets.protocol import OPEN

from ws_common.transport import CloseInfo, TransportSink
from ws_vm.close_info import of_wire
from ws_vm.frame_reader import (
    MAX_INPUT,
    NO_MESSAGES,
    NO_PONGS,
    FrameReader,
    Progress,
)
from ws_vm.frame_scanner import set_aside
from ws_vm.late_delivery import DISCARD, LateDelivery
from ws_vm.pings import NO_PINGS, Pings, cancel, settle

MAX_HELD = 2**20
"""Bytes that are kept above which nothing more is read while paused: from there on,
as long as nobody reads, neither the peer's Pings nor its death are noticed."""

_END_OF_RESPONSE = b"\r\n\r\n"


class Reading(Enum):
    """What becomes of what the socket brings; see the top of this module."""

    DIALING = 1
    OPENING = 2
    FLOWING = 3
    PAUSED = 4
    HOLDING = 5
    ENDING = 6
    OVER = 7


class _SharedBuffer(threading.local):
    """What the sockets of a thread are read into: a read is over before the next."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(MAX_INPUT))


_shared_buffer = _SharedBuffer()

_DIALING, _OPENING, _FLOWING = Reading.DIALING, Reading.OPENING, Reading.FLOWING
_PAUSED, _HOLDING = Reading.PAUSED, Reading.HOLDING
_ENDING, _OVER = Reading.ENDING, Reading.OVER


class ReceivePath(asyncio.BufferedProtocol):
    """Receives for one connection.

    Args:
        library: The library's protocol.
        sink: What to report to.
        max_size: Bytes of a message, at most; None: no limit.
        interval: Seconds between two reads while paused.

    Attributes:
        library: The same.
        last_activity: Loop time of the last byte from the peer.
    """

    __slots__ = (
        "_ahead",
        "_buffer",
        "_frames",
        "_held",
        "_interval",
        "_loop",
        "_max_size",
        "_opened",
        "_pings",
        "_reading",
        "_response",
        "_sink",
        "_tail",
        "_tcp",
        "_timer",
        "last_activity",
        "library",
    )

    _frames: FrameReader
    _opened: asyncio.Future[None]
    _response: Response
    _tcp: asyncio.Transport
    _timer: asyncio.TimerHandle

    def __init__(
        self,
        library: ClientProtocol,
        sink: TransportSink,
        *,
        max_size: int | None,
        interval: float,
    ) -> None:
        self.library = library
        self._sink = sink
        self._max_size = max_size
        self._interval = interval
        self._loop = asyncio.get_running_loop()
        self.last_activity = self._loop.time()
        self._buffer = _shared_buffer.view
        self._reading = _DIALING
        self._pings: Pings = NO_PINGS
        self._tail = b""  # the beginning of a frame, or of the end of the response
        self._held = b""  # frames that the sink does not want yet; `_tail` follows
        self._ahead: int = 0  # bytes to come of the last frame in `_held`

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket's transport."""
        self._tcp = cast("asyncio.Transport", transport)
        self._opened = self._loop.create_future()
        self._reading = _OPENING

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's guess
        """Return where the next bytes go: behind the beginning of their frame."""
        if self._reading is _FLOWING and self._frames.room:
            return self._frames.room
        if tail := self._tail:
            self._buffer[: len(tail)] = tail
            return self._buffer[len(tail) :]
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Deliver what was read, or keep it."""
        self.last_activity = self._loop.time()
        reading = self._reading
        if reading is _FLOWING and self._frames.room:
            self._frames.filled(nbytes)
            self._hand_over()
            return
        known = len(self._tail)
        data = bytes(self._buffer[: known + nbytes])
        if reading is _FLOWING or reading is _ENDING:
            self._tail = b""
            if rest := self._deliver(data):
                self._keep(rest)
        elif reading is _OPENING:
            self._read_response(data, known)
        elif reading is _PAUSED or reading is _HOLDING:
            self._tail = b""
            self._keep(data)

    def eof_received(self) -> None:
        """Note the end of the stream, behind all that came before it.

        The socket closes itself after this, and `connection_lost()` follows.
        """
        self._end_of_stream()

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the end, behind all that came before."""
        self._end_of_stream()
        cancel(self._pings)
        sink, self._sink = self._sink, DISCARD
        if sink is not DISCARD:
            sink.on_closed(self._how_it_ended(exc))

    # The opening handshake

    def _read_response(self, data: bytes, known: int) -> None:
        """Give the library its response, and no byte of the frames behind it.

        Args:
            data: What was read, behind the last bytes before it.
            known: How many of these the library has already.
        """
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

    # Delivery

    def _deliver(self, data: bytes) -> bytes:
        """Hand over batch by batch; return what is left when the sink pauses."""
        frames, at = self._frames, 0
        while True:
            at = frames.read(data, at)
            self._hand_over()
            if frames.progress is not Progress.FULL or self._reading is _OVER:
                break
            if self._reading is _PAUSED:
                return data[at:]
        if self._reading is not _OVER:
            self._tail = data[at:] + self._tail
        return b""

    def _hand_over(self) -> None:
        """Report what the reader of frames has met."""
        frames = self._frames
        self._send_data()
        if frames.pongs is not NO_PONGS:
            for payload in frames.pongs:
                settle(self._loop, self._pings, payload)
            frames.pongs = NO_PONGS
        if frames.messages:
            messages, frames.messages = frames.messages, NO_MESSAGES
            self._sink.on_messages(messages, frames.size)
        if frames.progress is Progress.OVER:
            self._reading = _OVER
            if frames.close is not None:
                self._sink.on_closing(frames.close)

    def _send_data(self) -> None:
        """Write what the library wants to be sent."""
        for data in self.library.data_to_send():
            if data and not self._tcp.is_closing():
                self._tcp.write(data)

    # While the sink has paused

    def pause_reading(self) -> None:
        """Deliver nothing after the batch that is being delivered.

        The socket itself is paused when the next data frame comes. Now and then it is
        read all the same, so that the peer's Pings are answered and its end is seen.
        Where it ends, what is held back is delivered at once, and `on_closed` follows.
        """
        if self._reading is _FLOWING:
            self._reading = _PAUSED

    def resume_reading(self) -> None:
        """Deliver what is held back, before this returns, and read on.

        The sink may pause again meanwhile. `on_closing` too may come from in here.
        """
        before = self._reading
        if before is not _PAUSED and before is not _HOLDING:
            return
        self._reading = _FLOWING
        if self._held:
            held, self._held = self._held, b""
            self._held = self._deliver(held)
        if before is _HOLDING:
            if self._held:
                self._reading = _HOLDING
            else:
                self._read_socket()

    def _keep(self, data: bytes) -> None:
        """Keep what the sink does not want; act on the control frames in it."""
        ahead = self._ahead if self._held else self._frames.unfinished
        found = set_aside(data, ahead)
        self._held += found.kept
        self._tail, self._ahead = found.tail, found.ahead
        for opcode, payload in found.controls:
            if opcode is Opcode.PONG:
                settle(self._loop, self._pings, payload)
            elif self.library.state is OPEN:
                self.library.send_pong(payload)
        self._send_data()
        if found.ends:
            self._deliver_late()
        elif self._held and self._reading is _PAUSED:
            self._hold()

    def _hold(self) -> None:
        """Read nothing for an interval."""
        self._reading = _HOLDING
        self._timer = self._loop.call_later(self._interval, self._read_while_paused)
        self._tcp.pause_reading()

    def _read_while_paused(self) -> None:
        """Read until the next data frame comes."""
        if len(self._held) < MAX_HELD:
            self._reading = _PAUSED
            self._tcp.resume_reading()

    def _read_socket(self) -> None:
        """Read it again."""
        self._timer.cancel()
        self._tcp.resume_reading()

    # The end

    def _deliver_late(self) -> None:
        """Deliver what is held back although the sink has paused: the end is here."""
        before, self._reading = self._reading, _ENDING
        data, self._held, self._tail = self._held + self._tail, b"", b""
        if data:
            self._sink = LateDelivery(self._sink)
            self._deliver(data)
        if before is _HOLDING:
            self._read_socket()

    def _end_of_stream(self) -> None:
        """Let the library know that nothing comes any more."""
        if self._reading is _PAUSED or self._reading is _HOLDING:
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
