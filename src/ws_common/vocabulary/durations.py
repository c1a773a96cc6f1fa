"""Durations: seconds as a number, or a `datetime.timedelta`."""

import math
from datetime import timedelta

Seconds = float | timedelta


def to_seconds(value: object, name: str, *, allow_zero: bool = False) -> float:
    """Return a duration as `float` seconds, or raise naming the option.

    Args:
        value: Seconds as `int` or `float`, or a `timedelta`.
        name: The option's name, for the error.
        allow_zero: Whether 0 is allowed.

    Raises:
        TypeError: Not a number and not a `timedelta`.
        ValueError: Negative, not finite, or 0 where that is not allowed.
    """
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        try:
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
    """Return a checked duration as `float` seconds."""
    return value.total_seconds() if isinstance(value, timedelta) else value


def to_optional_seconds(value: object, name: str) -> float | None:
    """Return a duration above 0 as `float` seconds; None passes through."""
    return None if value is None else to_seconds(value, name)
