"""The limits of subscribers that set none of their own."""

import pytest

from ws_common.options.options import WebSocketOptions
from ws_common.receive.limits import Limits, limits_of


def test_limits_of_the_options(platform):
    """The options give the capacity and the overflow, the platform gives the bytes."""
    options = WebSocketOptions(stream_capacity=7, stream_overflow="drop_oldest")
    can_pause = platform.stream_overflow == "pause"
    max_bytes = platform.stream_max_bytes
    expected = Limits(7, max_bytes, "drop_oldest", can_pause=can_pause)
    assert expected == limits_of(options, platform)


@pytest.mark.parametrize(("overflow", "can_pause"), [("pause", True), ("error", False)])
def test_a_platform_that_cannot_pause(platform, overflow, can_pause):
    """A platform whose own default is not "pause" has no way to pause."""
    chosen = platform._replace(stream_overflow=overflow)
    assert can_pause == limits_of(WebSocketOptions(), chosen).can_pause
