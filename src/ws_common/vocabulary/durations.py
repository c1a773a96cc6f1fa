"""Durations, given as seconds or as a `datetime.timedelta`, stored as `float`."""

import math
from datetime import timedelta

Seconds = float | timedelta


def to_seconds(value: object, name: str, *, allow_zero: bool = False) -> float:
    """Check a duration and return it as `float` seconds.

    Args:
        value: Seconds as `int` or `float`, or a `timedelta`.
        name: The name of the option, for the error message.
        allow_zero: Whether 0 is allowed.

    Raises:
        TypeError: The value is neither a number nor a `timedelta`.
        ValueError: It is negative, not finite, or 0 where that is not allowed.
    """
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    # `bool` is an `int`, and `timeout=True` is a mistake, not a second.
    elif isinstance(value, int | float) and not isinstance(value, bool):
        try:  # an `int` may be larger than any float: it is not finite for us
            seconds = float(value)
        except OverflowError:
            seconds = math.inf
    else:
        raise TypeError(f"{name} must be seconds or a timedelta, not {value!r}")
    if not math.isfinite(seconds) or seconds < 0 or (seconds == 0 and not allow_zero):
        bound = "0 or more" if allow_zero else "above 0"
        raise ValueError(f"{name} must be {bound} and finite, not {value!r}")
    return seconds


def seconds(value: Seconds) -> float:
    """Return a duration that was checked before as `float` seconds."""
    return value.total_seconds() if isinstance(value, timedelta) else value


def to_optional_seconds(value: object, name: str) -> float | None:
    """Check a duration above 0 and return it as `float` seconds, or None for None."""
    return None if value is None else to_seconds(value, name)
