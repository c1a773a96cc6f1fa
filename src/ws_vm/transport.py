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
import threading
from typing import cast

from websockets.client import ClientProtocol
from websockets.exceptions import ProtocolError
from websockets.http11 import Request, Response
from websockets.protocol import OPEN

from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.errors import WSInvalidCloseError
from ws_common.vocabulary.messages import Data
from ws_common.vocabulary.transport import Handshake, TransportSink
from ws_vm.close_info import closed_error
from ws_vm.delivery import Delivery, ReadState
from ws_vm.frame_parser import MAX_INPUT
from ws_vm.frame_reader import FrameReader
from ws_vm.frame_scanner import BINARY, TEXT
from ws_vm.frame_writer import build_frame
from ws_vm.late_delivery import DISCARD
from ws_vm.opening_handshake import MAX_OVERLAP, OpeningHandshake, build_handshake
from ws_vm.pings import cancel_pings, new_ping

_MIN_SEPARATE_WRITE = 64 * 1024
"""Bytes of payload from which a second write costs less than one more copy."""

_HANDSHAKE, _ACTIVE, _CLOSED = ReadState.HANDSHAKE, ReadState.ACTIVE, ReadState.CLOSED
_PAUSED_STATES = ReadState.PAUSED, ReadState.SOCKET_PAUSED


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

    __slots__ = ("_buffer", "_opening_handshake", "_response", "last_activity")

    can_pause = True

    _response: Response

    def __init__(
        self,
        library: ClientProtocol,
        request: Request,
        options: WebSocketOptions,
        sink: TransportSink,
    ) -> None:
        super().__init__(library, options, sink)
        self._opening_handshake = OpeningHandshake(library, request)
        self._buffer = _shared_buffer.view
        self.last_activity = self._loop.time()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        self._tcp = cast("asyncio.Transport", transport)
        self._tcp.set_write_buffer_limits(high=self._options.write_limit)
        self._read_state = _HANDSHAKE
        self._opening_handshake.send_request()
        self._send_data()
        if first_data := self._partial:
            self._partial = b""
            self._read_response(first_data, 0)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's guess
        """Return where the next bytes go: behind the beginning of their frame."""
        if self._read_state is _ACTIVE and self._frames.large.unfilled:
            return self._frames.large.unfilled
        if tail := self._partial:
            self._buffer[: len(tail)] = tail
            return self._buffer[len(tail) :]
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Deliver what was read, or keep it."""
        self.last_activity = self._loop.time()
        state = self._read_state
        if state is _ACTIVE and (large := self._frames.large).unfilled:
            large.unfilled = large.unfilled[nbytes:]
            self._deliver(b"")
            return
        overlap = len(self._partial)
        data = bytes(self._buffer[: overlap + nbytes])
        if state is _ACTIVE or state is ReadState.PEER_CLOSED:
            self._partial = b""
            if rest := self._deliver(data):
                self._hold_back(rest)
        elif state is _HANDSHAKE:
            self._read_response(data, overlap)
        elif state in _PAUSED_STATES:
            self._hold_back(data)
        elif state is ReadState.CONNECTING:
            self._partial = data  # of a server that speaks first, with TLS 1.2

    def eof_received(self) -> None:
        """End the stream, behind all that came before it.

        The socket closes itself after this, and `connection_lost()` follows.
        """
        if self._read_state is ReadState.CONNECTING:
            return  # `connection_lost()` follows when the transport is ours
        if self._read_state in _PAUSED_STATES:
            self._deliver_late()
        self.library.receive_eof()
        if self._read_state is _HANDSHAKE:
            self._apply_response()
        self._read_state = _CLOSED
        self._partial = b""

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the end, behind all that came before."""
        self.eof_received()
        cancel_pings(self._pings)
        sink, self._sink = self._sink, DISCARD
        if sink is not DISCARD:
            sink.on_closed(self._frames.close_info(exc))

    def resume_writing(self) -> None:
        """Pass on that there is room again, in all layers."""
        if self._read_state is not _HANDSHAKE and (
            self.buffered_amount <= self._options.write_limit
        ):
            self._sink.on_writable()

    # The opening handshake

    def _read_response(self, data: bytes, overlap: int) -> None:
        """Give the handshake its response; the frames behind it are delivered.

        Args:
            data: What was read, behind the last bytes before it.
            overlap: How many of these the handshake has already.
        """
        self._partial = data[-MAX_OVERLAP:]
        end = self._opening_handshake.receive(data, overlap)
        self._apply_response()
        if self._read_state is _ACTIVE and (rest := self._deliver(data[end:])):
            self._hold_back(rest)

    def _apply_response(self) -> None:
        """See whether the handshake has come to a result."""
        if not self._opening_handshake.poll_result():
            return
        if self.library.handshake_exc is not None:
            self._read_state = _CLOSED
            self._sink = DISCARD
        else:
            self._response = self._opening_handshake.response
            self._read_state = _ACTIVE
            self._partial = b""
            self._frames = FrameReader(self.library, self._options.max_size)

    async def wait_for_handshake(self) -> None:
        """Wait for the response.

        Raises:
            InvalidHandshake: The library's: it is not what was asked for.
        """
        await self._opening_handshake.wait()
        del self._opening_handshake

    @property
    def protocol(self) -> str | None:
        """The subprotocol that the server picked."""
        return self.library.subprotocol

    @property
    def handshake(self) -> Handshake:
        """What the server answered; made when it is asked for."""
        return build_handshake(self._response, self._tcp.get_extra_info("peername"))

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
            raise closed_error(self._frames.close_info())
        payload = data.encode() if isinstance(data, str) else data
        if self.library.extensions:
            send = self.library.send_text if text else self.library.send_binary
            send(payload)
            self._send_data()
            return
        header, masked = build_frame(TEXT if text else BINARY, payload)
        if len(masked) < _MIN_SEPARATE_WRITE:
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
            raise closed_error(self._frames.close_info())
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
        before, self._read_state = self._read_state, ReadState.CLOSED
        self._held = self._partial = b""
        if before is ReadState.SOCKET_PAUSED:
            self._timer.cancel()
        if before is not ReadState.CONNECTING:
            self._tcp.abort()
