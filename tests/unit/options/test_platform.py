"""The platform that the program runs on."""

import pytest

from ws_common.options import platform as platforms
from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.messages import to_wire


def test_bound(platform):
    """The platform that was bound last is the current one."""
    other = platform._replace(write_limit=7)

    platforms.bind(other)
    assert platforms.current() is other

    platforms.bind(platform)
    assert platforms.current() is platform


def test_nothing_bound(monkeypatch):
    """Without `ws`, an error says what to import."""
    monkeypatch.setattr(platforms, "_bound", [])

    with pytest.raises(RuntimeError, match="import ws, not ws_common"):
        platforms.current()


def test_defaults_of_options(platform):
    """Options take the defaults of the platform."""
    platforms.bind(
        platform._replace(
            stream_capacity=7, stream_overflow="drop_newest", write_limit=99
        )
    )
    options = WebSocketOptions()

    assert (7, "drop_newest", 99) == (
        options.stream_capacity,
        options.stream_overflow,
        options.write_limit,
    )


def test_data_of_the_platform(platform):
    """Binding a platform sets the conversion of its own types."""
    platforms.bind(platform._replace(to_data=lambda _: b"converted"))

    assert (b"converted", False) == to_wire(object())
