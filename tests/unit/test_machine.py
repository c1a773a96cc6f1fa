"""The machine, driven by anything that could happen, in any order."""

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
    Driver,
    again,
    enough,
    occurrences,
    requests,
)
from ws_common.lifecycle import client_state as l
from ws_common.lifecycle.client_state import Life, Phase
from ws_common.lifecycle.client_table import TABLE, step
from ws_common.lifecycle.retry import Run
from ws_common.lifecycle.states import (
    Closed,
    Connecting,
    Disconnecting,
    Open,
    Reconnecting,
)

URL = "ws://example.org/"
VERDICTS = st.sampled_from([again(), again(Run(failures=7, retries=6)), enough()])
CODES = st.sampled_from([None, 1000, 1001, 1006, 1008, 1012, 4999])
DECLARED = {
    (phase, kind, target)
    for (phase, kind), edge in TABLE.items()
    for target in edge.targets
}


class AnythingGoes(RuleBasedStateMachine):
    """Requests, and events of attempts that live, are over, or were overtaken."""

    def __init__(self) -> None:
        super().__init__()
        self.driver = Driver()

    def _id(self, data: st.DataObject) -> int:
        """Mostly the last attempt, else any that has ever been."""
        last = self.driver.life.attempt_id
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
    @precondition(lambda self: self.driver.life.attempt_id > 3)
    @rule(code=CODES)
    def close(self, code):
        self.driver.feed(l.CloseAsked(code=code, reason="bye"))

    @precondition(lambda self: self.driver.life.attempt_id > 2)
    @rule(finish=st.booleans())
    def abort(self, finish):
        self.driver.feed(l.AbortAsked(finish=finish))

    @rule(data=st.data())
    def address(self, data):
        self.driver.feed(l.Addressed(attempt=self._id(data), url=URL))

    @rule(data=st.data())
    def succeed(self, data):
        self.driver.feed(l.Opened(attempt=self._id(data)))

    @rule(data=st.data())
    def settle(self, data):
        self.driver.feed(l.Settled(attempt=self._id(data)))

    @rule(data=st.data(), verdict=VERDICTS)
    def fail(self, data, verdict):
        attempt = self._id(data)
        event = l.AttemptFailed(attempt=attempt, error=REFUSED, verdict=verdict)
        self.driver.feed(event)

    @rule(data=st.data(), code=CODES)
    def see_closing(self, data, code):
        attempt = self._id(data)
        self.driver.feed(l.ClosingSeen(attempt=attempt, code=code, reason=""))

    @rule(data=st.data(), code=CODES, verdict=VERDICTS)
    def lose(self, data, code, verdict):
        attempt = self._id(data)
        event = l.Lost(attempt=attempt, code=code, reason="", verdict=verdict)
        self.driver.feed(event)

    @precondition(lambda self: self.driver.model.retired)
    @rule(data=st.data())
    def step_aside(self, data):
        ids = st.sampled_from(sorted(self.driver.model.retired, reverse=True))
        self.driver.feed(l.SteppedAside(attempt=data.draw(ids)))

    @rule(data=st.data())
    def fire_timer(self, data):
        self.driver.feed(l.RetryDue(attempt=self._id(data)))


AnythingGoes.TestCase.settings = settings(
    max_examples=5 if sys.platform == "emscripten" else 150,
    stateful_step_count=40,
    deadline=None,
)
TestAnythingGoes = AnythingGoes.TestCase


def abstract(driver: Driver) -> tuple[object, ...]:
    """What of a driver decides where it can go."""
    life, model = driver.life, driver.model
    return (
        life.phase,
        life.sequel,
        life.settled,
        life.connected_before,
        model.status if model.live is not None else "",
        driver.wish,
        # One attempt that is over, and one that made room, are as good as many.
        min(life.attempt_id, 2),
        min(len(model.retired), 1),
    )


def explore() -> set[tuple[Phase, type, Phase]]:
    """Take every step from every kind of situation, and return the steps taken."""
    reached = set()
    first = Driver()
    known = {abstract(first)}
    frontier = deque([first])
    while frontier:
        here = frontier.popleft()
        last = here.life.attempt_id
        happenings = [
            *requests(),
            *occurrences(last, here.model.retired),
            *occurrences(last - 1, here.model.retired),
        ]
        for event in happenings:
            there = Driver(here.life, deepcopy(here.model), here.wish)
            there.feed(event)
            reached |= there.steps
            if abstract(there) not in known:
                known.add(abstract(there))
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


def life_in(phase: Phase) -> Life:
    """The shortest way into a phase."""
    opened = [l.ConnectAsked(url=URL), l.Opened(attempt=1)]
    ways = {
        Phase.NEW: [],
        Phase.CONNECTING: opened[:1],
        Phase.OPEN: opened,
        Phase.DISCONNECTING: [*opened, l.ClosingSeen(attempt=1, code=1, reason="")],
        Phase.RECONNECTING: [*opened, lost()],
        Phase.CLOSED: [*opened, lost(enough())],
        Phase.FINISHED: [l.CloseAsked()],
    }
    driver = Driver()
    for event in ways[phase]:
        driver.feed(event)
    assert phase is driver.life.phase
    return driver.life


