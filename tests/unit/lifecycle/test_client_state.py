"""What can be asked of the state of the client's table."""

import pytest

from tests.support.client_model import lost, state_in, stop_decision
from ws_common.lifecycle import client_state as l
from ws_common.lifecycle.client_state import Phase
from ws_common.lifecycle.client_table import step

EXPECTING = {Phase.CONNECTING, Phase.OPEN, Phase.RECONNECTING}
IDLE = {Phase.NEW, Phase.CLOSED, Phase.FINISHED}


@pytest.mark.parametrize("phase", list(Phase))
def test_phases(phase):
    """Each phase is idle, expects a connection, or closes one."""
    state = state_in(phase)

    assert (phase in IDLE) == state.is_idle
    assert (phase in EXPECTING) == state.expects_connection(retries=False)
    assert (phase is Phase.FINISHED) == state.is_finishing


def test_a_closing_connection_may_be_followed_by_a_retry():
    """A message may wait then; but not for a connection that was told to close."""
    by_peer = state_in(Phase.DISCONNECTING)
    by_us, _ = step(state_in(Phase.OPEN), l.DisconnectAsked())

    assert by_peer.expects_connection(retries=True)
    assert not by_us.expects_connection(retries=True)


def test_close_counts_from_the_call_on():
    """The client is finishing while its connection still closes."""
    closing, _ = step(state_in(Phase.OPEN), l.CloseAsked())

    assert closing.is_finishing
    assert not closing.is_idle


def test_reconnecting_after_a_stable_connection():
    """The streak is empty then, and the attempt is a reconnection all the same."""
    stable, _ = step(state_in(Phase.OPEN), l.BecameStable(attempt=1))

    assert not state_in(Phase.CONNECTING).is_reconnecting
    assert stable.is_reconnecting


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        (Phase.NEW, "call connect() first"),
        (Phase.DISCONNECTING, "it is being closed"),
        (Phase.CLOSED, "the last one ended"),
    ],
)
def test_error_says_why_there_is_no_connection(phase, words):
    """And what can be done, or which error has ended the last connection."""
    error = state_in(phase).not_connected()

    assert words in str(error)
    assert (phase is Phase.CLOSED) == (error.__cause__ is not None)


def test_error_after_an_end_that_was_asked_for():
    """The connection was not lost, so no cause is named."""
    closing, _ = step(state_in(Phase.OPEN), l.DisconnectAsked())
    closed, _ = step(closing, lost(stop_decision()))

    assert "call connect() again" in str(closed.not_connected())
