"""Parsing `Retry-After`: seconds, or a date by the clock of the server."""

import datetime as dt
from email.utils import format_datetime

import pytest

from ws_common.vocabulary.retry_after import parse_retry_after

NOON = dt.datetime(2030, 1, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "999999999999"}, 999999999999.0),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "٣"}, None),
        (
            {
                "retry-after": format_datetime(NOON + dt.timedelta(seconds=90)),
                "date": format_datetime(NOON),
            },
            90.0,
        ),
        (
            {
                "retry-after": format_datetime(NOON - dt.timedelta(days=1)),
                "date": format_datetime(NOON),
            },
            0.0,
        ),
    ],
)
def test_retry_after(headers, seconds):
    """Seconds and dates are parsed; anything else is None."""
    assert parse_retry_after(headers) == seconds


def test_retry_after_by_our_clock():
    """Without a date of the server, our clock is used."""
    until = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    seconds = parse_retry_after({"retry-after": format_datetime(until)})
    assert seconds == pytest.approx(3600, abs=5)
