"""Tells what happens: to the log, to `on_event`, and to the history.

State changes are logged at INFO with their cause and the next step, everything else
at DEBUG; what a program should look at, at WARNING. Skipped messages, which may be
all that come, are limited to one warning a minute. No secrets.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ws_common.diagnostics.log_messages import log_change
from ws_common.diagnostics.metrics import Counters
from ws_common.lifecycle.states import WebSocketClientState
from ws_common.options.options import OnEvent
from ws_common.send.queued_message import QueuedMessage
from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.clock import Clock
from ws_common.vocabulary.events import ClientEvent
from ws_common.vocabulary.read_only import ReadOnly

logger = logging.getLogger("ws.client")

HISTORY_LENGTH = 100
"""How many state changes are remembered."""

WARNING_INTERVAL = 60.0
"""Seconds between two warnings about skipped messages."""

_WARNINGS = frozenset(
    {
        "listener_overflowed",
        "listener_raised",
        "interceptor_raised",
        "is_reply_raised",
        "heartbeat_failed",
        "retry_if_raised",
        "close_code_replaced",
        "message_dropped",
        "subscriber_stuck",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """A change of state.

    Attributes:
        at: When, UTC.
        state: What it changed to.
        cause: Why: one of the causes listed in the documentation.

    Example:
        >>> import asyncio
        >>> from ws.testing import WebSocketClientFake
        >>> async def main() -> None:
        ...     async with WebSocketClient.from_client(WebSocketClientFake()) as client:
        ...         await client.connect("ws://anywhere/")
        ...     for entry in client.history:
        ...         print(type(entry.state).__name__, entry.cause)
        >>> asyncio.run(main())
        Connecting connect
        Open opened
        Disconnecting close
        Closed closed
    """

    at: datetime
    state: WebSocketClientState
    cause: Cause


class Reporter:
    """The one place through which everything is reported.

    The messages that nobody will see are counted here, too: none is lost in silence.

    Args:
        hook: The option `on_event`.
        clock: What time it is.
        counters: Where lost messages are counted.
    """

    __slots__ = (
        "_clock",
        "_counters",
        "_history",
        "_hook",
        "_next_warning_at",
    )

    def __init__(self, hook: OnEvent | None, clock: Clock, counters: Counters) -> None:
        self._hook = hook
        self._clock = clock
        self._counters = counters
        self._history: list[HistoryEntry] = []
        self._next_warning_at = 0.0

    @property
    def history(self) -> Sequence[HistoryEntry]:
        """The last state changes, oldest first."""
        return tuple(self._history)

    def report_state(
        self, state: WebSocketClientState, cause: Cause, *, final: bool = False
    ) -> None:
        """The state has changed; `final` says that it does so no more."""
        entry = HistoryEntry(at=self._clock.now(), state=state, cause=cause)
        self._history.append(entry)
        del self._history[:-HISTORY_LENGTH]
        if logger.isEnabledFor(logging.INFO):
            before = (entry.state for entry in reversed(self._history[:-1]))
            logger.info("%s", log_change(state, cause, before, final=final))
        self._emit("state_changed", {"state": state, "cause": cause})

    def report(self, name: str, **details: Any) -> None:
        """Something else has happened."""
        level = logging.WARNING if name in _WARNINGS else logging.DEBUG
        if name == "message_skipped":
            level = self._count_skipped()
        if logger.isEnabledFor(level):
            error = details.get("error")
            failed = error if isinstance(error, BaseException) else None
            facts = ", ".join(f"{key}={value!r}" for key, value in details.items())
            logger.log(level, "%s: %s", name, facts, exc_info=failed)
        self._emit(name, details)

    def report_error(self, name: str, error: Exception) -> None:
        """What belongs to the application has raised."""
        self.report(name, error=error)

    def count_discarded(self, count: int) -> None:
        """Count messages of a connection that we closed; they are reported together."""
        self._counters.dropped_count += count

    def report_dropped_received(self, count: int) -> None:
        """Report messages that a subscriber's overflow has dropped."""
        self._counters.dropped_count += count
        self.report("message_dropped", direction="in", count=count)

    def report_discarded(self, count: int) -> None:
        """Report messages that came, or were left, with no subscriber."""
        self._counters.dropped_count += count
        self.report("messages_discarded", count=count)

    def report_dropped_unsent(self, message: QueuedMessage, why: str) -> None:
        """Report a message that the outbox has dropped."""
        self._counters.dropped_count += 1
        self.report("message_dropped", direction="out", size=message.size, why=why)

    def _count_skipped(self) -> int:
        """Count one more; return the level of its log message."""
        self._counters.skipped_count += 1
        now = self._clock.monotonic()
        if now < self._next_warning_at:
            return logging.DEBUG
        self._next_warning_at = now + WARNING_INTERVAL
        return logging.WARNING

    def _emit(self, name: str, details: dict[str, Any]) -> None:
        if self._hook is None:
            return
        event = ClientEvent(name=name, at=self._clock.now(), details=ReadOnly(details))
        try:
            self._hook(event)
        except Exception:
            logger.exception("on_event raised while it was handed %s", name)
