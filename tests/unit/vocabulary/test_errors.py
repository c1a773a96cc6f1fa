"""The tree of errors, their attributes, and that they can be pickled and copied."""

import copy
import pickle

import pytest

from ws_common.vocabulary import errors
from ws_common.vocabulary.errors import (
    WSConnectionClosedError,
    WSError,
    WSHandshakeError,
    WSRetriesExhaustedError,
)

TREE = {
    "WSError": ("ws", ["Exception"]),
    "WSNotConnectedError": ("ws_not_connected", ["WSError"]),
    "WSHandshakeError": ("ws_handshake", ["WSNotConnectedError"]),
    "WSTimeoutError": ("ws_timeout", ["WSNotConnectedError", "TimeoutError"]),
    "WSRetriesExhaustedError": ("ws_retries_exhausted", ["WSNotConnectedError"]),
    "WSConnectionClosedError": ("ws_connection_closed", ["WSNotConnectedError"]),
    "WSSupersededError": ("ws_superseded", ["WSNotConnectedError"]),
    "WSInvalidUrlError": ("ws_invalid_url", ["WSNotConnectedError", "ValueError"]),
    "WSClientClosedError": ("ws_client_closed", ["WSError"]),
    "WSSendError": ("ws_send", ["WSError"]),
    "WSUnsupportedDataError": ("ws_unsupported_data", ["WSSendError", "TypeError"]),
    "WSOutboxFullError": ("ws_outbox_full", ["WSSendError"]),
    "WSMessageDroppedError": ("ws_message_dropped", ["WSSendError"]),
    "WSDecodeError": ("ws_decode", ["WSError", "ValueError"]),
    "WSDisconnectError": ("ws_disconnect", ["WSError"]),
    "WSInvalidCloseError": ("ws_invalid_close", ["WSDisconnectError", "ValueError"]),
    "WSStreamOverflowError": ("ws_stream_overflow", ["WSError"]),
    "WSUnsupportedError": ("ws_unsupported", ["WSError"]),
}
FACTS = {
    WSHandshakeError: {
        "status": 503,
        "headers": {"retry-after": "7"},
        "retry_after": 7.0,
        "permanent": True,
    },
    WSRetriesExhaustedError: {"attempts": 4},
    WSConnectionClosedError: {
        "close_code": 4009,
        "close_reason": "too big",
        "was_clean": True,
        "unconfirmed": 3,
    },
}


def find_error_classes() -> list[type[WSError]]:
    found = [one for one in vars(errors).values() if isinstance(one, type)]
    return [one for one in found if issubclass(one, WSError)]


def make(kind: type[WSError]) -> WSError:
    return kind("what went wrong", **FACTS.get(kind, {}))


def test_tree():
    """Every class has the base classes and the code that are documented."""
    found = {
        kind.__name__: (kind.code, [base.__name__ for base in kind.__bases__])
        for kind in find_error_classes()
    }

    assert TREE == found


def test_tree_in_the_docstring():
    """The tree in the docstring contains every class and every code."""
    for name, (code, _) in TREE.items():
        line = next(line for line in errors.__doc__.splitlines() if f"{name} " in line)
        assert code in line or name == "WSError", line


def test_codes_are_unique():
    """No two classes share a code."""
    codes = [kind.code for kind in find_error_classes()]

    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", find_error_classes())
def test_pickle(kind, protocol):
    """Every error can be pickled, with all of its attributes."""
    error = make(kind)
    error.add_note("seen at night")

    twin = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - our own

    assert kind is type(twin)
    assert error.args == twin.args
    assert str(error) == str(twin)
    assert vars(error) == vars(twin)
    assert FACTS.get(kind, {}).items() <= vars(twin).items()


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
@pytest.mark.parametrize("kind", find_error_classes())
def test_copy(kind, copied):
    """Every error can be copied."""
    error = make(kind)

    twin = copied(error)

    assert twin is not error
    assert (kind, error.args, vars(error)) == (type(twin), twin.args, vars(twin))


def test_subclasses_travel_too():
    """A subclass of a program can be pickled, even if its constructor differs."""
    error = OwnError(17)

    twin = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own

    assert 17 == twin.number
    assert "own 17" == str(twin)


class OwnError(WSError):
    """A subclass such as a program may define."""

    def __init__(self, number: int) -> None:
        super().__init__(f"own {number}")
        self.number = number


def test_deep_copy_shares_nothing():
    """Changing the headers of a deep copy does not change the original."""
    error = make(WSHandshakeError)
    copy.deepcopy(error).headers["x"] = "y"

    assert {"retry-after": "7"} == error.headers


def test_defaults():
    """Unknown facts are None, and errors do not share a mutable default."""
    first, second = WSHandshakeError("no"), WSHandshakeError("no")

    assert (None, {}, None) == (first.status, first.headers, first.retry_after)
    assert first.headers is not second.headers
    closed = WSConnectionClosedError()
    facts = (closed.close_code, closed.close_reason, closed.was_clean)
    assert (1006, "", False) == facts
    assert 0 == closed.unconfirmed


def test_words_of_a_closed_connection():
    """The message contains the name of the close code and the close reason."""
    assert "the connection was lost without a closing handshake (1006)" == str(
        WSConnectionClosedError()
    )
    assert "the connection was closed with 4001 ('bye')" == str(
        WSConnectionClosedError(close_code=4001, close_reason="bye")
    )
    assert "the connection was closed with no code" == str(
        WSConnectionClosedError(close_code=None)
    )


def test_caught_as_what_python_has():
    """Code that does not know this package catches the built-in classes of Python."""
    with pytest.raises(TimeoutError):
        raise errors.WSTimeoutError("too slow")
    with pytest.raises(ValueError, match="no host"):
        raise errors.WSInvalidUrlError("no host")
    with pytest.raises(TypeError):
        raise errors.WSUnsupportedDataError("a float")
