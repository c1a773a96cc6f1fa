"""What a connection sends by: the target of the send queue."""

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
    """The sending half of a connection.

    Attributes:
        transport: What it sends by; one that takes nothing before there is one.
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
        """Whether it has ended."""
        return self._driver.state.phase in _OVER

    @property
    def close_info(self) -> CloseInfo:
        """How it ended, or is ending; a loss where nothing is known."""
        return self._driver.state.end or self._driver.state.closing or _LOST

    def send(self, data: Data, *, text: bool) -> None:
        """Hand one message over.

        Raises:
            WSConnectionClosedError: It takes nothing any more.
        """
        state = self._driver.state
        if state.closing is not None or state.phase in _OVER:
            raise self.closed_error()
        self.transport.send(data, text=text)
        size = len(data)  # text is ASCII, or UTF-8 bytes: see `to_wire()`
        self._write_buffer.add(size)
        self.confirmations.add(size)

    def ping(self) -> Awaitable[float] | None:
        """Measure a round trip; None where the platform has no pings.

        Raises:
            WSConnectionClosedError: It ended first.
        """
        pong = self.transport.ping()
        return None if pong is None else self._await_pong(pong)

    async def _await_pong(self, pong: Awaitable[float]) -> float:
        confirmed = self.confirmations.handed_over
        try:
            latency = await pong
        except asyncio.CancelledError:
            if not self.is_over:
                raise
            error = self.closed_error()
            raise error from error.__cause__
        self.confirmations.confirm(latency, confirmed)
        return latency

    @property
    def above_limit(self) -> bool:
        """Whether its buffer is above `write_limit`."""
        return self._write_buffer.is_above(self.transport)

    async def wait_writable(self) -> None:
        """Wait until the buffer is below the limit.

        Raises:
            WSConnectionClosedError: The connection ended first.
        """
        if self.is_over:
            raise self.closed_error()
        await self._write_buffer.wait_below(self.transport)

    async def wait_flushed(self, within: float) -> None:
        """Wait until all that was handed over has left, or so many seconds."""
        await self._write_buffer.wait_flushed(self.transport, self._clock, within)

    def closed_error(self) -> WSConnectionClosedError:
        """The error that says how it ended, or is ending."""
        close = self.close_info
        # The answer to our Close comes behind all that was sent; a peer that closes
        # first may not have read it, however properly it does that.
        confirmed = close.was_clean and close.initiator == "local"
        error = WSConnectionClosedError(
            close_code=close.code,
            close_reason=close.reason,
            was_clean=close.was_clean,
            unconfirmed=0 if confirmed else self.confirmations.unconfirmed,
        )
        error.__cause__ = close.error
        return error
