"""The two tables: every pair is decided, and the commands come in order."""

import pytest

from tests.support.client_model import URL, lost, state_in
from ws_common.connection import connection_table as c
from ws_common.lifecycle import client_state as l
from ws_common.lifecycle import client_table as machine
from ws_common.lifecycle.client_state import ClientState, Phase
from ws_common.lifecycle.client_table import step

EVENTS = [*l.Request.__args__, *l.Occurrence.__args__]
LIVE = (Phase.CONNECTING, Phase.OPEN, Phase.DISCONNECTING)


def live(kind: type, phase: Phase) -> bool:
    """Whether there can be an attempt in that phase to which this could happen."""
    if kind in l.Request.__args__:
        return True
    return phase is Phase.RECONNECTING if kind is l.RetryDue else phase in LIVE


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("kind", EVENTS)
def test_every_pair_of_the_client_is_decided(kind, phase):
    """The pair is in the table, or is ignored for a reason that is written down."""
    listed = (phase, kind) in machine.TABLE
    ignored = phase.value in machine.IGNORED.get(kind, {})
    stale = not live(kind, phase)

    assert listed + ignored + stale == 1 or (stale and kind is l.RetryDue and ignored)


@pytest.mark.parametrize("phase", list(c.Phase))
@pytest.mark.parametrize("kind", c.Event.__args__)
def test_every_pair_of_a_connection_is_decided(kind, phase):
    """The pair is in the table, or is ignored for a reason that is written down."""
    listed = (phase, kind) in c.TABLE
    ignored = (phase, kind) in c.IGNORED

    assert listed + ignored == 1


def names(commands):
    return [type(command).__name__ for command in commands]


OPENS = ["PublishState", "OpenConnection", "StartStableTimer", "AnswerConnect"]
RESTS = ["StopSending", "PublishState", "StopWatchingEnvironment", "ReportIdle"]


@pytest.mark.parametrize(
    ("phase", "event", "expected"),
    [
        (
            Phase.NEW,
            l.ConnectAsked(url=URL),
            ["PublishState", "WatchEnvironment", "FailSends", "StartAttempt"],
        ),
        (Phase.CONNECTING, l.Opened(attempt=1), OPENS),
        (
            Phase.OPEN,
            lost(),
            ["CountEnd", "StopSending", "PublishState", "Wait"],
        ),
        (
            Phase.OPEN,
            l.ReconnectAsked(),
            ["StopSending", "PublishState", "CloseInBackground", "CountEnd"],
        ),
        (
            Phase.OPEN,
            l.CloseAsked(),
            [
                "StopSending",
                "PublishState",
                "BeginClose",
                "DiscardReceived",
                "FailSends",
            ],
        ),
        (
            Phase.OPEN,
            l.AbortAsked(finish=True),
            [*RESTS, "Abandon", "CountEnd", "FailSends", "Finish"],
        ),
        (
            Phase.RECONNECTING,
            l.DisconnectAsked(),
            [*RESTS, "StopWaiting", "DiscardReceived", "FailSends"],
        ),
        (
            Phase.RECONNECTING,
            l.RetryDue(attempt=1),
            ["PublishState", "WatchEnvironment", "StartAttempt"],
        ),
    ],
)
def test_effects_are_commands_in_their_order(phase, event, expected):
    """A loss is counted before its report; messages flow before calls return."""
    _, commands = step(state_in(phase), event)

    assert expected == names(commands)


def test_the_code_of_a_peer_that_closes_is_counted():
    """A connection that is replaced as the peer closes it keeps its code."""
    closing, _ = step(
        state_in(Phase.OPEN), l.ClosingSeen(attempt=1, code=4001, reason="theirs")
    )

    _, commands = step(closing, l.ReconnectAsked())

    assert l.CountEnd(4001, "theirs") in commands


def test_a_new_client_shows_closed():
    """A client does not connect unless it was asked to."""
    assert isinstance(ClientState().public_state, l.Closed)
