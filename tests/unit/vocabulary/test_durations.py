"""Durations: which values are valid, and how they are stored."""

import math
from datetime import timedelta

import pytest

from ws_common.vocabulary.durations import to_optional_seconds, to_seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(1, 1.0), (0.25, 0.25), (timedelta(minutes=1), 60.0)],
)
def test_durations(value, seconds):
    """Durations may be numbers or a timedelta, and are stored as float."""
    assert seconds == to_seconds(value, "x")
    assert isinstance(to_seconds(value, "x"), float)
    assert to_optional_seconds(None, "x") is None
    assert 0.0 == to_seconds(0, "x", allow_zero=True)


@pytest.mark.parametrize(
    "value", [0, -1, math.nan, math.inf, 10**400, timedelta(0), timedelta(days=-1)]
)
def test_out_of_range(value):
    """A duration that is not above 0 and finite raises ValueError with its name."""
    with pytest.raises(ValueError, match="timeout must be above 0 and finite"):
        to_seconds(value, "timeout")


@pytest.mark.parametrize("value", [None, "1", True, b"1"])
def test_wrong_type(value):
    """Anything but a number or a timedelta raises TypeError; so does a boolean."""
    with pytest.raises(TypeError, match="timeout must be seconds or a timedelta"):
        to_seconds(value, "timeout")
