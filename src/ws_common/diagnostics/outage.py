"""Decides which lines of an outage are worth a warning in the log.

Ten thousand clients that lose one server would write a line for each attempt of each of
them. So the first line of an outage is a warning, which says what comes next; after
that there is at most one line a minute and client, until it is over.
"""

import logging
from typing import Final

from ws_common.lifecycle.states import (
    Closed,
    Connecting,
    Open,
    Reconnecting,
    WebSocketClientState,
)
from ws_common.vocabulary.errors import WSConnectionClosedError, WSError

_ORDINARY_CODES: Final = (1000, 1001, 1005)

LINE_INTERVAL: Final = 60.0
"""Seconds between two warnings about the same outage."""


class Outage:
    """The time from a loss, or a failed attempt, until a connection is open again.

    Attributes:
        since: When it began, in loop time; None: there is none.
    """

    __slots__ = ("_next_line_at", "since")

    def __init__(self) -> None:
        self.since: float | None = None
        self._next_line_at = 0.0

    def level_of(self, state: WebSocketClientState, now: float) -> int:
        """Return the level at which a change to `state` is logged.

        Args:
            state: The new state.
            now: Loop time in seconds.
        """
        match state:
            case Reconnecting():
                if self.since is None:
                    self.since = now
                elif now < self._next_line_at:
                    return logging.DEBUG
                self._next_line_at = now + LINE_INTERVAL
                return logging.WARNING
            case Connecting() if self.since is not None:
                return logging.DEBUG
            case Closed(error=error) if error is not None and not _is_ordinary(error):
                return logging.WARNING
            case _:
                return logging.INFO

    def end(self, state: WebSocketClientState) -> None:
        """End it with a state in which nothing is tried again by itself."""
        if isinstance(state, Open | Closed):
            self.since = None


def _is_ordinary(error: WSError) -> bool:
    """Return whether the peer has just closed properly, as most conversations end."""
    return (
        isinstance(error, WSConnectionClosedError)
        and error.was_clean
        and error.close_code in _ORDINARY_CODES
    )