def lost(verdict=None, attempt=1):
    return l.Lost(attempt=attempt, code=1006, reason="", verdict=verdict or again())


@given(data=st.data())
def test_finished_is_final(data):
    """After close() nothing changes any more, and only late sockets are freed."""
    life = life_in(Phase.FINISHED)
    happenings = [*requests(), *occurrences(0, {0}), *occurrences(1, {1})]
    for event in data.draw(st.lists(st.sampled_from(happenings), max_size=20)):
        after, commands = step(life, event)
        assert after is life
        freed = (l.Abandon(event.attempt),) if isinstance(event, l.Opened) else ()
        assert exact(freed) == exact(commands)


@pytest.mark.parametrize("phase", list(Phase))
def test_stale_events_change_nothing(phase):
    """Whatever an attempt does that is not the live one, it does for itself."""
    life = life_in(phase)
    other = life.attempt_id + 1  # as good as an old one: it is not the live one
    for event in occurrences(other, {other}):
        after, commands = step(life, event)
        assert after is life
        freed = (l.Abandon(other),) if isinstance(event, l.Opened) else ()
        assert exact(freed) == exact(commands)


TOLD = (
    l.AnswerConnect,
    l.CountEnd,
    l.DiscardReceived,
    l.Finish,
    l.LeaveEnvironment,
    l.OpenConnection,
    l.Show,
    l.StartStableTimer,
    l.StopSending,
    l.TellIdle,
    l.WatchEnvironment,
)
"""What every new state brings about: `tests/unit/test_tables.py` has their order."""


def exact(commands):
    """Commands with their kinds: as tuples, `Abandon(1)` and `Retire(1)` are equal.

    Those that follow from the state alone are left out.
    """
    return [
        (type(command), command)
        for command in commands
        if not isinstance(command, TOLD)
    ]


def test_late_success_is_freed():
    """An attempt that was overtaken and succeeds all the same loses its socket."""
    life = life_in(Phase.CONNECTING)
    life, commands = step(life, l.ConnectAsked(url=URL))
    expected = (l.Abandon(1), l.FailSends(), l.StartAttempt(2))
    assert exact(expected) == exact(commands)

    after, commands = step(life, l.Opened(attempt=1))

    assert after is life
    assert exact((l.Abandon(1),)) == exact(commands)


def test_cancelled_timer_may_fire():
    """A timer that fires after reconnect() has cancelled it starts nothing."""
    life, commands = step(life_in(Phase.RECONNECTING), l.ReconnectAsked())
    assert exact((l.StopWaiting(1), l.StartAttempt(2))) == exact(commands)

    after, commands = step(life, l.RetryDue(attempt=1))

    assert after is life
    assert exact(()) == exact(commands)


def test_close_during_replacement_wins():
    """A client that is closed while a new connection was asked for gets none."""
    for last, phase in [
        (l.CloseAsked(), Phase.FINISHED),
        (l.DisconnectAsked(), Phase.CLOSED),
    ]:
        driver = Driver(life_in(Phase.NEW))
        for event in [
            l.ConnectAsked(url=URL),
            l.Opened(attempt=1),
            l.ReconnectAsked(),
            last,
            l.SteppedAside(attempt=1),
        ]:
            driver.feed(event)
        assert phase is driver.life.phase


@pytest.mark.parametrize(
    "event", [l.ConnectAsked(url=URL), l.ReconnectAsked()], ids=["connect", "reconnect"]
)
def test_nothing_revives_what_is_closing_for_good(event):
    """close() cannot be taken back by what somebody else asks for meanwhile."""
    closing, _ = step(life_in(Phase.OPEN), l.CloseAsked())

    after, commands = step(closing, event)

    assert after is closing
    assert exact(()) == exact(commands)


def test_connect_during_disconnect_wins():
    """A connect() that comes after a disconnect() is the one that counts."""
    closing, _ = step(life_in(Phase.OPEN), l.DisconnectAsked())
    aside, commands = step(closing, l.ConnectAsked(url="ws://new.example/"))
    assert exact((l.FailSends(), l.Retire(1))) == exact(commands)

    after, commands = step(aside, l.SteppedAside(attempt=1))

    assert Connecting("ws://new.example/", 1) == after.shown
    assert exact((l.StartAttempt(2),)) == exact(commands)


