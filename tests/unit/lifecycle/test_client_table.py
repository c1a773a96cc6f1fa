"""The client's table, driven by any events in any order."""

import pickle
import sys
from collections import deque
from copy import deepcopy

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.support.client_model import (
    LOST,
    REFUSED,
    URL,
    Driver,
    lost,
    occurrences,
    requests,
    retry_decision,
    state_in,
    stop_decision,
)
from ws_common.lifecycle import client_state as l
from ws_common.lifecycle.client_state import Phase
from ws_common.lifecycle.client_table import TABLE, step
from ws_common.lifecycle.failure_streak import FailureStreak
from ws_common.lifecycle.states import (
    Closed,
    Connecting,
    Disconnecting,
    Open,
    Reconnecting,
)

DECISIONS = st.sampled_from(
    [
        retry_decision(),
        retry_decision(FailureStreak(failures=7, retries=6)),
        stop_decision(),
    ]
)
CODES = st.sampled_from([None, 1000, 1001, 1006, 1008, 1012, 4999])
DECLARED = {
    (phase, kind, target)
    for (phase, kind), edge in TABLE.items()
    for target in edge.targets
}


class ClientTableMachine(RuleBasedStateMachine):
    """Requests, and events of attempts that are live, over or overtaken."""

    def __init__(self) -> None:
        super().__init__()
        self.driver = Driver()

    def _id(self, data: st.DataObject) -> int:
        """Mostly the id of the last attempt, or else the id of any attempt so far."""
        last = self.driver.client_state.attempt_id
        ids = st.one_of(st.just(last), st.integers(0, last))
        return data.draw(ids, label="attempt")

    @rule(same=st.booleans())
    def connect(self, same):
        self.driver.feed(l.ConnectAsked(url=URL, same_target=same))

    @rule()
    def reconnect(self):
        self.driver.feed(l.ReconnectAsked())

    @rule(code=CODES)
    def disconnect(self, code):
        self.driver.feed(l.DisconnectAsked(code=code, reason="bye"))

    # Rarer, or runs would be short.
    @precondition(lambda self: self.driver.client_state.attempt_id > 3)
    @rule(code=CODES)
    def close(self, code):
        self.driver.feed(l.CloseAsked(code=code, reason="bye"))

    @precondition(lambda self: self.driver.client_state.attempt_id > 2)
    @rule(finish=st.booleans())
    def abort(self, finish):
        self.driver.feed(l.AbortAsked(finish=finish))

    @rule(data=st.data())
    def resolve_url(self, data):
        self.driver.feed(l.UrlResolved(attempt=self._id(data), url=URL))

    @rule(data=st.data())
    def open(self, data):
        self.driver.feed(l.Opened(attempt=self._id(data)))

    @rule(data=st.data())
    def become_stable(self, data):
        self.driver.feed(l.BecameStable(attempt=self._id(data)))

    @rule(data=st.data(), decision=DECISIONS)
    def fail_attempt(self, data, decision):
        attempt = self._id(data)
        event = l.AttemptFailed(attempt=attempt, error=REFUSED, decision=decision)
        self.driver.feed(event)

    @rule(data=st.data(), code=CODES)
    def see_closing(self, data, code):
        attempt = self._id(data)
        self.driver.feed(l.ClosingSeen(attempt=attempt, code=code, reason=""))

    @rule(data=st.data(), code=CODES, decision=DECISIONS)
    def lose(self, data, code, decision):
        attempt = self._id(data)
        event = l.Lost(attempt=attempt, code=code, reason="", decision=decision)
        self.driver.feed(event)

    @precondition(lambda self: self.driver.model.replaced)
    @rule(data=st.data())
    def replace(self, data):
        ids = st.sampled_from(sorted(self.driver.model.replaced, reverse=True))
        self.driver.feed(l.Replaced(attempt=data.draw(ids)))

    @rule(data=st.data())
    def fire_timer(self, data):
        self.driver.feed(l.RetryDue(attempt=self._id(data)))


