"""The package `ws`: its names, and the platform that it binds."""

import sys

import pytest

import ws
from ws_common.options import platform as platforms


@pytest.mark.parametrize("name", ws.__all__)
def test_public_names_exist(name):
    """Every name in `__all__` exists."""
    assert getattr(ws, name) is not None


def test_names_are_sorted_and_unique():
    """No name is listed twice."""
    assert len(ws.__all__) == len(set(ws.__all__))


def test_platform():
    """The name of the platform is that of the bound one."""
    expected = "js" if sys.platform == "emscripten" else "vm"

    assert expected == ws.PLATFORM == platforms.current().name


def test_names_in_tracebacks():
    """Classes and functions show the name that programs import."""
    classes = [getattr(ws, name) for name in ws.__all__]
    modules = {getattr(one, "__module__", "ws") for one in classes}

    assert [] == [name for name in modules if name.startswith("ws_")]
    assert "ws.WSError" in f"{ws.WSError!r}"


def test_optional_modules_are_not_imported():
    """`import ws` leaves out what only tests and the command line need."""
    assert "testing" not in ws.__all__
    assert not hasattr(ws, "main")
