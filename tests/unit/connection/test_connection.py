"""The real connection does what its table says, for any sequence of events.

`tests/unit/connection/test_connection_table.py` has that the table keeps its rules.
"""

import asyncio
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import hypothesis.strategies as st
import looptime
import pytest
from hypothesis import event, given, settings

from tests.support.client_driver import leftovers
from tests.support.connection_pair import CLOSE_TIMEOUT, ENDS, Reactions, facts
from tests.support.idle import until_idle
from tests.support.real_connection import RealSide
from tests.support.reference_connection import ReferenceSide

WIRE = [f"closing {how}" for how in ENDS if how != "loss"]
WIRE += [f"closed {how}" for how in ENDS]
CLIENT = ["close", "replace", "abandon", "pause", "resume", "send", "others", "probe"]
QUIET = ["message", "byte", "drain", "wait_for_room"]

BEGINNINGS = st.sampled_from([[], ["attach"], ["pause", "attach", "open"]]) | st.just(
    ["attach", "open"]
)
PHRASES = [
    ["pause", "resume", 5],
    ["pause", 5, "resume"],
    ["send", "replace", "others"],
    ["probe", 1, "probe"],
    ["closing peer", 3],
    ["message", 4, "drain"],
    ["wait_for_room", "drain"],
]
ACTIONS = st.lists(
    st.one_of(
        st.sampled_from(["attach", "open", *CLIENT, *QUIET, *WIRE]).map(lambda x: [x]),
        st.integers(1, 5).map(lambda seconds: [seconds]),
        st.sampled_from(PHRASES),
    ),
    min_size=1,
    max_size=20,
).map(lambda phrases: [action for phrase in phrases for action in phrase])
EXAMPLES = 10 if sys.platform == "emscripten" else 400
LOGGED = [
    *("push", "pause", "resume", "close", "abort", "discard", "ended", "writable"),
    *("heartbeat_missed", "messages_unconfirmed", "report closing", "report end"),
]
REACTIONS = st.dictionaries(
    st.sampled_from(LOGGED),
    st.lists(st.sampled_from([*CLIENT, *QUIET, *WIRE]), min_size=1, max_size=3),
    max_size=4,
)


Log = list[tuple[Any, ...]]


async def compare_sides(
    actions: Sequence[str | int], reactions: Reactions, *, heartbeat: bool
) -> Log:
    """Play both sides, and compare them after every action.

    Returns:
        What was told to whom. The connection is abandoned after that.
    """
    clock = asyncio.get_running_loop().time
    real = RealSide(reactions, heartbeat=heartbeat)
    reference = ReferenceSide(reactions, clock, heartbeat=heartbeat)
    for action in actions:
        await act(action, real, reference)
    log = [*real.log]
    await act("abandon", real, reference)
    await until_idle()
    assert leftovers() == []
    return log


async def act(action: str | int, real: RealSide, reference: ReferenceSide) -> None:
    """Play one action on both sides, or let time pass."""
    if isinstance(action, str):
        real.act(action)
        reference.act(action)
    else:
        await asyncio.sleep(action)
        reference.wait(action)
    await until_idle()
    compare(real, reference)


def compare(real: RealSide, reference: ReferenceSide) -> None:
    """Compare the calls that both sides made, and all that can be asked of them."""
    expected, actual = reference.state, real.state
    assert reference.log == real.log
    assert expected._replace(closing=None, end=None) == actual._replace(
        closing=None, end=None
    )
    for one, other in [(expected.closing, actual.closing), (expected.end, actual.end)]:
        assert (one and facts(one)) == (other and facts(other))
    assert reference.rooms == real.rooms
    connection = real.connection
    assert reference.is_over == connection.is_over == connection.over.done()
    assert expected.opened == connection.was_opened
    error = connection.closed_error()
    close = expected.end or expected.closing or ENDS["loss"]
    assert (close.code, close.reason) == (error.close_code, error.close_reason)
    assert reference.unconfirmed == error.unconfirmed


def play(
    actions: Sequence[str | int],
    reactions: Reactions | None = None,
    *,
    heartbeat: bool = True,
) -> Log:
    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        return runner.run(compare_sides(actions, reactions or {}, heartbeat=heartbeat))


def reported_cause(log: Log) -> str | None:
    """Return the cause of the end that was reported to the owner."""
    return next((what[0] for name, *what in log if name == "report end"), None)


@settings(max_examples=EXAMPLES)
@given(beginning=BEGINNINGS, actions=ACTIONS, heartbeat=st.booleans())
def test_any_life(beginning, actions, heartbeat):
    """Both sides make the same calls in the same order, whatever happens."""
    log = play([*beginning, *actions], heartbeat=heartbeat)
    event(f"told of the end: {reported_cause(log)}")


@settings(max_examples=EXAMPLES)
@given(beginning=BEGINNINGS, actions=ACTIONS, reactions=REACTIONS)
def test_any_life_with_reactions(beginning, actions, reactions):
    """The same with callbacks that call the connection: events are queued."""
    log = play([*beginning, *actions], reactions)
    event(f"told of the end: {reported_cause(log)}")


def names(log: Log) -> list[str]:
    return [name for name, *_ in log]


