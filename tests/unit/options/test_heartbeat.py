"""The options of the heartbeat."""

from datetime import timedelta

import pytest

from ws_common.options.heartbeat import Heartbeat


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"interval": 0}, r"heartbeat\.interval"),
        ({"timeout": -1}, r"heartbeat\.timeout"),
        ({"timeout": "5"}, r"heartbeat\.timeout"),
        ({"is_reply": "pong"}, r"heartbeat\.is_reply"),
        ({"message": 3.5}, r"heartbeat\.message"),
    ],
)
def test_invalid_value(arguments, name):
    """An invalid value raises an error that names the attribute."""
    with pytest.raises((TypeError, ValueError), match=name):
        Heartbeat(**arguments)


def test_durations():
    """Durations are stored as float seconds."""
    heartbeat = Heartbeat(interval=timedelta(minutes=1), timeout=3)

    assert (60.0, 3.0) == (heartbeat.interval, heartbeat.timeout)


@pytest.mark.parametrize("message", ["ping", b"ping", [1, 2], lambda: "ping"])
def test_messages(message):
    """A message that can be sent, or a function that returns one, is stored."""
    assert message == Heartbeat(message=message).message
