"""Heartbeat: finds the dead connection that TCP still calls alive."""

from collections.abc import Callable
from dataclasses import dataclass

from ws_common.vocabulary.durations import Seconds, to_seconds
from ws_common.vocabulary.errors import WSUnsupportedDataError
from ws_common.vocabulary.messages import Data, Sendable, to_wire


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """How often to ask the peer for a sign of life, and how long to wait for one.

    Natively protocol pings are sent, always. A browser lets a page send none, so
    `message` is sent there; without one the browser's heartbeat does nothing, and
    kills nothing. Any byte from the peer counts as life, half a message too, and
    so does a send buffer that drains.

    Attributes:
        interval: Seconds of silence before asking.
        timeout: Seconds to wait for any sign of life after that.
        message: An application-level ping, or what makes one.
        is_reply: Tells the answers to `message`; they are not handed to streams.

    Example:
        With an application-level ping for the browser, which has no other:

        >>> heartbeat = Heartbeat(
        ...     interval=15,
        ...     timeout=5,
        ...     message="ping",
        ...     is_reply=lambda data: data == "pong",
        ... )
        >>> options = WebSocketOptions(heartbeat=heartbeat)
    """

    interval: Seconds = 20.0
    timeout: Seconds = 20.0
    message: Sendable | Callable[[], Sendable] | None = None
    is_reply: Callable[[Data], bool] | None = None

    def __post_init__(self) -> None:
        """Validate, and store durations as `float` seconds."""
        for name in ("interval", "timeout"):
            duration = to_seconds(getattr(self, name), f"heartbeat.{name}")
            object.__setattr__(self, name, duration)
        if self.message is not None and not callable(self.message):
            try:
                to_wire(self.message)
            except WSUnsupportedDataError as error:
                raise WSUnsupportedDataError(f"heartbeat.message: {error}") from error
        if self.is_reply is not None and not callable(self.is_reply):
            msg = f"heartbeat.is_reply must be callable, not {self.is_reply!r}"
            raise TypeError(msg)