ClientTableMachine.TestCase.settings = settings(
    max_examples=5 if sys.platform == "emscripten" else 150,
    stateful_step_count=40,
    deadline=None,
)
TestClientTable = ClientTableMachine.TestCase


def summarize(driver: Driver) -> tuple[object, ...]:
    """The facts about a driver that decide where it can go."""
    client_state, model = driver.client_state, driver.model
    return (
        client_state.phase,
        client_state.after_close,
        client_state.is_stable,
        client_state.connected_before,
        model.status if model.live is not None else "",
        driver.last_request,
        # One attempt that is over, and one that made room, are as good as many.
        min(client_state.attempt_id, 2),
        min(len(model.replaced), 1),
    )


def explore() -> set[tuple[Phase, type, Phase]]:
    """Take every step from every kind of situation, and return the steps taken."""
    reached = set()
    first = Driver()
    seen = {summarize(first)}
    frontier = deque([first])
    while frontier:
        here = frontier.popleft()
        last = here.client_state.attempt_id
        events = [
            *requests(),
            *occurrences(last, here.model.replaced),
            *occurrences(last - 1, here.model.replaced),
        ]
        for event in events:
            there = Driver(here.client_state, deepcopy(here.model), here.last_request)
            there.feed(event)
            reached |= there.steps
            if summarize(there) not in seen:
                seen.add(summarize(there))
                frontier.append(there)
    return reached


def test_every_edge_is_reached_and_nothing_else():
    """Every step from every situation is sound, and takes every target declared."""
    reached = explore()

    assert DECLARED == reached


def test_every_event_and_phase_is_in_the_table():
    """No event, and no phase that can be left, is forgotten."""
    kinds = {kind for _, kind in TABLE}
    phases = {phase for phase, _ in TABLE}

    assert set(l.Request.__args__) | set(l.Occurrence.__args__) == kinds
    assert set(Phase) - {Phase.FINISHED} == phases


@given(data=st.data())
def test_finished_is_final(data):
    """After close() nothing changes any more, and only late sockets are freed."""
    client_state = state_in(Phase.FINISHED)
    events = [*requests(), *occurrences(0, {0}), *occurrences(1, {1})]
    for event in data.draw(st.lists(st.sampled_from(events), max_size=20)):
        after, commands = step(client_state, event)
        assert after is client_state
        freed = (l.Abandon(event.attempt),) if isinstance(event, l.Opened) else ()
        assert typed(freed) == typed(commands)


@pytest.mark.parametrize("phase", list(Phase))
def test_stale_events_change_nothing(phase):
    """Events of an attempt that is not the live one are ignored."""
    client_state = state_in(phase)
    other = client_state.attempt_id + 1  # as good as an old one: it is not the live one
    for event in occurrences(other, {other}):
        after, commands = step(client_state, event)
        assert after is client_state
        freed = (l.Abandon(other),) if isinstance(event, l.Opened) else ()
        assert typed(freed) == typed(commands)


FOLLOW_UPS = (
    l.AnswerConnect,
    l.CountEnd,
    l.DiscardReceived,
    l.Finish,
    l.StopWatchingEnvironment,
    l.OpenConnection,
    l.PublishState,
    l.StartStableTimer,
    l.StopSending,
    l.ReportIdle,
    l.WatchEnvironment,
)
"""The commands of every new state: `test_tables.py` checks their order."""


def typed(commands):
    """Commands with their kinds: `Abandon(1) == CloseInBackground(1)`, as tuples.

    Those that follow from the state alone are left out.
    """
    return [
        (type(command), command)
        for command in commands
        if not isinstance(command, FOLLOW_UPS)
    ]


def test_late_success_is_freed():
    """An attempt that was overtaken and succeeds all the same loses its socket."""
    client_state = state_in(Phase.CONNECTING)
    client_state, commands = step(client_state, l.ConnectAsked(url=URL))
    expected = (l.Abandon(1), l.FailSends(), l.StartAttempt(2))
    assert typed(expected) == typed(commands)

    after, commands = step(client_state, l.Opened(attempt=1))

    assert after is client_state
    assert typed((l.Abandon(1),)) == typed(commands)


