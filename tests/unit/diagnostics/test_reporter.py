"""What is reported where: log, `on_event`, history and counters."""

import logging

import pytest

from ws_common.diagnostics.metrics import Counters
from ws_common.diagnostics.reporter import HISTORY_LENGTH, WARNING_INTERVAL, Reporter
from ws_common.lifecycle.states import Closed, Connecting
from ws_common.send.queued_message import QueuedMessage
from ws_common.vocabulary.clock import Clock


class StoppedClock(Clock):
    """A clock that the test sets."""

    __slots__ = ("seconds",)

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


class Reports:
    """A reporter, and what its hook was called with.

    Attributes:
        events: The name and the details of each event.
    """

    def __init__(self) -> None:
        self.events = []
        self.clock, self.counters = StoppedClock(), Counters()
        self.reporter = Reporter(self._hook, self.clock, self.counters)

    def _hook(self, event) -> None:
        self.events.append((event.name, dict(event.details)))


@pytest.fixture
def levels(caplog):
    """The level and the text of everything that is logged."""
    caplog.set_level(logging.DEBUG, "ws")
    return lambda: [(one.levelname, one.getMessage()) for one in caplog.records]


def test_a_change_of_state(levels):
    """It is logged, handed to the hook, and kept."""
    reports = Reports()
    state = Connecting("ws://host/", 1)

    reports.reporter.report_state(state, "connect")

    expected = "connecting to ws://host/: attempt 1 (connect)"
    assert [("INFO", expected)] == levels()
    details = {"state": state, "cause": "connect"}
    assert [("state_changed", details)] == reports.events
    (entry,) = reports.reporter.history
    assert (state, "connect") == (entry.state, entry.cause)


def test_the_history_is_bounded():
    """The oldest entries go first."""
    reporter = Reports().reporter
    for attempt in range(1, HISTORY_LENGTH + 3):
        reporter.report_state(Connecting("ws://host/", attempt), "retry_due")

    attempts = [entry.state.attempt for entry in reporter.history]
    assert list(range(3, HISTORY_LENGTH + 3)) == attempts


def test_problems_are_warnings(levels):
    """Everything else is for whoever looks closely."""
    reporter = Reports().reporter
    reporter.report("heartbeat_missed", silent_for=3)
    reporter.report("subscriber_stuck", who="x.py:1")

    assert [
        ("DEBUG", "heartbeat_missed: silent_for=3"),
        ("WARNING", "subscriber_stuck: who='x.py:1'"),
    ] == levels()


def test_an_error_is_logged_with_its_traceback(caplog):
    """The hook gets the exception itself."""
    reports, error = Reports(), LookupError("wrong")

    reports.reporter.report_error("interceptor_raised", error)

    assert error is caplog.records[0].exc_info[1]
    assert [("interceptor_raised", {"error": error})] == reports.events


def test_skipped_messages_warn_once_a_minute(levels):
    """Each is counted, and none of them floods the log."""
    reports = Reports()
    for _ in range(3):
        reports.reporter.report("message_skipped")
    reports.clock.seconds += WARNING_INTERVAL
    reports.reporter.report("message_skipped")

    warned = [level for level, _ in levels()]
    assert ["WARNING", "DEBUG", "DEBUG", "WARNING"] == warned
    assert (4, 4) == (reports.counters.skipped_count, len(reports.events))


def test_lost_messages_are_counted():
    """Whoever has dropped them, and whether that is reported at once or together."""
    reports, message = Reports(), QueuedMessage()
    message.fill(b"abc", text=False)

    reports.reporter.count_discarded(1)
    reports.reporter.report_dropped_received(2)
    reports.reporter.report_discarded(3)
    reports.reporter.report_dropped_unsent(message, "expired")

    assert 7 == reports.counters.dropped_count
    assert [
        ("message_dropped", {"direction": "in", "count": 2}),
        ("messages_discarded", {"count": 3}),
        ("message_dropped", {"direction": "out", "size": 3, "why": "expired"}),
    ] == reports.events


def test_a_hook_that_raises_undoes_nothing(caplog):
    """The change is in the history, and the error in the log."""

    def hook(_) -> None:
        raise LookupError("hook")

    reporter = Reporter(hook, StoppedClock(), Counters())
    reporter.report_state(Closed(), "close", final=True)

    assert 1 == len(reporter.history)
    assert "on_event raised while it was handed state_changed" in caplog.text
