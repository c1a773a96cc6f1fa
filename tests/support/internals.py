"""What tests know of the inside of the package, where no public API shows it.

Whoever changes the inside changes this file, and no test. It is imported in a page
too, where there is no `ws_vm`: so everything is looked up where it is used.
"""

from collections.abc import Callable
from typing import Any


def set_wall_clock(monkeypatch: Any, clock: Callable[[], float]) -> None:
    """Replace the wall clock of the client, until the test is over."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from ws_common.vocabulary.clock import Clock  # noqa: PLC0415

    def now(_: object) -> datetime:
        return datetime.fromtimestamp(clock(), UTC)

    monkeypatch.setattr(Clock, "now", now)


def set_patience(monkeypatch: Any, seconds: float) -> None:
    """Set after how many seconds a stalled subscriber is reported, for this test.

    No option says it, and native tests run on the real clock.
    """
    monkeypatch.setattr("ws_common.receive.stalled_readers.REPORT_AFTER", seconds)


def jitter() -> float:
    """Return the seconds within which an attempt follows an `online` event."""
    from ws_common.runtime.retry_timer import JITTER  # noqa: PLC0415

    return JITTER


def is_watching_its_buffer(transport: Any) -> bool:
    """Return whether a browser's transport polls its `bufferedAmount`.

    A page's loop shows no timers, and that nothing is asked any more has no event.
    """
    watches: bool = transport._send_buffer.is_polling
    return watches


class Buffered:
    """A subscriber's buffer without a client, and a record of its callbacks.

    Its bounds and books are searched with thousands of examples, with ends between
    the messages that no connection would bring in such an order: hence no client.

    Args:
        capacity: How many items it holds; None: as many as come.
        overflow: What happens above.
        max_bytes: How many bytes it holds; None: as many as come.

    Attributes:
        pauses: What it has asked for: True for a pause.
        drops: How many messages overflow has dropped, each time.
    """

    def __init__(
        self,
        capacity: int | None = 3,
        overflow: Any = "pause",
        max_bytes: int | None = None,
    ) -> None:
        from ws_common.receive.limits import Limits  # noqa: PLC0415
        from ws_common.receive.subscriber_buffer import Buffer  # noqa: PLC0415

        self.pauses: list[bool] = []
        self.drops: list[int] = []
        self._buffer: Buffer[Any] = Buffer(
            Limits(capacity, max_bytes, overflow),
            lambda: self.pauses.append(self._buffer.full),
            self.drops.append,
        )

    def put(self, *items: object) -> None:
        """Append items, one after the other."""
        from ws_common.vocabulary.messages import payload_size  # noqa: PLC0415

        for item in items:
            self._buffer.extend([item], payload_size(item))

    def mark(self, code: int | None = None, *, final: bool = False) -> None:
        """Append an end, with this close code."""
        self._buffer.append_end(end_with(code, final=final))

    def take(self) -> object:
        """Return the next item without waiting, or raise an end."""
        reading = self._buffer.get()
        try:
            reading.send(None)
        except StopIteration as read:
            return read.value
        reading.close()
        msg = "nothing is there to be taken"
        raise LookupError(msg)

    async def get(self) -> object:
        """Wait for the next item, or raise an end."""
        return await self._buffer.get()

    def clear(self) -> None:
        """Forget what is held."""
        self._buffer.drain()
        self._buffer.resume()

    def drain(self) -> list[object]:
        """Take everything but the ends."""
        return self._buffer.drain()

    @property
    def held(self) -> list[object]:
        """The messages that wait to be read."""
        return [item for one in self._segments for item in one.messages]

    @property
    def ends(self) -> int:
        """How many ends lie between them."""
        return sum(one.end is not None for one in self._segments)

    @property
    def _segments(self) -> list[Any]:
        return [self._buffer._current, *self._buffer._later]

    @property
    def bytes(self) -> int:
        """The payload that it counts."""
        return self._buffer.bytes

    @property
    def dropped(self) -> int:
        """The messages that it counts as dropped."""
        return self._buffer.dropped

    @property
    def is_full(self) -> bool:
        """Whether it has asked for a pause."""
        return self._buffer.full

    @property
    def is_awaited(self) -> bool:
        """Whether a reader waits."""
        return self._buffer.has_waiters


def end_with(code: int | None = None, *, final: bool = False) -> Any:
    """Make the marker of an end, as it stands between messages in a buffer."""
    from ws_common.receive.end_marker import End  # noqa: PLC0415

    return End(close_code=code, final=final)


def end_reached() -> type[Exception]:
    """Return the exception that a buffer raises at an end marker."""
    from ws_common.receive.end_marker import Ended  # noqa: PLC0415

    return Ended


def send_queue_of(client: Any) -> Any:
    """Return the send queue of a client, to see which objects it holds."""
    return client._supervisor.send_queue
