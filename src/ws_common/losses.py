"""Counts and reports the messages that nobody will see. None is lost in silence."""

from ws_common.entry import QueuedMessage
from ws_common.metrics import Counters
from ws_common.reporter import Reporter


class Losses:
    """Where every part of a client reports what it had to drop.

    Args:
        counters: Where it is counted.
        reporter: Where it is told.
    """

    __slots__ = ("_counters", "_reporter")

    def __init__(self, counters: Counters, reporter: Reporter) -> None:
        self._counters = counters
        self._reporter = reporter

    def discarded(self, count: int) -> None:
        """Count messages of a connection that we closed; they are reported together."""
        self._counters.dropped_count += count

    def dropped_in(self, count: int) -> None:
        """Report messages that a subscriber's overflow has dropped."""
        self._counters.dropped_count += count
        self._reporter.note("message_dropped", direction="in", count=count)

    def unheard(self, count: int) -> None:
        """Report messages that came, or were left, with no subscriber."""
        self._counters.dropped_count += count
        self._reporter.note("messages_discarded", count=count)

    def dropped_out(self, message: QueuedMessage, why: str) -> None:
        """Report a message that the outbox has dropped."""
        self._counters.dropped_count += 1
        size = message.size
        self._reporter.note("message_dropped", direction="out", size=size, why=why)
