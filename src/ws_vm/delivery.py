"""Delivery to the sink, batch by batch, and what happens while it has paused.

Theory of operation. What `ReadState` says decides what happens to a read:

    CONNECTING     there is no socket yet; what TLS brings early is kept
    HANDSHAKE      the server's response is awaited; it goes to the library
    ACTIVE         batches are delivered as they come
    PAUSED         the sink wants none; the socket is read until something must be kept
    SOCKET_PAUSED  something is kept, and the socket is not read
    PEER_CLOSED    the peer's end is here: what is kept is delivered, paused or not
    CLOSED         what comes is discarded

A pause takes effect between batches, and lazily: nothing touches the socket until a
read brings data frames, so that a reader that keeps up costs no system call. What is
kept then are the bytes as they came, not parsed and not inflated.

asyncio reports nothing of a socket that is not read: no FIN, no reset, and no Ping, so
that a peer with a keepalive of its own takes us for dead. So in every interval a
paused connection reads on until the next data frame (`SOCKET_PAUSED` becomes
`PAUSED`), and what came is searched for control frames: Pings are answered, Pongs
count. As soon as the peer's Close or the end of TCP is seen, no pause holds any more.
"""

import asyncio
from enum import Enum

from websockets.client import ClientProtocol
from websockets.frames import Opcode
from websockets.protocol import OPEN

from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.durations import seconds
from ws_common.vocabulary.transport import TransportSink
from ws_vm.frame_parser import BatchEnd
from ws_vm.frame_reader import FrameReader
from ws_vm.frame_scanner import FIN, extract_control_frames
from ws_vm.late_delivery import LateDelivery
from ws_vm.pings import NO_PINGS, Pings, resolve_pings

MAX_HELD = 2**20
"""Bytes that are kept above which nothing more is read while paused: from there on,
as long as nobody reads, neither the peer's Pings nor its death are noticed."""

POLL_INTERVAL = 20.0
"""Seconds between two reads while paused, where there is no heartbeat to ask."""

MAX_PONG_BYTES = 64 * 1024
"""Bytes of Pongs that may wait to be sent; no honest peer needs 500 of them at once."""

_PONG = FIN | Opcode.PONG


class ReadState(Enum):
    """What becomes of what the socket brings; see the top of this module."""

    CONNECTING = 1
    HANDSHAKE = 2
    ACTIVE = 3
    PAUSED = 4
    SOCKET_PAUSED = 5
    PEER_CLOSED = 6
    CLOSED = 7


_ACTIVE, _PAUSED = ReadState.ACTIVE, ReadState.PAUSED
_SOCKET_PAUSED = ReadState.SOCKET_PAUSED
_PEER_CLOSED, _CLOSED = ReadState.PEER_CLOSED, ReadState.CLOSED


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
        "_frames",
        "_held",
        "_held_missing",
        "_loop",
        "_lower_transports",
        "_options",
        "_partial",
        "_pings",
        "_pong_bytes",
        "_read_state",
        "_sink",
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
        self._read_state = ReadState.CONNECTING
        self._lower_transports: tuple[asyncio.WriteTransport, ...] = ()
        self._pings: Pings = NO_PINGS
        self._pong_bytes = 0  # of those that the peer has not taken, at most
        self._partial = b""  # the beginning of a frame, or of the end of the response
        self._held = b""  # frames that the sink does not want yet; `_partial` follows
        self._held_missing: int = 0  # bytes to come of the last frame in `_held`

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
            if frames.batch_end is BatchEnd.CLOSED:
                self._read_state = _CLOSED
                if frames.close is not None:
                    self._sink.on_closing(frames.close)
            if self._read_state is _CLOSED:
                return b""
            if frames.batch_end is BatchEnd.NEED_DATA:
                self._partial = data[at:] + self._partial
                return b""
            if self._read_state is _PAUSED:
                return data[at:]

    def _send_data(self) -> None:
        """Write what the library wants to be sent."""
        for data in self.library.data_to_send():
            if (
                data
                and not self._tcp.is_closing()
                and not self._exceeds_pong_limit(data)
            ):
                self._tcp.write(data)

    def _exceeds_pong_limit(self, data: bytes) -> bool:
        """Whether it is a Pong for a peer that pings and does not read.

        Not every Ping has to be answered (RFC 6455 section 5.5.3).
        """
        if data[0] != _PONG:
            return False
        waiting = min(self._pong_bytes, self.buffered_amount)
        if waiting > MAX_PONG_BYTES:
            return True
        self._pong_bytes = waiting + len(data)
        return False

    def set_lower_transports(self, *transports: asyncio.WriteTransport) -> None:
        """Count the buffers of these, too: what TLS has encrypted waits there."""
        self._lower_transports = transports

    @property
    def buffered_amount(self) -> int:
        """Bytes that the operating system has not taken yet, in all layers."""
        amount = self._tcp.get_write_buffer_size()
        for transport in self._lower_transports:
            amount += transport.get_write_buffer_size()
        return amount

    # While the sink has paused

    def pause_reading(self) -> None:
        """Deliver nothing after the batch that is being delivered.

        The socket itself is paused when the next data frame comes. Now and then it is
        read all the same, so that the peer's Pings are answered and its end is seen.
        Where it ends, what is held back is delivered at once, and `on_closed` follows.
        """
        if self._read_state is _ACTIVE:
            self._read_state = _PAUSED

    def resume_reading(self) -> None:
        """Deliver what is held back, before this returns, and read on.

        The sink may pause again meanwhile. `on_closing` too may come from in here.
        """
        before = self._read_state
        if before is not _PAUSED and before is not _SOCKET_PAUSED:
            return
        self._read_state = _ACTIVE
        if self._held:
            held, self._held = self._held, b""
            self._held = self._deliver(held)
        if before is _SOCKET_PAUSED:
            if self._held:
                self._read_state = _SOCKET_PAUSED
            else:
                self._resume_socket()

    def _hold_back(self, data: bytes) -> None:
        """Keep what the sink does not want; act on the control frames in it."""
        missing = self._held_missing if self._held else self._frames.missing_bytes
        found = extract_control_frames(data, missing)
        self._held += found.kept
        self._partial, self._held_missing = found.partial, found.missing
        for opcode, payload in found.controls:
            if opcode is Opcode.PONG:
                resolve_pings(self._loop, self._pings, payload)
            elif self.library.state is OPEN:
                self.library.send_pong(payload)
        self._send_data()
        if found.closes:
            self._deliver_late()
        elif self._held and self._read_state is _PAUSED:
            self._pause_socket()

    def _pause_socket(self) -> None:
        """Leave the socket unread for an interval."""
        heartbeat = self._options.heartbeat
        interval = POLL_INTERVAL if heartbeat is None else seconds(heartbeat.interval)
        self._read_state = _SOCKET_PAUSED
        self._timer = self._loop.call_later(interval, self._poll_socket)
        self._tcp.pause_reading()

    def _poll_socket(self) -> None:
        """Read until the next data frame comes."""
        if len(self._held) < MAX_HELD:
            self._read_state = _PAUSED
            self._tcp.resume_reading()

    def _resume_socket(self) -> None:
        """Read it again."""
        self._timer.cancel()
        self._tcp.resume_reading()

    def _deliver_late(self) -> None:
        """Deliver what is held back although the sink has paused: the end is here."""
        before, self._read_state = self._read_state, _PEER_CLOSED
        data, self._held, self._partial = self._held + self._partial, b"", b""
        if data:
            self._sink = LateDelivery(self._sink)
            self._deliver(data)
        if before is _SOCKET_PAUSED:
            self._resume_socket()
