"""The sending half of a connection: the target of the send queue.

A base class of the connection and not an object of its own: every message passes
`send()`, and a method that only forwards would cost one more call for each.
"""

import asyncio
from collections.abc import Awaitable
from typing import Final

from ws_common.connection.confirmations import Confirmations
from ws_common.connection.connection_table import Phase, State
from ws_common.connection.write_buffer import WriteBuffer
from ws_common.diagnostics.metrics import Counters
from ws_common.lifecycle.state_machine import MachineDriver
from ws_common.vocabulary.clock import Clock
from ws_common.vocabulary.errors import WSConnectionClosedError
from ws_common.vocabulary.messages import Data
from ws_common.vocabulary.transport import NO_TRANSPORT, CloseInfo

_OVER: Final = (Phase.CLOSED, Phase.ABANDONED)
_LOST: Final = CloseInfo(code=1006)


class ConnectionWriter:
    """Hand messages over to a transport, and count them.

    Args:
        driver: Holds the state of the connection.
        write_buffer: Tells when the send buffer is above the limit.
        counters: The counters of the client.
        clock: The clock of the client.

    Attributes:
        transport: The transport; before `attach()` one that refuses every message.
        confirmations: How many messages have arrived, as far as that is known.
    """

    __slots__ = ("_clock", "_driver", "_write_buffer", "confirmations", "transport")

    def __init__(
        self,
        driver: MachineDriver[State],
        write_buffer: WriteBuffer,
        counters: Counters,
        clock: Clock,
    ) -> None:
        self.transport = NO_TRANSPORT
        self.confirmations = Confirmations(counters)
        self._driver = driver
        self._write_buffer = write_buffer
        self._clock = clock

    @property
    def is_over(self) -> bool:
        """Whether the connection has ended."""
        return self._driver.state.phase in _OVER

    @property
    def close_info(self) -> CloseInfo:
        """How the connection ended, or is ending; 1006 if nothing is known."""
        return self._driver.state.end or self._driver.state.closing or _LOST

    def send(self, data: Data, *, text: bool) -> None:
        """Hand one message over to the transport.

        Args:
            data: The payload, as `to_wire()` returns it.
            text: Whether to send a text frame.

        Raises:
            WSConnectionClosedError: The connection is closing, or has ended.
        """
        # RFC 6455, section 5.5.1: no data frame may follow a Close frame. A browser
        # swallows what is sent while it closes, without a sign.
        state = self._driver.state
        if state.closing is not None or state.phase in _OVER:
            raise self.closed_error()
        self.transport.send(data, text=text)
        size = len(data)  # text is ASCII, or UTF-8 bytes: see `to_wire()`
        self._write_buffer.add(size)
        self.confirmations.add(size)

    def ping(self) -> Awaitable[float] | None:
        """Send a Ping frame.

        Returns:
            An awaitable of the round trip in seconds, which raises
            WSConnectionClosedError if the connection ends first. None: the platform
            has no pings.
        """
        pong = self.transport.ping()
        return None if pong is None else self._await_pong(pong)

    async def _await_pong(self, pong: Awaitable[float]) -> float:
        confirmed = self.confirmations.handed_over
        try:
            latency = await pong
        except asyncio.CancelledError:
            # The transport cancels its pongs when it ends. That is no cancellation
            # of the caller, who must not see a CancelledError that nobody asked for.
            if not self.is_over:
                raise
            error = self.closed_error()
            raise error from error.__cause__
        self.confirmations.confirm(latency, confirmed)
        return latency

    @property
    def above_limit(self) -> bool:
        """Whether the send buffer is above `write_limit`."""
        return self._write_buffer.is_above(self.transport)

    async def wait_writable(self) -> None:
        """Wait until the send buffer is below the limit. Cancelling is harmless.

        Raises:
            WSConnectionClosedError: The connection ended first.
        """
        if self.is_over:
            raise self.closed_error()
        await self._write_buffer.wait_below(self.transport)

    async def wait_flushed(self, within: float) -> None:
        """Wait until the send buffer is empty. Cancelling is harmless.

        Args:
            within: Seconds after which to return although it is not empty.
        """
        await self._write_buffer.wait_flushed(self.transport, self._clock, within)

    def closed_error(self) -> WSConnectionClosedError:
        """Make the error that says how the connection ended, or is ending."""
        close = self.close_info
        # RFC 6455, section 5.5.1: the answer to our Close frame is sent after the peer
        # has read everything in front of that. A peer that closes first may not have
        # read what we sent, however clean its closing handshake is.
        confirmed = close.was_clean and close.initiator == "local"
        error = WSConnectionClosedError(
            close_code=close.code,
            close_reason=close.reason,
            was_clean=close.was_clean,
            unconfirmed=0 if confirmed else self.confirmations.unconfirmed,
        )
        error.__cause__ = close.error
        return error