def test_cancelled_timer_may_fire():
    """A timer that fires after reconnect() has cancelled it starts nothing."""
    client_state, commands = step(state_in(Phase.RECONNECTING), l.ReconnectAsked())
    assert typed((l.StopWaiting(1), l.StartAttempt(2))) == typed(commands)

    after, commands = step(client_state, l.RetryDue(attempt=1))

    assert after is client_state
    assert typed(()) == typed(commands)


def test_close_during_replacement_wins():
    """A client that is closed while a new connection was asked for gets none."""
    for last, phase in [
        (l.CloseAsked(), Phase.FINISHED),
        (l.DisconnectAsked(), Phase.CLOSED),
    ]:
        driver = Driver(state_in(Phase.NEW))
        for event in [
            l.ConnectAsked(url=URL),
            l.Opened(attempt=1),
            l.ReconnectAsked(),
            last,
            l.Replaced(attempt=1),
        ]:
            driver.feed(event)
        assert phase is driver.client_state.phase


@pytest.mark.parametrize(
    "event", [l.ConnectAsked(url=URL), l.ReconnectAsked()], ids=["connect", "reconnect"]
)
def test_nothing_reopens_a_client_that_is_closing(event):
    """close() is final, whatever is asked for while the connection closes."""
    closing, _ = step(state_in(Phase.OPEN), l.CloseAsked())

    after, commands = step(closing, event)

    assert after is closing
    assert typed(()) == typed(commands)


def test_connect_during_disconnect_wins():
    """A connect() that comes after a disconnect() is the one that counts."""
    closing, _ = step(state_in(Phase.OPEN), l.DisconnectAsked())
    replacing, commands = step(closing, l.ConnectAsked(url="ws://new.example/"))
    assert typed((l.FailSends(), l.CloseInBackground(1))) == typed(commands)

    after, commands = step(replacing, l.Replaced(attempt=1))

    assert Connecting("ws://new.example/", 1) == after.public_state
    assert typed((l.StartAttempt(2),)) == typed(commands)


def test_sends_survive_retries_but_no_other_target():
    """Waiting messages are kept for the same target, and fail with another one."""
    kept = [
        (Phase.CONNECTING, l.ReconnectAsked()),
        (Phase.CONNECTING, l.ConnectAsked(url=URL, same_target=True)),
        (
            Phase.CONNECTING,
            l.AttemptFailed(attempt=1, error=REFUSED, decision=retry_decision()),
        ),
        (Phase.OPEN, l.ReconnectAsked()),
        (Phase.OPEN, lost()),
        (Phase.DISCONNECTING, lost()),
        (Phase.RECONNECTING, l.RetryDue(attempt=1)),
        (Phase.RECONNECTING, l.ReconnectAsked()),
    ]
    failed = [
        (
            Phase.CONNECTING,
            l.AttemptFailed(attempt=1, error=LOST, decision=stop_decision()),
        ),
        (Phase.CONNECTING, l.ConnectAsked(url=URL)),
        (Phase.CONNECTING, l.DisconnectAsked()),
        (Phase.CONNECTING, l.AbortAsked()),
        (Phase.OPEN, l.ConnectAsked(url=URL)),
        (Phase.OPEN, l.DisconnectAsked()),
        (Phase.OPEN, l.CloseAsked()),
        (Phase.OPEN, l.AbortAsked()),
        (Phase.OPEN, lost(stop_decision())),
        (Phase.DISCONNECTING, l.DisconnectAsked()),
        (Phase.DISCONNECTING, lost(stop_decision())),
        (Phase.RECONNECTING, l.ConnectAsked(url=URL)),
        (Phase.RECONNECTING, l.DisconnectAsked()),
        (Phase.RECONNECTING, l.CloseAsked()),
    ]
    for expected, cases in [(False, kept), (True, failed)]:
        for phase, event in cases:
            _, commands = step(state_in(phase), event)
            found = any(isinstance(command, l.FailSends) for command in commands)
            assert expected == found, (phase, event)


