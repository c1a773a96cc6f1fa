"""`help()` and notebooks show every option with its default."""

import inspect

import pytest

import ws
from ws_common.options.options import JsOptions, VmOptions

MADE_BY = [
    ws.connect,
    ws.WebSocketClient,
    ws.WebSocketClient.start,
    ws.WebSocketClient.from_client,
]


@pytest.mark.parametrize("function", MADE_BY)
def test_options_of_this_platform(function, platform):
    """Those of the other platform would raise, and are not shown."""
    kind = VmOptions if platform.name == "vm" else JsOptions
    parameters = inspect.signature(function).parameters
    keywords = {
        name for name, one in parameters.items() if one.kind is one.KEYWORD_ONLY
    }
    assert keywords == kind.__optional_keys__
    assert parameters["timeout"].default == 30.0
    assert parameters["reconnect"].default is False


def test_positional_arguments_stay():
    """A class shows no `self`, and a class method no `cls`."""
    assert list(inspect.signature(ws.connect).parameters)[:2] == ["url", "options"]
    started = inspect.signature(ws.WebSocketClient.start)
    assert list(started.parameters)[:2] == ["url", "options"]


def test_methods_of_one_platform():
    """They show what they take, wherever the program runs."""
    assert "user_agent" in inspect.signature(ws.WebSocketOptions.vm).parameters
    assert "diagnose" in inspect.signature(ws.WebSocketOptions.js).parameters
    common = inspect.signature(ws.WebSocketOptions).parameters
    assert "timeout" in common
    assert "user_agent" not in common
