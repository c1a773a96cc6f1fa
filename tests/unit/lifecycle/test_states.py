"""The public states: what is open, what is closed, and what a repr hides."""

from datetime import UTC, datetime

import pytest

from ws_common.lifecycle.states import (
    Closed,
    Connecting,
    Disconnecting,
    Open,
    Reconnecting,
    WebSocketReadyState,
)

URL = "wss://user:password@example.org/chat?token=s3cr3t"
NOW = datetime(2030, 1, 1, tzinfo=UTC)

STATES = [
    (Connecting(URL, 1), 0),
    (Open(URL, "chat", 1), 1),
    (Disconnecting(1000, "bye"), 2),
    (Reconnecting(2, 0.5, NOW, 1006, "", None), 3),
    (Closed(), 3),
]


@pytest.mark.parametrize(("state", "number"), STATES, ids=repr)
def test_ready_states(state, number):
    """The numbers are those of browsers, and only `Closed` is closed."""
    assert WebSocketReadyState(number) is state.ready_state
    assert isinstance(state, Open) == state.is_open
    assert isinstance(state, Closed) == state.is_closed


@pytest.mark.parametrize("state", [Connecting(URL, 1), Open(URL, None, 1)], ids=repr)
def test_repr_hides_secrets(state):
    """Logs travel; the attribute itself is whole."""
    assert URL == state.url
    assert "example.org" in repr(state)
    for secret in ("password", "s3cr3t"):
        assert secret not in repr(state)


def test_states_are_immutable():
    """What is in the history stays as it was."""
    with pytest.raises(AttributeError):
        Closed().close_code = 1000


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (Connecting("ws://host/", 2), "Connecting: attempt 2"),
        (Open("ws://host/", "chat", 3), "Open: connection 3"),
        (Disconnecting(1001, ""), "Disconnecting: 1001"),
        (Disconnecting(None, None), "Disconnecting"),
        (
            Reconnecting(3, 1.234, datetime(2030, 1, 1, tzinfo=UTC), 1006, "", None),
            "Reconnecting: attempt 3 in 1.2 s after 1006",
        ),
        (Closed(), "Closed"),
        (Closed(1000, ""), "Closed: 1000"),
    ],
)
def test_text(state, text):
    """`str()` is short enough for a badge."""
    assert str(state) == text
