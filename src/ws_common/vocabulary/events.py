"""The event that `on_event` is called with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientEvent:
    """Something that happened to a client; `on_event` is called with it.

    Attributes:
        name: What happened; docs/lifecycle.md lists the names.
        at: When it happened, in UTC.
        details: The facts, by name. They contain no secrets.
        client_name: The option `name` of the client, or None.

    Example:
        >>> import asyncio
        >>> from ws.testing import WebSocketClientFake
        >>> def print_state(event: ClientEvent) -> None:
        ...     if event.name == "state_changed":
        ...         print(event.details["state"], event.details["cause"])
        >>> async def main() -> None:
        ...     options = WebSocketOptions(on_event=print_state)
        ...     client = WebSocketClient.from_client(WebSocketClientFake(), options)
        ...     await client.connect("ws://anywhere/")
        >>> asyncio.run(main())
        Connecting: attempt 1 connect
        Open: connection 1 opened
    """

    # Not a Literal: a program that matches on names must still type-check when a later
    # version adds one.
    name: str
    at: datetime
    details: Mapping[str, Any]
    client_name: str | None = None
