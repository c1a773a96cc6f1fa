"""Delivery to the sink, batch by batch, and what happens while it has paused.

Theory of operation. What `Reading` says decides what happens to a read:

    DIALING   there is no socket yet; what TLS brings early is kept
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
from enum import Enum

from websockets.client import ClientProtocol
from websockets.frames import Opcode
from websockets.protocol import OPEN

from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.durations import seconds
from ws_common.vocabulary.transport import TransportSink
from ws_vm.frame_parser import Progress
from ws_vm.frame_reader import FrameReader
from ws_vm.frame_scanner import FIN, set_aside
from ws_vm.late_delivery import LateDelivery
from ws_vm.pings import NO_PINGS, Pings, resolve_pings

MAX_HELD = 2**20
"""Bytes that are kept above which nothing more is read while paused: from there on,
as long as nobody reads, neither the peer's Pings nor its death are noticed."""

INTERVAL = 20.0
"""Seconds between two reads while paused, where there is no heartbeat to ask."""

MAX_PONGS = 64 * 1024
"""Bytes of Pongs that may wait to be sent; no honest peer needs 500 of them at once."""

_PONG = FIN | Opcode.PONG


class Reading(Enum):
    """What becomes of what the socket brings; see the top of this module."""

    DIALING = 1
    OPENING = 2
    FLOWING = 3
    PAUSED = 4
    HOLDING = 5
    ENDING = 6
    OVER = 7


_FLOWING, _PAUSED, _HOLDING = Reading.FLOWING, Reading.PAUSED, Reading.HOLDING
_ENDING, _OVER = Reading.ENDING, Reading.OVER


class Delivery(asyncio.BufferedProtocol):
    """Delivers what one connection has read.

    Args:
        library: The library's protocol.
        options: The client's.
        sink: What to report to.

    Attributes:
        library: The same.
    """

    __slots__ = (
        "_ahead",
        "_beneath",
        "_frames",
        "_held",
        "_loop",
        "_options",
        "_pings",
        "_pong_bytes",
        "_reading",
        "_sink",
        "_tail",
        "_tcp",
        "_timer",
        "library",
    )

    _frames: FrameReader
    _tcp: asyncio.Transport
    _timer: asyncio.TimerHandle

    def __init__(
        self, library: ClientProtocol, options: WebSocketOptions, sink: TransportSink
    ) -> None:
        self.library = library
        self._options = options
        self._sink = sink
        self._loop = asyncio.get_running_loop()
        self._reading = Reading.DIALING
        self._beneath: tuple[asyncio.WriteTransport, ...] = ()
        self._pings: Pings = NO_PINGS
        self._pong_bytes = 0  # of those that the peer has not taken, at most
        self._tail = b""  # the beginning of a frame, or of the end of the response
        self._held = b""  # frames that the sink does not want yet; `_tail` follows
        self._ahead: int = 0  # bytes to come of the last frame in `_held`

    def _deliver(self, data: bytes) -> bytes:
        """Hand over batch by batch; return what is left when the sink pauses."""
        frames, at = self._frames, 0
        while True:
            at = frames.read(data, at)
            self._send_data()
            if frames.pongs:
                for payload in frames.pongs:
                    resolve_pings(self._loop, self._pings, payload)
                frames.pongs.clear()
            if frames.messages:
                messages, frames.messages = frames.messages, []
                self._sink.on_messages(messages, frames.size)
            if frames.progress is Progress.OVER:
                self._reading = _OVER
                if frames.close is not None:
                    self._sink.on_closing(frames.close)
            if self._reading is _OVER:
                return b""
            if frames.progress is Progress.DRY:
                self._tail = data[at:] + self._tail
                return b""
            if self._reading is _PAUSED:
                return data[at:]

    def _send_data(self) -> None:
        """Write what the library wants to be sent."""
        for data in self.library.data_to_send():
            if data and not self._tcp.is_closing() and not self._is_too_much(data):
                self._tcp.write(data)

    def _is_too_much(self, data: bytes) -> bool:
        """Whether it is a Pong for a peer that pings and does not read.

        Not every Ping has to be answered (RFC 6455 section 5.5.3).
        """
        if data[0] != _PONG:
            return False
        waiting = min(self._pong_bytes, self.buffered_amount)
        if waiting > MAX_PONGS:
            return True
        self._pong_bytes = waiting + len(data)
        return False

    def lie_above(self, *transports: asyncio.WriteTransport) -> None:
        """Count the buffers of these, too: what TLS has encrypted waits there."""
        self._beneath = transports

    @property
    def buffered_amount(self) -> int:
        """Bytes that the operating system has not taken yet, in all layers."""
        amount = self._tcp.get_write_buffer_size()
        for transport in self._beneath:
            amount += transport.get_write_buffer_size()
        return amount

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
                resolve_pings(self._loop, self._pings, payload)
            elif self.library.state is OPEN:
                self.library.send_pong(payload)
        self._send_data()
        if found.ends:
            self._deliver_late()
        elif self._held and self._reading is _PAUSED:
            self._hold()

    def _hold(self) -> None:
        """Leave the socket unread for an interval."""
        heartbeat = self._options.heartbeat
        interval = INTERVAL if heartbeat is None else seconds(heartbeat.interval)
        self._reading = _HOLDING
        self._timer = self._loop.call_later(interval, self._read_while_paused)
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

    def _deliver_late(self) -> None:
        """Deliver what is held back although the sink has paused: the end is here."""
        before, self._reading = self._reading, _ENDING
        data, self._held, self._tail = self._held + self._tail, b"", b""
        if data:
            self._sink = LateDelivery(self._sink)
            self._deliver(data)
        if before is _HOLDING:
            self._read_socket()