def test_sends_survive_retries_but_no_other_target():
    """What waits is kept for the same target, and fails where another comes."""
    kept = [
        (Phase.CONNECTING, l.ReconnectAsked()),
        (Phase.CONNECTING, l.ConnectAsked(url=URL, same_target=True)),
        (
            Phase.CONNECTING,
            l.AttemptFailed(attempt=1, error=REFUSED, verdict=again()),
        ),
        (Phase.OPEN, l.ReconnectAsked()),
        (Phase.OPEN, lost()),
        (Phase.DISCONNECTING, lost()),
        (Phase.RECONNECTING, l.RetryDue(attempt=1)),
        (Phase.RECONNECTING, l.ReconnectAsked()),
    ]
    failed = [
        (Phase.CONNECTING, l.AttemptFailed(attempt=1, error=LOST, verdict=enough())),
        (Phase.CONNECTING, l.ConnectAsked(url=URL)),
        (Phase.CONNECTING, l.DisconnectAsked()),
        (Phase.CONNECTING, l.AbortAsked()),
        (Phase.OPEN, l.ConnectAsked(url=URL)),
        (Phase.OPEN, l.DisconnectAsked()),
        (Phase.OPEN, l.CloseAsked()),
        (Phase.OPEN, l.AbortAsked()),
        (Phase.OPEN, lost(enough())),
        (Phase.DISCONNECTING, l.DisconnectAsked()),
        (Phase.DISCONNECTING, lost(enough())),
        (Phase.RECONNECTING, l.ConnectAsked(url=URL)),
        (Phase.RECONNECTING, l.DisconnectAsked()),
        (Phase.RECONNECTING, l.CloseAsked()),
    ]
    for expected, cases in [(False, kept), (True, failed)]:
        for phase, event in cases:
            _, commands = step(life_in(phase), event)
            found = any(isinstance(command, l.FailSends) for command in commands)
            assert expected == found, (phase, event)


def test_run_of_failures_ends_when_settled():
    """A connection that lives for min_uptime, and no other, forgives the failures."""
    run = Run(failures=4, retries=4)
    failed = l.AttemptFailed(attempt=1, error=REFUSED, verdict=again(run))
    life, _ = step(life_in(Phase.CONNECTING), failed)
    life, _ = step(life, l.RetryDue(attempt=1))
    assert Connecting(URL, 5) == life.shown
    assert Run(failures=4, retries=5) == life.run

    opened, _ = step(life, l.Opened(attempt=2))
    assert Run(failures=4, retries=5) == opened.run
    assert not opened.settled

    settled, _ = step(opened, l.Settled(attempt=2))
    assert Run() == settled.run
    assert settled.settled
    assert settled.connected_before

    lost_again, _ = step(settled, lost(attempt=2))
    due, _ = step(lost_again, l.RetryDue(attempt=2))
    reopened, _ = step(due, l.Opened(attempt=3))
    assert not reopened.settled, "the next connection has to earn it anew"


def test_what_is_known_of_a_target():
    """Another target starts from nothing; the same one keeps its good name."""
    life, _ = step(life_in(Phase.OPEN), l.Settled(attempt=1))
    same, _ = step(life, l.ConnectAsked(url=URL, same_target=True))
    other, _ = step(life, l.ConnectAsked(url=URL))

    assert same.connected_before
    assert not other.connected_before


def test_states_that_are_shown():
    """Codes, reasons, errors and numbers reach the states that people see."""
    life = life_in(Phase.CONNECTING)
    life, _ = step(life, l.Addressed(attempt=1, url="ws://found.example/"))
    assert Connecting("ws://found.example/", 1) == life.shown
    life, _ = step(life, l.Opened(attempt=1, protocol="chat"))
    assert Open("ws://found.example/", "chat", 1) == life.shown
    life, _ = step(life, l.ClosingSeen(attempt=1, code=1012, reason="deploy"))
    assert Disconnecting(1012, "deploy") == life.shown
    verdict = again(Run(failures=1), delay=2.5)
    gone = l.Lost(attempt=1, code=1012, reason="deploy", verdict=verdict)
    waiting, commands = step(life, gone)
    assert exact((l.Wait(1, 2.5),)) == exact(commands)
    assert Reconnecting(2, 2.5, verdict.at, 1012, "deploy", LOST) == waiting.shown
    asked, _ = step(waiting, l.DisconnectAsked())
    assert Closed(1012, "deploy") == asked.shown
    stopped, _ = step(
        life, l.Lost(attempt=1, code=1008, reason="no", verdict=enough(REFUSED))
    )
    assert Closed(1008, "no", REFUSED) == stopped.shown
    aborted, _ = step(life, l.AbortAsked())
    assert Closed(1006, "") == aborted.shown


def test_disconnect_begins_one_closing_handshake():
    """However often it is asked for, one Close frame goes out."""
    driver = Driver(life_in(Phase.NEW))
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
    assert Phase.FINISHED is driver.life.phase


def test_life_can_be_copied():
    """A life is plain data: what is kept of it, with its errors, can be pickled."""
    life = life_in(Phase.RECONNECTING)

    copied = pickle.loads(pickle.dumps(life))  # noqa: S301 - our own

    assert life.phase is copied.phase
    assert str(life.shown.error) == str(copied.shown.error)
