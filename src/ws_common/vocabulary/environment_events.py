"""What the surroundings of a client tell it: the network is gone, the page is shown.

A page is told such things, a native program is not. `ws_common` knows the words
alone; who hears them first is the platform.
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
"""What happened."""

Hold = Literal["offline", "page_cached", "page_frozen"]
"""Why no attempt is begun."""

HOLD_REASONS: Mapping[Hold, str] = MappingProxyType(
    {
        "offline": "offline: waiting for the network",
        "page_cached": "the page was left: waiting for it to be shown again",
        "page_frozen": "the page is frozen: waiting for it to go on",
    }
)
"""What is waited for, in words."""


class EventEffect(NamedTuple):
    """What a signal means for a client.

    Attributes:
        hold: From here on no attempt is begun.
        release: That is over, and now is the time for one; `cause` says why.
        cause: The cause of that attempt.
        probe: An open connection is asked whether it lives.
        gap: Time may have passed unnoticed.
    """

    hold: Hold | None = None
    release: Hold | None = None
    cause: Cause | None = None
    probe: bool = True
    gap: bool = False


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
"""Signal by signal."""


class EnvironmentEvents(Protocol):
    """Hears what happens, between `start()` and `stop()`."""

    @property
    def is_offline(self) -> bool:
        """Whether it is known that there is no network."""
        ...

    def start(self, on_event: Callable[[EnvironmentEvent], None]) -> None:
        """Begin to listen."""

    def stop(self) -> None:
        """Listen no more, and free everything. Idempotent."""
