"""What becomes of an error that a connection raises for one message."""

import asyncio

import pytest

from ws_common.send.send_target import hand_over, send_error
from ws_common.vocabulary.errors import (
    WSConnectionClosedError,
    WSMessageDroppedError,
    WSSendError,
)


class Target:
    """A connection that raises, or sends."""

    above_limit = False

    def __init__(self, error: BaseException | None = None) -> None:
        self.sent = []
        self._error = error

    def send(self, data, *, text: bool) -> None:
        if self._error is not None:
            raise self._error
        self.sent.append((data, text))


def test_a_message_that_is_taken():
    """There is no error to return."""
    target = Target()

    assert hand_over(target, "hello", text=True) is None
    assert [("hello", True)] == target.sent


@pytest.mark.parametrize("error", [KeyError("odd"), asyncio.CancelledError()])
def test_whatever_a_transport_raises_is_returned(error):
    """It is the cause of an error of ours, which names it."""
    returned = hand_over(Target(error), b"x", text=False)

    assert isinstance(returned, WSMessageDroppedError)
    assert returned.__cause__ is error
    assert type(error).__name__ in str(returned)


def test_an_interrupt_is_raised():
    """A program that is stopped by hand is stopped here, too."""
    with pytest.raises(KeyboardInterrupt):
        hand_over(Target(KeyboardInterrupt()), b"x", text=False)


@pytest.mark.parametrize("error", [WSConnectionClosedError(), WSSendError("no")])
def test_errors_of_ours_stay_as_they_are(error):
    """They say better than any wrapper what happened."""
    assert send_error(error, "an interceptor raised") is error
