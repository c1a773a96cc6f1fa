"""The table of a connection, driven by random sequences of events.

The rules at the head of `connection_table.py` are what `ConnectionDriver` checks
after every step. `tests/unit/lifecycle/test_tables.py` has that every pair is decided.
"""

from collections import deque

import hypothesis.strategies as st
import pytest
from hypothesis import event as label
from hypothesis import given

from tests.support.connection_model import (
    ANSWER,
    BY_PEER,
    FAILURE,
    LOSS,
    OVER,
    ConnectionDriver,
    Step,
    events,
)
from ws_common.connection import connection_table as c
from ws_common.connection.connection_table import TABLE, Phase, State, step
from ws_common.vocabulary.transport import CloseInfo

DECLARED = {
    (phase, kind, target)
    for (phase, kind), edge in TABLE.items()
    for target in edge.targets
}

CLOSES = st.builds(
    CloseInfo,
    code=st.sampled_from([1000, 1001, 1005, 1006, 4999]),
    reason=st.sampled_from(["", "bye"]),
    was_clean=st.booleans(),
    initiator=st.sampled_from(["local", "peer", "network"]),
)
EVENTS = st.one_of(
    st.sampled_from(
        [c.Attached(), c.Opened(), c.PauseAsked(), c.ResumeAsked(), c.PauseAsked()]
    ),
    st.builds(c.CloseSeen, CLOSES),
    st.sampled_from([c.CloseAsked(None, None), c.ReplaceAsked(), c.AbandonAsked()]),
    st.builds(c.EndSeen, CLOSES),
    st.builds(c.KeepaliveExpired, CLOSES),
    st.builds(c.DeadlineExpired, CLOSES),
)


@given(happenings=st.lists(EVENTS, max_size=30))
def test_rules_hold_for_any_sequence(happenings):
    """Any sequence of events keeps the rules: there is one end, reported once."""
    driver = ConnectionDriver()
    for happening in happenings:
        driver.feed(happening)
    label(f"ends as {driver.state.phase.value}")


@given(happenings=st.lists(EVENTS, max_size=30))
def test_any_connection_can_be_abandoned(happenings):
    """`AbandonAsked` frees the socket in every state."""
    driver = ConnectionDriver()
    for happening in [*happenings, c.AbandonAsked()]:
        driver.feed(happening)

    assert Phase.ABANDONED is driver.state.phase


@given(happenings=st.lists(EVENTS, max_size=30))
def test_a_closing_ends_at_the_deadline(happenings):
    """A connection that was asked to close has ended when its deadline expires."""
    driver = ConnectionDriver()
    for happening in [*happenings, c.CloseAsked(), c.DeadlineExpired(LOSS)]:
        driver.feed(happening)

    assert driver.state.phase in OVER


def explore() -> set[Step]:
    """Take every step from every situation, and return the steps taken."""
    reached = set()
    first = ConnectionDriver()
    known = {(first.state, first.model)}
    frontier = deque([first])
    while frontier:
        here = frontier.popleft()
        for happening in events():
            there = ConnectionDriver(here.state, here.model)
            there.feed(happening)
            reached |= there.steps
            if (there.state, there.model) not in known:
                known.add((there.state, there.model))
                frontier.append(there)
    return reached


def test_every_edge_is_reached_and_nothing_else():
    """Every step keeps the rules, and every declared target is reached."""
    reached = explore()

    assert DECLARED == reached


OPEN = (c.Attached(), c.Opened())


@pytest.mark.parametrize(
    ("happenings", "cause"),
    [
        ([c.EndSeen(LOSS)], "network_lost"),
        ([c.EndSeen(BY_PEER)], "peer_closed"),
        ([c.CloseSeen(BY_PEER), c.EndSeen(BY_PEER)], "peer_closed"),
        ([c.CloseSeen(FAILURE), c.EndSeen(FAILURE)], "protocol_failure"),
        ([c.CloseAsked(), c.EndSeen(ANSWER)], "closed"),
        ([c.CloseAsked(), c.EndSeen(LOSS)], "closed"),
        ([c.CloseSeen(BY_PEER), c.DeadlineExpired(LOSS)], "close_timeout"),
        ([c.CloseAsked(), c.DeadlineExpired(LOSS)], "close_timeout"),
        ([c.KeepaliveExpired(LOSS)], "heartbeat_timeout"),
    ],
)
def test_cause_of_an_end(happenings, cause):
    """Every way to end has a cause, which is reported to the owner."""
    driver = ConnectionDriver()
    for happening in [*OPEN, *happenings]:
        commands = driver.feed(happening)

    assert cause == driver.state.cause
    assert [cause] == [one.cause for one in commands if isinstance(one, c.ReportEnd)]


@pytest.mark.parametrize("opens", [True, False])
def test_the_first_close_counts(opens):
    """What the peer's Close frame says is not overwritten by what follows it."""
    driver = ConnectionDriver()
    for happening in [
        *OPEN[: 1 + opens],
        c.CloseSeen(BY_PEER),
        c.CloseSeen(FAILURE),
        c.DeadlineExpired(LOSS),
    ]:
        driver.feed(happening)

    assert BY_PEER == driver.state.end


def test_what_came_before_the_opening_is_told_behind_it():
    """If a server closes at once, the owner hears of the closing, then of the end."""
    driver = ConnectionDriver()
    told = [
        one
        for happening in [
            c.CloseSeen(BY_PEER),
            c.EndSeen(BY_PEER),
            c.Attached(),
            c.Opened(),
        ]
        for one in driver.feed(happening)
        if isinstance(one, c.ReportClosing | c.ReportEnd)
    ]

    assert [c.ReportClosing(BY_PEER), c.ReportEnd("peer_closed", BY_PEER)] == told


def names(commands):
    return [type(command).__name__ for command in commands]


@pytest.mark.parametrize(
    ("happening", "expected"),
    [
        (
            c.CloseAsked(),
            ["Discard", "ResumeReading", "StopKeepalive", "StartDeadline", "SendClose"],
        ),
        (
            c.CloseSeen(BY_PEER),
            ["ResumeReading", "StopKeepalive", "StartDeadline", "ReportClosing"],
        ),
        (c.KeepaliveExpired(LOSS), ["ReportSilence", "Abort", "TearDown", "ReportEnd"]),
        (c.EndSeen(LOSS), ["TearDown", "ReportEnd"]),
        (c.AbandonAsked(), ["Discard", "Abort", "TearDown"]),
    ],
)
def test_effects_are_commands_in_their_order(happening, expected):
    """Messages are discarded before reading resumes, and the owner is called last."""
    paused = State(phase=Phase.OPEN, opened=True, paused=True)

    _, commands = step(paused, happening)

    assert expected == names(commands)
