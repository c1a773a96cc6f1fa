"""The native `Transport`, which is also the asyncio protocol of its socket.

Theory of operation. asyncio reads into a buffer that all connections of a thread share,
or into the memory of a large message. `FrameReader` makes batches of the data, and the
sink is called once for each batch (`ws_vm.delivery`). Before that, the data belongs to
the response to the opening handshake (`ws_vm.opening_handshake`).

What is sent does not pass through here, but through `ws_vm.sender`.
"""

import asyncio
import threading
from typing import cast

from websockets.client import ClientProtocol
from websockets.http11 import Request, Response

from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.transport import Handshake, TransportSink
from ws_vm.delivery import Delivery, ReadState
from ws_vm.frame_parser import MAX_INPUT
from ws_vm.frame_reader import FrameReader
from ws_vm.late_delivery import DISCARD
from ws_vm.opening_handshake import MAX_OVERLAP, OpeningHandshake, build_handshake
from ws_vm.pings import cancel_pings

_HANDSHAKE, _ACTIVE, _CLOSED = ReadState.HANDSHAKE, ReadState.ACTIVE, ReadState.CLOSED
_PAUSED_STATES = ReadState.PAUSED, ReadState.SOCKET_PAUSED


class _SharedBuffer(threading.local):
    """The buffer into which the sockets of a thread are read.

    One is enough for all connections, since asyncio calls `buffer_updated()` before it
    reads the next socket. 64 KiB for each would be ten times what a connection needs.
    """

    def __init__(self) -> None:
        self.view = memoryview(bytearray(MAX_INPUT))


_shared_buffer = _SharedBuffer()


class VmTransport(Delivery):
    """One connection.

    Args:
        library: The library's protocol.
        request: The request of the opening handshake.
        options: The options of the client.
        sink: The object that is called with messages, and with the end.

    Attributes:
        last_activity: The loop time at which the last byte was received.
        can_pause: Always True: a paused connection stops reading its socket.
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
        """Send the request.

        Args:
            transport: The uppermost transport: TLS if it is used, else TCP.
        """
        self._tcp = cast("asyncio.Transport", transport)
        self._tcp.set_write_buffer_limits(high=self._options.write_limit)
        self._read_state = _HANDSHAKE
        self._opening_handshake.send_request()
        self._send_data()
        # With TLS 1.2 the first bytes of the server may arrive in the flight that ends
        # the handshake of TLS, before this method is called.
        if first_data := self._partial:
            self._partial = b""
            self._read_response(first_data, 0)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's guess
        """Return the memory for the next read.

        Args:
            sizehint: What asyncio recommends. It is -1, which means no recommendation.
        """
        if self._read_state is _ACTIVE and self._frames.large.unfilled:
            return self._frames.large.unfilled
        # The beginning of a frame is put in front of the rest, so that the frame is
        # whole in `buffer_updated()` without another copy.
        if tail := self._partial:
            self._buffer[: len(tail)] = tail
            return self._buffer[len(tail) :]
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Deliver what was read, or hold it back.

        Args:
            nbytes: How many bytes were read.
        """
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
            self._partial = data  # kept for connection_made(); see there

    def eof_received(self) -> None:
        """Note the end of the stream, after everything that came before it.

        asyncio closes the socket after this, and calls `connection_lost()`.
        """
        if self._read_state is ReadState.CONNECTING:
            return  # connection_made() reads the data first; then the end is reported
        if self._read_state in _PAUSED_STATES:
            self._deliver_late()
        self.library.receive_eof()
        if self._read_state is _HANDSHAKE:
            self._apply_response()
        self._read_state = _CLOSED
        self._partial = b""

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the end, after everything that came before it.

        Args:
            exc: The error of the network; None after a FIN or our own close.
        """
        self.eof_received()  # asyncio does not call it after a reset
        cancel_pings(self._pings)
        # on_closed is called once, whatever it does, and not after abort().
        sink, self._sink = self._sink, DISCARD
        if sink is not DISCARD:
            sink.on_closed(self._frames.close_info(exc))

    def resume_writing(self) -> None:
        """Report that the send buffers of all layers have room again."""
        if self._read_state is not _HANDSHAKE and (
            self.buffered_amount <= self._options.write_limit
        ):
            self._sink.on_writable()

    # The opening handshake

    def _read_response(self, data: bytes, overlap: int) -> None:
        """Pass data to the opening handshake, and deliver the frames behind it.

        Args:
            data: The last bytes of the previous read, and then those of this one.
            overlap: How many bytes of the previous read these are.
        """
        self._partial = data[-MAX_OVERLAP:]
        end = self._opening_handshake.receive(data, overlap)
        self._apply_response()
        if self._read_state is _ACTIVE and (rest := self._deliver(data[end:])):
            self._hold_back(rest)

    def _apply_response(self) -> None:
        """Continue after the opening handshake, if it has succeeded or failed."""
        if not self._opening_handshake.poll_result():
            return
        if self.library.handshake_exc is not None:
            # A refused connection has never been open, so the sink hears nothing. The
            # error is raised by wait_for_handshake().
            self._read_state = _CLOSED
            self._sink = DISCARD
        else:
            self._response = self._opening_handshake.response
            self._read_state = _ACTIVE
            self._partial = b""
            self._frames = FrameReader(self.library, self._options.max_size)

    async def wait_for_handshake(self) -> None:
        """Wait for the end of the opening handshake.

        Cancelling it leaves the connection as it is; the caller has to abort it.

        Raises:
            InvalidHandshake: The server refused, or its response is invalid.
        """
        await self._opening_handshake.wait()
        # It holds the request, whose headers may contain credentials.
        del self._opening_handshake

    @property
    def protocol(self) -> str | None:
        """The subprotocol that the server has selected; None for none."""
        return self.library.subprotocol

    @property
    def handshake(self) -> Handshake:
        """The facts of the server's response.

        They are made on demand, as most programs never ask for them.
        """
        return build_handshake(self._response, self._tcp.get_extra_info("peername"))

    # The end

    def abort(self) -> None:
        """Close the socket at once. The sink is not called any more."""
        self._sink = DISCARD
        before, self._read_state = self._read_state, ReadState.CLOSED
        self._held = self._partial = b""
        if before is ReadState.SOCKET_PAUSED:
            self._timer.cancel()
        # Before connection_made() there is no transport: the coroutine that connects
        # owns the socket, and closes it when it is cancelled.
        if before is not ReadState.CONNECTING:
            self._tcp.abort()
