"""Events of the environment of a client: of the network, and of a page's lifecycle.

A browser reports them to a page; a native program gets no such reports. `ws_common`
defines the events and what they mean for a client. Listening to the browser is the task
of the platform (`ws_js.page_events`).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol

from ws_common.vocabulary.causes import Cause

EnvironmentEvent = Literal[
    "offline",
    "online",
    "page_cached",
    "page_shown",
    "page_frozen",
    "page_resumed",
    "page_visible",
]
"""The name of an event."""

Hold = Literal["offline", "page_cached", "page_frozen"]
"""A reason for which no attempt to connect is started."""

HOLD_REASONS: Mapping[Hold, str] = MappingProxyType(
    {
        "offline": "offline: waiting for the network",
        "page_cached": (
            "the page is in the back/forward cache: waiting for it to be shown again"
        ),
        "page_frozen": "the page is frozen: waiting for it to be resumed",
    }
)
"""What the client is waiting for, as `explain()` words it."""


class EventEffect(NamedTuple):
    """What an event means for a client.

    Attributes:
        hold: From now on no attempt is started, for this reason.
        release: This reason no longer holds, and an attempt that waited is started.
        cause: The cause of that attempt.
        probe: Whether a ping is sent on an open connection, to see if it still works.
        gap: Whether time may have passed while the page could not run.
    """

    hold: Hold | None = None
    release: Hold | None = None
    cause: Cause | None = None
    probe: bool = True
    gap: bool = False


# `offline` holds attempts only, and does not close a connection: in Chromium an open
# socket survives being offline and buffers what is sent (measured with `set_offline`),
# so the probe decides. A page that is put into the back/forward cache, or frozen, runs
# no timers: a ping whose answer nobody could see would end a live connection.
# When the page comes back the connection may be dead, so it is probed at once; Chrome
# closes sockets when a page enters that cache since version 149.
ENVIRONMENT_EVENTS: Mapping[EnvironmentEvent, EventEffect] = MappingProxyType(
    {
        "offline": EventEffect(hold="offline"),
        "online": EventEffect(release="offline", cause="online"),
        "page_cached": EventEffect(hold="page_cached", probe=False),
        "page_shown": EventEffect(release="page_cached", cause="page_shown", gap=True),
        "page_frozen": EventEffect(hold="page_frozen", probe=False),
        "page_resumed": EventEffect(
            release="page_frozen", cause="page_resumed", gap=True
        ),
        "page_visible": EventEffect(),
    }
)
"""The meaning of every event."""


class EnvironmentEvents(Protocol):
    """A source of events, which reports them between `start()` and `stop()`."""

    @property
    def is_offline(self) -> bool:
        """Whether the platform knows that there is no network."""
        ...

    def start(self, on_event: Callable[[EnvironmentEvent], None]) -> None:
        """Begin to listen, and call `on_event` with every event."""

    def stop(self) -> None:
        """Stop listening and remove all listeners. Idempotent."""
