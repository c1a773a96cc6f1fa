"""Options of the outbox, which keeps messages until there is a connection."""

from dataclasses import dataclass
from typing import Literal, get_args

from ws_common.vocabulary.durations import Seconds, to_optional_seconds

OutboxOverflow = Literal["error", "drop_oldest", "drop_newest"]


@dataclass(frozen=True, slots=True)
class Outbox:
    """The limits of the messages that `add_nowait()` keeps while it cannot send them.

    Attributes:
        max_messages: The maximal number of messages.
        max_bytes: The maximal number of their payload bytes.
        overflow: What happens to a message above a limit: "error" raises
            WSOutboxFullError; the others drop a message, and report it.
        ttl: Seconds after which a message expires and is not sent; None: never.

    Example:
        >>> import asyncio
        >>> from ws.testing import WebSocketClientFake
        >>> async def main() -> None:
        ...     fake = WebSocketClientFake()
        ...     fake.stall()
        ...     outbox = Outbox(max_messages=1, overflow="drop_oldest")
        ...     options = WebSocketOptions(outbox=outbox)
        ...     async with WebSocketClient.from_client(fake, options) as client:
        ...         connecting = asyncio.create_task(client.connect("ws://anywhere/"))
        ...         await client.state_changes.connecting.first()
        ...         old, new = client.add_nowait("1.10"), client.add_nowait("1.20")
        ...         fake.release()
        ...         await connecting
        ...         print(old.status, new.status)
        >>> asyncio.run(main())
        dropped sent
    """

    # Bounded by default: an unbounded outbox grows for as long as the network is away.
    max_messages: int = 256
    max_bytes: int = 1 << 20
    overflow: OutboxOverflow = "error"
    ttl: Seconds | None = None

    def __post_init__(self) -> None:
        """Validate, and store the duration as `float` seconds."""
        for name in ("max_messages", "max_bytes"):
            value = getattr(self, name)
            # 0 is valid: nothing is kept, and `add_nowait()` sends at once or raises.
            if type(value) is not int or value < 0:
                raise ValueError(f"outbox.{name} must be 0 or more, not {value!r}")
        if self.overflow not in get_args(OutboxOverflow):
            raise ValueError(
                f"outbox.overflow must be one of {get_args(OutboxOverflow)}, "
                f"not {self.overflow!r}"
            )
        object.__setattr__(self, "ttl", to_optional_seconds(self.ttl, "outbox.ttl"))
