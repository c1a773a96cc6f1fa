"""Delivers batches to the sink, and holds data back while the sink has paused.

Theory of operation. `ReadState` decides what happens to the data of a read:

    CONNECTING     The transport is not connected yet. Data that TLS delivers early is
                   kept until it is.
    HANDSHAKE      The data belongs to the response to the opening handshake.
    ACTIVE         Batches are delivered as they arrive.
    PAUSED         The sink has paused. The socket is read until a data frame arrives.
    SOCKET_PAUSED  Data frames are held back, and the socket is not read.
    PEER_CLOSED    The peer has closed. Data that was held back is delivered.
    CLOSED         Data is discarded.

A pause takes effect between batches. It is lazy: the socket is touched only when a read
brings data frames after the pause, so a reader that keeps up costs no system call. The
bytes that are held back are neither parsed nor inflated.

asyncio reports nothing about a socket that is not read: no FIN, no reset and no Ping. A
peer with a keepalive of its own would take us for dead. Therefore a paused connection
reads once in every interval until the next data frame (`SOCKET_PAUSED` becomes
`PAUSED`), and control frames are taken out of that data: Pings are answered, and Pongs
resolve our Pings. Once the peer's Close or the end of TCP is seen, the pause is void.
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
from ws_vm.frame_scanner import extract_control_frames
from ws_vm.late_delivery import LateDelivery
from ws_vm.pings import resolve_pings
from ws_vm.sender import Sender

MAX_HELD = 2**20
"""The most bytes that are held back. Above this limit a paused connection is not read
at all, and notices neither the peer's Pings nor its death until the sink resumes."""

POLL_INTERVAL = 20.0
"""Seconds between two reads while paused, if no heartbeat is configured.

With a heartbeat its interval is used, so that a Pong is seen in time.
"""


class ReadState(Enum):
    """What happens to the data of a read; see the docstring of the module."""

    CONNECTING = 1
    HANDSHAKE = 2
    ACTIVE = 3
    PAUSED = 4
    SOCKET_PAUSED = 5
    PEER_CLOSED = 6
    CLOSED = 7


# These are read for each batch, and a global costs less than a member of an Enum.
_ACTIVE, _PAUSED = ReadState.ACTIVE, ReadState.PAUSED
_SOCKET_PAUSED = ReadState.SOCKET_PAUSED
_PEER_CLOSED, _CLOSED = ReadState.PEER_CLOSED, ReadState.CLOSED


class Delivery(Sender):
    """Delivers the messages of one connection to its sink.

    Args:
        library: The library's protocol.
        options: The options of the client.
        sink: The object that is called with messages, and with the end.
    """

    __slots__ = (
        "_held",
        "_held_missing",
        "_options",
        "_partial",
        "_read_state",
        "_sink",
        "_timer",
    )

    _timer: asyncio.TimerHandle

    def __init__(
        self, library: ClientProtocol, options: WebSocketOptions, sink: TransportSink
    ) -> None:
        super().__init__(library)
        self._options = options
        self._sink = sink
        self._read_state = ReadState.CONNECTING
        # The beginning of a frame, or the last bytes of an incomplete response.
        self._partial = b""
        # Frames that are held back during a pause. `_partial` follows them.
        self._held = b""
        # How many bytes of the last frame in `_held` are still to be received.
        self._held_missing: int = 0

    def _deliver(self, data: bytes) -> bytes:
        """Deliver data batch by batch, until it is used up or the sink pauses.

        Returns:
            The rest of the data, if the sink has paused; otherwise nothing.
        """
        frames, at = self._frames, 0
        while True:
            at = frames.read(data, at)
            # Pongs leave before the messages are delivered: an answer to a Ping must
            # not wait for what the program does with messages.
            self._send_data()
            if frames.pongs:
                for payload in frames.pongs:
                    resolve_pings(self._loop, self._pings, payload)
                frames.pongs.clear()
            if frames.messages:
                # The sink keeps the list, so the reader gets a new one.
                messages, frames.messages = frames.messages, []
                self._sink.on_messages(messages, frames.size)
            if frames.batch_end is BatchEnd.CLOSED:
                self._read_state = _CLOSED
                if frames.close is not None:
                    self._sink.on_closing(frames.close)
            # The sink may have called abort() or pause_reading(), or may have resumed
            # already: so the state is read anew after each batch.
            if self._read_state is _CLOSED:
                return b""
            if frames.batch_end is BatchEnd.NEED_DATA:
                self._partial = data[at:] + self._partial
                return b""
            if self._read_state is _PAUSED:
                return data[at:]

    # While the sink has paused

    def pause_reading(self) -> None:
        """Deliver nothing after the current batch.

        The socket itself is paused when the next data frame arrives. It is still read
        from time to time, so that the peer's Pings are answered and its end is seen.
        When the connection ends, what is held back is delivered at once, and
        `on_closed` follows.
        """
        if self._read_state is _ACTIVE:
            self._read_state = _PAUSED

    def resume_reading(self) -> None:
        """Deliver what is held back, and read the socket again.

        Messages, and `on_closing`, are delivered before this method returns. The sink
        may pause again meanwhile.
        """
        before = self._read_state
        if before is not _PAUSED and before is not _SOCKET_PAUSED:
            return
        self._read_state = _ACTIVE
        # `_deliver()` calls the sink, which may call this method again. `_held` is
        # emptied before, so that nothing is delivered twice.
        if self._held:
            held, self._held = self._held, b""
            self._held = self._deliver(held)
        if before is _SOCKET_PAUSED:
            # A sink that takes one batch after the other must not restart the timer
            # each time: then the socket would never be read.
            if self._held:
                self._read_state = _SOCKET_PAUSED
            else:
                self._resume_socket()

    def _hold_back(self, data: bytes) -> None:
        """Hold data back during a pause, and act on the control frames in it."""
        missing = self._held_missing if self._held else self._frames.missing_bytes
        found = extract_control_frames(data, missing)
        # Only data frames are held back: a Ping must be answered, and a Close must be
        # noticed at any time.
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
        """Stop reading the socket for an interval."""
        heartbeat = self._options.heartbeat
        interval = POLL_INTERVAL if heartbeat is None else seconds(heartbeat.interval)
        self._read_state = _SOCKET_PAUSED
        self._timer = self._loop.call_later(interval, self._poll_socket)
        self._tcp.pause_reading()

    def _poll_socket(self) -> None:
        """Read the socket until the next data frame arrives."""
        if len(self._held) < MAX_HELD:
            self._read_state = _PAUSED
            self._tcp.resume_reading()

    def _resume_socket(self) -> None:
        """Read the socket again, without waiting for the interval to end."""
        self._timer.cancel()
        self._tcp.resume_reading()

    def _deliver_late(self) -> None:
        """Deliver what is held back although the sink has paused.

        The connection has ended, or is about to. Waiting for a reader that is stuck
        would keep the client believing that it is connected.
        """
        before, self._read_state = self._read_state, _PEER_CLOSED
        data, self._held, self._partial = self._held + self._partial, b"", b""
        if data:
            self._sink = LateDelivery(self._sink)
            self._deliver(data)
        if before is _SOCKET_PAUSED:
            self._resume_socket()
