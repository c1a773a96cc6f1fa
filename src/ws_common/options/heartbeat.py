"""Options of the heartbeat, which detects dead connections that TCP does not notice."""

from collections.abc import Callable
from dataclasses import dataclass

from ws_common.vocabulary.durations import Seconds, to_seconds
from ws_common.vocabulary.errors import WSUnsupportedDataError
from ws_common.vocabulary.messages import Data, Sendable, to_wire


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """How often the client pings the peer, and how long it waits for any activity.

    Native clients always send Ping frames. A page in a browser cannot send them, so
    that `message` is sent there; without `message` the heartbeat does nothing in a
    browser, and ends no connection. Every byte from the peer counts as activity, also
    one of an incomplete message, and so does a send buffer that drains.

    Attributes:
        interval: Seconds without activity after which a ping is sent.
        timeout: Seconds to wait for activity after the ping.
        message: The message to send as a ping, or a function that returns it.
        is_reply: Returns whether a message is a reply to `message`; replies are not
            delivered to streams.

    Example:
        Send a message as a ping in browsers, which have no other:

        >>> heartbeat = Heartbeat(
        ...     interval=15,
        ...     timeout=5,
        ...     message="ping",
        ...     is_reply=lambda data: data == "pong",
        ... )
        >>> options = WebSocketOptions(heartbeat=heartbeat)
    """

    # A Pong is not required: a peer that sends a large message for half a minute cannot
    # answer in between, and is alive. Keepalives that insist on the Pong end such
    # connections. 20 seconds keep a connection through nginx open, which closes it
    # after 60 idle seconds by default.
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
            # Checked now, because later it would fail in a timer, far from its cause.
            try:
                to_wire(self.message)
            except WSUnsupportedDataError as error:
                raise WSUnsupportedDataError(f"heartbeat.message: {error}") from error
        if self.is_reply is not None and not callable(self.is_reply):
            msg = f"heartbeat.is_reply must be callable, not {self.is_reply!r}"
            raise TypeError(msg)