@pytest.mark.parametrize(
    ("actions", "reactions", "expected"),
    [
        # What was held back fills its reader again, at once.
        (
            ["pause", "resume", "resume"],
            {"resume": ["message", "pause", "message"]},
            ["pause", "resume", "push", "pause", "push", "resume"],
        ),
        # What was held back ends with the end.
        (
            ["pause", "resume"],
            {"resume": ["message", "closing peer", "closed peer"]},
            ["pause", "resume", "push", "report closing", "ended", "report end"],
        ),
        # Behind the peer's Close, TCP had ended as well.
        (
            ["pause", "closing peer"],
            {"resume": ["closed peer"]},
            ["pause", "resume", "report closing", "ended", "report end"],
        ),
        (
            ["close"],
            {"close": ["closing answer", "closed answer"]},
            ["discard", "close", "ended", "report end"],
        ),
        # Reading goes on for our Close, and meets the end before that is sent.
        (
            ["pause", "close"],
            {"resume": ["message", "closed loss"]},
            ["pause", "discard", "resume", "push", "close", "ended", "report end"],
        ),
        (
            ["abandon"],
            {"abort": ["message", "closing peer", "closed loss"]},
            ["discard", "abort", "push", "ended"],
        ),
        (
            ["message", 5],
            {"abort": ["message", "closed loss"]},
            ["push", "heartbeat_missed", "abort", "push", "ended", "report end"],
        ),
    ],
)
def test_transport_that_reports_from_inside(actions, reactions, expected):
    """A transport may deliver or end while it is resumed, closed or aborted."""
    log = play(["attach", "open", *actions], reactions)

    assert expected == names(log)


@pytest.mark.parametrize(
    ("actions", "reactions", "expected"),
    [
        (
            ["closing peer", 3],
            {"report closing": ["close"]},
            ["report closing", "discard", "abort", "ended", "report end"],
        ),
        (
            ["closing peer", 3],
            {"report closing": ["replace"]},
            ["report closing", "discard", "abort", "ended"],
        ),
        (
            ["closing peer", 3],
            {"report closing": ["abandon"]},
            ["report closing", "discard", "abort", "ended"],
        ),
        (
            ["closed loss"],
            {"report end": ["close", "replace", "abandon"]},
            ["ended", "report end", "discard", "discard", "discard"],
        ),
        # It is told of the end all the same: that was in progress.
        (
            ["closed loss"],
            {"ended": ["abandon"]},
            ["ended", "report end", "discard"],
        ),
    ],
)
def test_owner_that_calls_back(actions, reactions, expected):
    """A call from inside a callback is handled after the current event."""
    log = play(["attach", "open", *actions], reactions)

    assert expected == names(log)


def test_late_success_is_freed():
    """A transport that arrives after the connection was abandoned is aborted."""
    log = play(["abandon", "attach"])

    assert ["discard", "ended", "abort", "attached too late"] == names(log)


def test_reading_does_not_wait_for_its_turn():
    """Reading is paused and resumed at once, also while an event is handled."""
    log = play(["pause", "attach"], {"pause": ["resume", "message"]})

    assert ["pause", "resume", "push"] == names(log)


@pytest.mark.parametrize("ending", ["close", "closing peer", "replace"])
@pytest.mark.looptime
async def test_what_closes_is_not_asked_for_signs_of_life(ending):
    """A closing connection sends no pings: its deadline ends it."""
    real = RealSide({}, heartbeat=True)
    for action in ("attach", "open", 2, ending, "probe", 2):
        if isinstance(action, str):
            real.act(action)
        else:
            await asyncio.sleep(action)

    assert [] == real.transport.pings
    real.act("abandon")


def refuse(*_: object) -> NoReturn:
    raise ValueError("the transport does not do that")


@pytest.mark.looptime
async def test_close_that_raises_is_bounded_all_the_same():
    """A close code that cannot be sent raises, and the deadline still runs."""
    real = RealSide({}, heartbeat=False)
    real.act("attach")
    real.act("open")
    real.transport.close = refuse

    with pytest.raises(ValueError, match="does not do that"):
        real.act("close")
    assert ["discard"] == names(real.log)
    await asyncio.sleep(CLOSE_TIMEOUT)

    assert ["discard", "abort", "ended", "report end"] == names(real.log)


@pytest.mark.looptime
async def test_abort_that_raises_does_not_keep_the_end_from_coming():
    """Everything is released, and those who wait are woken."""
    real = RealSide({}, heartbeat=False)
    real.act("attach")
    real.act("open")
    real.transport.abort = refuse

    with pytest.raises(ValueError, match="does not do that"):
        real.act("abandon")

    assert ["discard", "ended"] == names(real.log)
    assert real.connection.over.done()


@pytest.mark.looptime
async def test_owner_that_raises_does_not_keep_the_connection_from_ending():
    """The connection ends at its deadline, and the error of the owner is raised."""
    real = RealSide({}, heartbeat=False)
    real.act("attach")
    real.act("open")
    real.connection_closing = refuse

    with pytest.raises(ValueError, match="does not do that"):
        real.act("closing peer")
    await asyncio.sleep(CLOSE_TIMEOUT)

    assert ["abort", "ended", "report end"] == names(real.log)