def test_failure_streak_ends_when_stable():
    """A connection that stays open for min_uptime, and no other, ends the streak."""
    streak = FailureStreak(failures=4, retries=4)
    failed = l.AttemptFailed(attempt=1, error=REFUSED, decision=retry_decision(streak))
    client_state, _ = step(state_in(Phase.CONNECTING), failed)
    client_state, _ = step(client_state, l.RetryDue(attempt=1))
    assert Connecting(URL, 5) == client_state.public_state
    assert FailureStreak(failures=4, retries=5) == client_state.streak

    opened, _ = step(client_state, l.Opened(attempt=2))
    assert FailureStreak(failures=4, retries=5) == opened.streak
    assert not opened.is_stable

    is_stable, _ = step(opened, l.BecameStable(attempt=2))
    assert FailureStreak() == is_stable.streak
    assert is_stable.is_stable
    assert is_stable.connected_before

    lost_again, _ = step(is_stable, lost(attempt=2))
    due, _ = step(lost_again, l.RetryDue(attempt=2))
    reopened, _ = step(due, l.Opened(attempt=3))
    assert not reopened.is_stable, "the next connection has to earn it anew"


def test_what_is_known_of_a_target():
    """A new target starts from nothing; the same one stays trusted."""
    client_state, _ = step(state_in(Phase.OPEN), l.BecameStable(attempt=1))
    same, _ = step(client_state, l.ConnectAsked(url=URL, same_target=True))
    other, _ = step(client_state, l.ConnectAsked(url=URL))

    assert same.connected_before
    assert not other.connected_before


def test_public_states():
    """Codes, reasons, errors and numbers are in the public states."""
    client_state = state_in(Phase.CONNECTING)
    client_state, _ = step(
        client_state, l.UrlResolved(attempt=1, url="ws://found.example/")
    )
    assert Connecting("ws://found.example/", 1) == client_state.public_state
    client_state, _ = step(client_state, l.Opened(attempt=1, protocol="chat"))
    assert Open("ws://found.example/", "chat", 1) == client_state.public_state
    client_state, _ = step(
        client_state, l.ClosingSeen(attempt=1, code=1012, reason="deploy")
    )
    assert Disconnecting(1012, "deploy") == client_state.public_state
    decision = retry_decision(FailureStreak(failures=1), delay=2.5)
    lost_event = l.Lost(attempt=1, code=1012, reason="deploy", decision=decision)
    waiting, commands = step(client_state, lost_event)
    assert typed((l.Wait(1, 2.5),)) == typed(commands)
    assert (
        Reconnecting(2, 2.5, decision.at, 1012, "deploy", LOST) == waiting.public_state
    )
    asked, _ = step(waiting, l.DisconnectAsked())
    assert Closed(1012, "deploy") == asked.public_state
    stopped, _ = step(
        client_state,
        l.Lost(attempt=1, code=1008, reason="no", decision=stop_decision(REFUSED)),
    )
    assert Closed(1008, "no", REFUSED) == stopped.public_state
    aborted, _ = step(client_state, l.AbortAsked())
    assert Closed(1006, "") == aborted.public_state


def test_disconnect_begins_one_closing_handshake():
    """One Close frame is sent, however often close() is called."""
    driver = Driver(state_in(Phase.NEW))
    begun = []
    for event in [
        l.ConnectAsked(url=URL),
        l.Opened(attempt=1),
        l.DisconnectAsked(code=4000, reason="bye"),
        l.DisconnectAsked(),
        l.CloseAsked(),
        l.ClosingSeen(attempt=1, code=4000, reason="bye"),
        l.CloseAsked(),
        lost(),
        l.CloseAsked(),
    ]:
        begun += [c for c in driver.feed(event) if isinstance(c, l.BeginClose)]

    assert [l.BeginClose(1, 4000, "bye")] == begun
    assert Phase.FINISHED is driver.client_state.phase


def test_life_can_be_copied():
    """A client state is plain data: it can be pickled, with its errors."""
    client_state = state_in(Phase.RECONNECTING)

    copied = pickle.loads(pickle.dumps(client_state))  # noqa: S301 - our own

    assert client_state.phase is copied.phase
    assert str(client_state.public_state.error) == str(copied.public_state.error)
