"""The native `Transport`: a thin face over an `Engine`.

A class of its own, because the library's connection has coroutines under the names
`send`, `ping` and `close`.
"""

import asyncio
from typing import TYPE_CHECKING

from websockets.exceptions import ProtocolError

from ws_common.errors import WSInvalidCloseError
from ws_common.messages import Data
from ws_common.transport import Handshake, Transport
from ws_vm.engine import Engine
from ws_vm.headers import plain_headers


class VmTransport:
    """One open socket."""

    __slots__ = ("_engine", "_handshake", "_protocol", "_tcp")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._protocol = engine.protocol
        self._tcp = engine.transport
        response = engine.response
        headers = plain_headers(response.headers) if response else {}
        self._handshake = Handshake(
            status=response.status_code if response else None,
            headers=headers,
            extensions=headers.get("sec-websocket-extensions", ""),
            peer=engine.remote_address,
        )

    @property
    def protocol(self) -> str | None:
        """The subprotocol that the server picked."""
        return self._protocol.subprotocol

    @property
    def handshake(self) -> Handshake:
        """What the server answered."""
        return self._handshake

    @property
    def buffered_amount(self) -> int:
        """Bytes that the operating system has not taken yet."""
        return self._tcp.get_write_buffer_size()

    @property
    def last_activity(self) -> float:
        """Loop time of the last byte from the peer."""
        return self._engine.last_activity

    @property
    def can_pause(self) -> bool:
        """Always: the socket is not read meanwhile."""
        return True

    def send(self, data: Data, *, text: bool) -> None:
        """Write one message.

        Raises:
            WSConnectionClosedError: The connection is closing or lost.
        """
        if not self._engine.can_send:
            raise self._engine.ending.error()
        payload = data.encode() if isinstance(data, str) else data
        if text:
            self._protocol.send_text(payload)
        else:
            self._protocol.send_binary(payload)
        self._engine.send_data()

    def pause_reading(self) -> None:
        """Stop reading; what one read has brought is held back too.

        Now and then the socket is read all the same, so that the peer's Pings are
        answered and its end is seen (`ws_vm.sips`). Where it ends, everything that
        is held back is delivered at once, and `on_closed` follows.
        """
        self._engine.pause_reading()

    def resume_reading(self) -> None:
        """Deliver what is held back, before this returns, and read on.

        The sink may pause again meanwhile. `on_closed` too may come from in here.
        """
        self._engine.resume_reading()

    def ping(self) -> asyncio.Future[float]:
        """Send a Ping; the future gives the round trip in seconds.

        Raises:
            WSConnectionClosedError: The connection is closing or lost.
        """
        if not self._engine.can_send:
            raise self._engine.ending.error()
        payload, future = self._engine.pings.new()
        self._protocol.send_ping(payload)
        self._engine.send_data()
        return future

    def close(self, code: int | None, reason: str | None) -> None:
        """Send a Close frame, unless one was sent or received.

        Without a code there can be no reason (RFC 6455 section 5.5.1).

        Raises:
            WSInvalidCloseError: A code or reason that may not be sent.
        """
        try:
            self._engine.begin_close(code, reason or "")
        except ProtocolError as error:
            raise WSInvalidCloseError(str(error)) from error

    def abort(self) -> None:
        """Free the socket now. No event comes after it."""
        self._engine.abort()


if TYPE_CHECKING:

    def _conforms(transport: VmTransport) -> Transport:
        return transport
