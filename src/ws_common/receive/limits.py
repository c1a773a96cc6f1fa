"""How much the buffer of a subscriber holds."""

from typing import NamedTuple

from ws_common.options.options import WebSocketOptions
from ws_common.options.platform import Overflow, Platform


class Limits(NamedTuple):
    """The limits of one buffer, and what happens above them.

    Attributes:
        capacity: The number of items; None: items are not counted.
        max_bytes: The number of payload bytes; None: bytes are not counted. Where an
            overflow would lose messages and there is a capacity, bytes are ignored.
        overflow: What happens above the limits.
        can_pause: Whether the platform can pause the socket. If it cannot, "pause"
            means "error" above `max_bytes`.
    """

    # Where an overflow drops messages, the capacity is what a program has chosen.
    # Dropping more because of a limit in bytes that it never set would surprise it.
    capacity: int | None
    max_bytes: int | None
    overflow: Overflow
    can_pause: bool = True


def limits_of(options: WebSocketOptions, platform: Platform) -> Limits:
    """Return the limits of a subscriber that sets none of its own."""
    return Limits(
        options.stream_capacity,
        platform.stream_max_bytes,
        options.stream_overflow,
        # A browser's WebSocket has no way to pause (WHATWG WebSockets), so that its
        # platform defaults to the overflow "error".
        can_pause=platform.stream_overflow == "pause",
    )
