"""Report what happens to a client: to the log, to `on_event`, and to the history.

Changes of state are logged with their cause and what comes next: at INFO, or at WARNING
once per outage (see `outage.py`). Problems that a program should look at are logged at
WARNING, and the rest at DEBUG. No secrets.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ws_common.diagnostics.log_messages import log_change
from ws_common.diagnostics.metrics import Counters
from ws_common.diagnostics.outage import Outage
from ws_common.lifecycle.states import WebSocketClientState
from ws_common.options.options import OnEvent
from ws_common.send.queued_message import QueuedMessage
from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.clock import Clock
from ws_common.vocabulary.events import ClientEvent
from ws_common.vocabulary.read_only import ReadOnly

logger = logging.getLogger("ws.client")

HISTORY_LENGTH = 100
"""The number of state changes that are kept."""

WARNING_INTERVAL = 60.0
"""Seconds between two warnings about skipped messages."""

# Errors of the application, and lost data.
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
        at: When the state changed, UTC.
        state: The new state.
        cause: Why it changed: one of the causes listed in the documentation.

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
    """The only place that reports anything, and that counts lost messages.

    Args:
        hooks: The option `on_event`.
        clock: The clock of the client.
        counters: The counters of the client.
        name: The option `name`, which begins each line of the log.
    """

    # One place, so that no message is lost without being counted, and no report made
    # that the log, the history and `on_event` do not have in the same order.

    __slots__ = (
        "_clock",
        "_counters",
        "_history",
        "_hooks",
        "_name",
        "_next_warning_at",
        "_outage",
        "_prefix",
    )

    def __init__(
        self,
        hooks: OnEvent | tuple[OnEvent, ...] | None,
        clock: Clock,
        counters: Counters,
        name: str | None = None,
    ) -> None:
        given = (hooks,) if callable(hooks) else hooks or ()
        self._hooks: tuple[OnEvent, ...] = given
        self._clock = clock
        self._counters = counters
        self._history: list[HistoryEntry] = []
        self._next_warning_at = 0.0
        self._name = name
        self._prefix = f"{name}: " if name else ""
        self._outage = Outage()

    @property
    def history(self) -> Sequence[HistoryEntry]:
        """The last state changes, oldest first."""
        return tuple(self._history)

    def report_state(
        self, state: WebSocketClientState, cause: Cause, *, final: bool = False
    ) -> None:
        """Report a change of state.

        Args:
            state: The new state.
            cause: Why it has changed.
            final: Whether the client is closed permanently.
        """
        entry = HistoryEntry(at=self._clock.now(), state=state, cause=cause)
        self._history.append(entry)
        del self._history[:-HISTORY_LENGTH]
        now, since = self._clock.monotonic(), self._outage.since
        level = self._outage.level_of(state, now)
        # The sentence is made only if the log wants it: each connection changes the
        # state several times, and a process may open thousands of them.
        if logger.isEnabledFor(level):
            before = (entry.state for entry in reversed(self._history[:-1]))
            away = None if since is None else now - since
            text = log_change(state, cause, before, final=final, away=away)
            logger.log(level, "%s%s", self._prefix, text)
        self._outage.end(state)
        self._emit("state_changed", {"state": state, "cause": cause})

    def report(self, name: str, **details: Any) -> None:
        """Report an event that is no change of state.

        Args:
            name: The name of the event.
            details: The facts; an exception under "error" is logged with its traceback.
        """
        level = logging.WARNING if name in _WARNINGS else logging.DEBUG
        if name == "message_skipped":
            level = self._count_skipped()
        if logger.isEnabledFor(level):
            error = details.get("error")
            failed = error if isinstance(error, BaseException) else None
            facts = ", ".join(f"{key}={value!r}" for key, value in details.items())
            logger.log(level, "%s%s: %s", self._prefix, name, facts, exc_info=failed)
        self._emit(name, details)

    def report_error(self, name: str, error: Exception) -> None:
        """Report an exception that code of the application has raised."""
        self.report(name, error=error)

    def count_discarded(self, count: int) -> None:
        """Count messages of a connection that the client has closed.

        They are reported together when the connection has ended.
        """
        self._counters.dropped_count += count

    def report_dropped_received(self, count: int) -> None:
        """Report messages that the overflow of a subscriber has dropped."""
        self._counters.dropped_count += count
        self.report("message_dropped", direction="in", count=count)

    def report_discarded(self, count: int) -> None:
        """Report messages that no subscriber is left to read."""
        self._counters.dropped_count += count
        self.report("messages_discarded", count=count)

    def report_dropped_unsent(self, message: QueuedMessage, why: str) -> None:
        """Report a message that the outbox has dropped."""
        self._counters.dropped_count += 1
        self.report("message_dropped", direction="out", size=message.size, why=why)

    def _count_skipped(self) -> int:
        """Count a skipped message, and return the level of its log message."""
        # A peer that speaks another format makes every message a skipped one: a warning
        # for each would be a flood that a peer can cause at will.
        self._counters.skipped_count += 1
        now = self._clock.monotonic()
        if now < self._next_warning_at:
            return logging.DEBUG
        self._next_warning_at = now + WARNING_INTERVAL
        return logging.WARNING

    def _emit(self, name: str, details: dict[str, Any]) -> None:
        if not self._hooks:
            return
        event = ClientEvent(
            name=name,
            at=self._clock.now(),
            details=ReadOnly(details),
            client_name=self._name,
        )
        # An error of a hook must not keep the other hooks from being called, nor the
        # other commands of the table, such as opening the connection, from being
        # carried out.
        for hook in self._hooks:
            try:
                hook(event)
            except Exception:
                logger.exception("on_event raised while it was handed %s", name)
