"""How loud an outage is: a warning first, and then at most one a minute."""

import logging
from datetime import UTC, datetime

from ws_common.diagnostics.outage import LINE_INTERVAL, Outage
from ws_common.lifecycle.states import Closed, Connecting, Open, Reconnecting
from ws_common.vocabulary.errors import (
    WSConnectionClosedError,
    WSNotConnectedError,
)

URL = "ws://host/"
WAITING = Reconnecting(2, 1.0, datetime(2030, 1, 1, tzinfo=UTC), None, None, None)
OPEN = Open(URL, None, 1)


def levels(outage: Outage, *changes) -> list[int]:
    found = []
    for state, now in changes:
        found.append(outage.level_of(state, now))
        outage.end(state)
    return found


def test_without_an_outage():
    """What goes well is no warning."""
    changes = ((Connecting(URL, 1), 0), (OPEN, 1), (Closed(1000, ""), 2))
    assert levels(Outage(), *changes) == [logging.INFO] * 3


def test_an_outage():
    """The first line is a warning, and so is one a minute later; the rest is detail."""
    changes = [(WAITING, 10), (Connecting(URL, 2), 11), (WAITING, 12)]
    later = [(WAITING, 10 + LINE_INTERVAL), (WAITING, 12 + LINE_INTERVAL), (OPEN, 99)]
    expected = ["WARNING", "DEBUG", "DEBUG", "WARNING", "DEBUG", "INFO"]
    assert [
        logging.getLevelName(one) for one in levels(Outage(), *changes, *later)
    ] == (expected)


def test_two_outages():
    """A connection ends the first: the second is as loud."""
    outage = Outage()
    assert levels(outage, (WAITING, 1), (OPEN, 2), (WAITING, 3))[2] == logging.WARNING
    assert outage.since == 3


def test_an_end_by_an_error():
    """Nothing comes after it: it is never left out."""
    closed = Closed(None, None, WSNotConnectedError("no"))
    assert (
        levels(Outage(), (WAITING, 1), (WAITING, 2), (closed, 3))[2] == logging.WARNING
    )


def test_a_proper_close():
    """It is how most conversations end, and no reason to worry."""
    bye = WSConnectionClosedError(close_code=1000, was_clean=True)
    refused = WSConnectionClosedError(close_code=1008, was_clean=True)
    assert levels(Outage(), (Closed(1000, "", bye), 1)) == [logging.INFO]
    assert levels(Outage(), (Closed(1008, "", refused), 1)) == [logging.WARNING]
