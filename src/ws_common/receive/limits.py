"""How much the buffer of a subscriber holds."""

from typing import NamedTuple

from ws_common.options.options import WebSocketOptions
from ws_common.options.platform import Overflow, Platform


class Limits(NamedTuple):
    """How much a buffer holds.

    Attributes:
        capacity: Items; None: no count.
        max_bytes: Payload bytes; None: not counted. Where overflow would lose
            messages, `capacity` alone counts if there is one.
        overflow: What happens above.
        can_pause: Whether the platform can; elsewhere "pause" is "error", above
            `max_bytes`.
    """

    capacity: int | None
    max_bytes: int | None
    overflow: Overflow
    can_pause: bool = True


def limits_of(options: WebSocketOptions, platform: Platform) -> Limits:
    """How much a subscriber's buffer holds, unless it says otherwise."""
    return Limits(
        options.stream_capacity,
        platform.stream_max_bytes,
        options.stream_overflow,
        can_pause=platform.stream_overflow == "pause",
    )
