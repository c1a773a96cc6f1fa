"""What a platform is to everything above it, and the one it runs on.

The package `ws` asks `sys.platform` once and binds the answer here. Nothing else
in `ws_common` knows which platform it is on.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from ws_common.vocabulary.clock import Clock
from ws_common.vocabulary.environment_events import EnvironmentEvents
from ws_common.vocabulary.messages import Data, set_converter

Overflow = Literal["pause", "drop_oldest", "drop_newest", "error"]


def _convert_nothing(_data: object) -> None:
    """Natively there is no data but Python's."""


class Platform(NamedTuple):
    """A platform: what opens its connections, and its defaults and limits.

    Attributes:
        name: "vm" natively, "js" in a browser.
        connector: Makes the `Connector` for a client's `WebSocketOptions`. Their types
            are not named here, since options take their defaults from the platform.
        check_close_code: Raises where this platform may not send a close code
            that the protocol itself allows.
        stream_capacity: Messages in a subscriber's buffer; None for no count.
        stream_max_bytes: Payload bytes in a subscriber's buffer; None: no limit.
        stream_overflow: What happens above that.
        write_limit: Bytes buffered for sending above which `add()` waits.
        too_big_code: The close code sent after a message over `max_size`.
        going_away_code: The close code sent by a program that was cancelled; a page may
            not send 1001.
        environment_events: Makes what hears of the network and the page; None:
            nothing does.
        timer_slack: Seconds by which timers may be late though nothing slept: those
            of a hidden page fire once a minute.
        to_data: Makes what is sent of the platform's own kinds of data, as they are
            now: bytes, or what stands for them (it has a length, and the transport
            takes it); None: it is none of them.
        clock: What time it is.
    """

    name: Literal["vm", "js"]
    connector: Callable[[Any], Any]
    check_close_code: Callable[[int], None]
    stream_capacity: int | None
    stream_max_bytes: int | None
    stream_overflow: Overflow
    write_limit: int
    too_big_code: int
    going_away_code: int = 1001
    environment_events: Callable[[], EnvironmentEvents] | None = None
    timer_slack: float = 0.0
    to_data: Callable[[Any], Data | None] = _convert_nothing
    clock: Clock = Clock()


_bound: list[Platform] = []


def bind(platform: Platform) -> None:
    """Make this the platform that everything runs on."""
    _bound[:] = [platform]
    set_converter(platform.to_data)


def current() -> Platform:
    """The platform that `ws` has bound.

    Raises:
        RuntimeError: `ws_common` was imported without `ws`.
    """
    if not _bound:
        msg = "no platform is bound: import ws, not ws_common"
        raise RuntimeError(msg)
    return _bound[0]
