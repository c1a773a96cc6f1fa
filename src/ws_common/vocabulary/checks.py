"""Checks of the values that a program passes; the error names the option."""

from collections.abc import Callable
from typing import Any

Check = Callable[[str, Any], Any]
"""Takes the name and the value of an option; returns the value to store, or raises."""


def must_be(
    description: str,
    is_valid: Callable[[Any], bool],
    error: type[Exception] = ValueError,
) -> Check:
    """Make a check that returns a valid value unchanged.

    Args:
        description: What the value must be; the error message quotes it.
        is_valid: Tells whether a value is valid.
        error: The class of the exception for an invalid value.
    """

    def check(name: str, value: Any) -> Any:
        # The value is shown: none of the options that are checked in this way can
        # hold a secret. Headers and proxies have checks of their own, which hide it.
        if not is_valid(value):
            raise error(f"{name} must be {description}, not {value!r}")
        return value

    return check
