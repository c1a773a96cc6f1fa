"""How values that a program gives are checked: the error names the option."""

from collections.abc import Callable
from typing import Any

Check = Callable[[str, Any], Any]
"""Takes the option's name and value; returns what is kept, or raises."""


def must_be(
    description: str,
    is_valid: Callable[[Any], bool],
    error: type[Exception] = ValueError,
) -> Check:
    """Make a check that keeps a value as it is.

    Args:
        description: What the value must be, for the error.
        is_valid: Whether it is that.
        error: What is raised where it is not.
    """

    def check(name: str, value: Any) -> Any:
        if not is_valid(value):
            raise error(f"{name} must be {description}, not {value!r}")
        return value

    return check
