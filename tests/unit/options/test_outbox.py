"""The options of the outbox."""

from datetime import timedelta

import pytest

from ws_common.options.outbox import Outbox


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"max_messages": -1}, r"outbox\.max_messages"),
        ({"max_messages": True}, r"outbox\.max_messages"),
        ({"max_bytes": 1.5}, r"outbox\.max_bytes"),
        ({"overflow": "pause"}, r"outbox\.overflow"),
        ({"ttl": 0}, r"outbox\.ttl"),
    ],
)
def test_invalid_value(arguments, name):
    """An invalid value raises an error that names the attribute."""
    with pytest.raises((TypeError, ValueError), match=name):
        Outbox(**arguments)


def test_ttl():
    """The `ttl` is stored as float seconds, or as None."""
    assert 60.0 == Outbox(ttl=timedelta(minutes=1)).ttl
    assert Outbox().ttl is None


def test_no_messages():
    """An outbox may keep nothing."""
    outbox = Outbox(max_messages=0, max_bytes=0)

    assert (0, 0) == (outbox.max_messages, outbox.max_bytes)
