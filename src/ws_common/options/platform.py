"""The properties of a platform, and the platform that the program runs on.

The package `ws` tests `sys.platform` once and binds the result here. Nothing in
`ws_common` tests for a platform itself.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from ws_common.vocabulary.clock import Clock
from ws_common.vocabulary.environment_events import EnvironmentEvents
from ws_common.vocabulary.messages import Data, set_converter

Overflow = Literal["pause", "drop_oldest", "drop_newest", "error"]


def _convert_nothing(_data: object) -> None:
    """Convert no additional types: native platforms have only those of Python."""


class Platform(NamedTuple):
    """How a platform opens connections, and its defaults and limits.

    Attributes:
        name: "vm" for native platforms, "js" for browsers.
        connector: Returns the `Connector` for the `WebSocketOptions` of a client. The
            types are `Any`, because options take their defaults from the platform.
        check_close_code: Raises WSUnsupportedError if this platform may not send a
            close code that the protocol allows.
        stream_capacity: The messages that a subscriber's buffer holds; None: no limit.
        stream_max_bytes: The payload bytes that it holds; None: no limit.
        stream_overflow: What happens to messages above these limits.
        write_limit: Bytes in the send buffer above which `add()` waits.
        too_big_code: The close code to send after a message over `max_size`.
        going_away_code: The close code to send if the program is cancelled; a page may
            not send 1001.
        environment_events: Returns a source of events of the network and the page;
            None: the platform has none.
        timer_slack: Seconds by which timers may be late although the program was not
            suspended: those of a hidden page fire only once a minute.
        to_data: Converts data of the platform's own types to a payload: to bytes, or to
            an object with a length that the transport accepts. It returns None for
            other objects.
        clock: The clock.
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


# A list of one instead of a `global`. Tests bind other platforms, so that the behaviour
# of a browser is tested without one.
_bound: list[Platform] = []


def bind(platform: Platform) -> None:
    """Set the platform that the program runs on."""
    _bound[:] = [platform]
    set_converter(platform.to_data)


def current() -> Platform:
    """Return the platform that `ws` has bound.

    Raises:
        RuntimeError: `ws_common` was imported without `ws`.
    """
    if not _bound:
        msg = "no platform is bound: import ws, not ws_common"
        raise RuntimeError(msg)
    return _bound[0]
