"""The sending side of a connection: messages, Pings, Pongs and the Close.

Plain frames are built in `ws_vm.frame_writer`. The library builds compressed frames and
control frames, and it keeps the state of the closing handshake.
"""

import asyncio

from websockets.client import ClientProtocol
from websockets.exceptions import ProtocolError
from websockets.frames import Opcode
from websockets.protocol import OPEN

from ws_common.vocabulary.errors import WSInvalidCloseError
from ws_common.vocabulary.messages import Data
from ws_vm.close_info import closed_error
from ws_vm.frame_reader import FrameReader
from ws_vm.frame_scanner import BINARY, FIN, TEXT
from ws_vm.frame_writer import build_frame
from ws_vm.pings import NO_PINGS, Pings, new_ping

_MIN_SEPARATE_WRITE = 64 * 1024
"""The size of a payload, in bytes, from which a second write is cheaper than a copy."""

MAX_PONG_BYTES = 64 * 1024
"""The most bytes of Pongs that may wait in the send buffer: at least 500 of them."""

_PONG = FIN | Opcode.PONG


class Sender(asyncio.BufferedProtocol):
    """Sends the frames of one connection.

    This is a base class of the transport and not an attribute of it, so that `send()`
    of the transport is one Python call.

    Args:
        library: The library's protocol.

    Attributes:
        library: The library's protocol.
    """

    __slots__ = (
        "_frames",
        "_loop",
        "_lower_transports",
        "_pings",
        "_pong_bytes",
        "_tcp",
        "library",
    )

    _frames: FrameReader
    _tcp: asyncio.Transport

    def __init__(self, library: ClientProtocol) -> None:
        self.library = library
        self._loop = asyncio.get_running_loop()
        self._lower_transports: tuple[asyncio.WriteTransport, ...] = ()
        self._pings: Pings = NO_PINGS
        # An upper bound for the bytes of Pongs in the send buffer.
        self._pong_bytes = 0

    @property
    def _can_send(self) -> bool:
        """Whether a message can be sent. A socket that is closing would drop it."""
        return self.library.state is OPEN and not self._tcp.is_closing()

    def send(self, data: Data, *, text: bool) -> None:
        """Send one message.

        Args:
            data: The message.
            text: Whether to send it as text. `bytes` must then be UTF-8.

        Raises:
            WSConnectionClosedError: The connection is closing or lost.
        """
        if not self._can_send:
            raise closed_error(self._frames.close_info())
        payload = data.encode() if isinstance(data, str) else data
        # The library compresses messages. For plain ones it would take three times as
        # long as `build_frame()`.
        if self.library.extensions:
            send = self.library.send_text if text else self.library.send_binary
            send(payload)
            self._send_data()
            return
        header, masked = build_frame(TEXT if text else BINARY, payload)
        # Two small writes would be two system calls, and with TCP_NODELAY, which
        # asyncio sets, two segments.
        if len(masked) < _MIN_SEPARATE_WRITE:
            self._tcp.write(header + masked)
        else:
            self._tcp.write(header)
            self._tcp.write(masked)

    def ping(self) -> asyncio.Future[float]:
        """Send a Ping.

        Returns:
            A future of the round trip in seconds. It is cancelled when the connection
            ends first. A caller may cancel it.

        Raises:
            WSConnectionClosedError: The connection is closing or lost.
        """
        if not self._can_send:
            raise closed_error(self._frames.close_info())
        self._pings = self._pings or {}  # never change NO_PINGS, which all share
        payload, future = new_ping(self._loop, self._pings)
        self.library.send_ping(payload)
        self._send_data()
        return future

    def close(self, code: int | None, reason: str | None) -> None:
        """Begin the closing handshake, unless a Close was sent or received already.

        Args:
            code: The close code; None for a Close without one.
            reason: The reason, at most 123 bytes in UTF-8.

        Raises:
            WSInvalidCloseError: The code or the reason must not be sent.
        """
        # A Close must be sent once only (RFC 6455 section 5.5.1).
        if not self._can_send:
            return
        try:
            # Without a code there can be no reason (RFC 6455 section 5.5.1).
            self.library.send_close(code, (reason or "") if code is not None else "")
        except ProtocolError as error:
            raise WSInvalidCloseError(str(error)) from error
        self._send_data()

    def _send_data(self) -> None:
        """Write the frames that the library has produced."""
        for data in self.library.data_to_send():
            if (
                data
                and not self._tcp.is_closing()
                and not self._exceeds_pong_limit(data)
            ):
                self._tcp.write(data)

    def _exceeds_pong_limit(self, data: bytes) -> bool:
        """Return whether this is a Pong for which the send buffer has no room.

        A peer that sent Pings as fast as it could and read nothing had us buffer 7 MB
        of Pongs within 2.5 s. Not every Ping has to be answered: a Pong for the latest
        one is enough (RFC 6455 section 5.5.3).
        """
        if data[0] != _PONG:
            return False
        # The buffer also holds messages. There cannot be more Pongs in it than bytes.
        waiting = min(self._pong_bytes, self.buffered_amount)
        if waiting > MAX_PONG_BYTES:
            return True
        self._pong_bytes = waiting + len(data)
        return False

    def set_lower_transports(self, *transports: asyncio.WriteTransport) -> None:
        """Name the transports below the connection, whose buffers count as well.

        Over TLS the encrypted bytes wait in the buffer of the TCP transport.
        """
        self._lower_transports = transports

    @property
    def buffered_amount(self) -> int:
        """How many bytes the operating system has not taken yet, in all layers."""
        amount = self._tcp.get_write_buffer_size()
        for transport in self._lower_transports:
            amount += transport.get_write_buffer_size()
        return amount
