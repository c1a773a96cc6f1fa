"""Checks of values that a program passes."""

import pytest

from ws_common.vocabulary.checks import must_be


def test_valid():
    """A valid value is returned unchanged."""
    value = ["any object"]

    assert must_be("anything", lambda _: True)("option", value) is value


def test_invalid():
    """The error for an invalid value names the option and the requirement."""
    check = must_be("above 0", lambda value: value > 0)

    with pytest.raises(ValueError, match=r"^timeout must be above 0, not -1$"):
        check("timeout", -1)


def test_class_of_the_error():
    """The class of the error can be chosen."""
    with pytest.raises(TypeError, match="callable"):
        must_be("callable", callable, TypeError)("on_event", 1)
