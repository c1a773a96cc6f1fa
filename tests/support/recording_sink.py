"""A sink that records what a transport reports, and lets tests wait for it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ws_common.vocabulary.messages import Data, size_of
from ws_common.vocabulary.transport import CloseInfo, TransportSink

PATIENCE = 10.0
"""Seconds that a test waits for what must come."""


@dataclass(slots=True)
class Recording:
    """Records all events. Its `react` hook may call the transport.

    Attributes:
        messages: What arrived.
        sizes: The size of each.
        batches: How many messages there were when each batch ended.
        closings: The arguments of `on_closing`.
        closed: The arguments of `on_closed`.
        log: The names of all events, in order.
        writable: How often there was room again.
        react: Called with the name of each event after it was recorded.
    """

    messages: list[Data] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    closings: list[CloseInfo] = field(default_factory=list)
    closed: list[CloseInfo] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    writable: int = 0
    react: Callable[[str], None] | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def on_messages(self, batch: Sequence[Data], size: int) -> None:
        assert batch
        assert size == sum(map(size_of, batch))
        self.batches.append(len(self.messages) + len(batch))
        for data in batch:
            self.messages.append(data)
            self.sizes.append(size_of(data))
            self._note("message")

    def on_closing(self, close: CloseInfo) -> None:
        self.closings.append(close)
        self._note("closing")

    def on_closed(self, close: CloseInfo) -> None:
        self.closed.append(close)
        self._note("closed")

    def on_writable(self) -> None:
        self.writable += 1
        self._note("writable")

    def _note(self, event: str) -> None:
        self.log.append(event)
        self._changed.set()
        if self.react is not None:
            self.react(event)

    def end_of_batch(self, count: int) -> int:
        """Return the number of messages at the end of the batch with this message.

        A pause or an abort from inside a batch cannot recall the rest of it.
        """
        return next(end for end in self.batches if end >= count)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until what was recorded satisfies the condition."""

        async def wait() -> None:
            while not condition():
                self._changed.clear()
                await self._changed.wait()

        try:
            await asyncio.wait_for(wait(), PATIENCE)
        except TimeoutError:
            seen = self.log[:20]
            raise AssertionError(
                f"nothing more came within {PATIENCE} s: {seen}"
            ) from None

    async def until_messages(self, count: int) -> list[Data]:
        """Wait for this many messages, and return all."""
        await self.until(lambda: len(self.messages) >= count)
        return self.messages

    async def until_closed(self) -> CloseInfo:
        """Wait for the end, and return what was reported of it."""
        await self.until(lambda: bool(self.closed))
        return self.closed[0]


def _conforms(recording: Recording) -> TransportSink:
    return recording
