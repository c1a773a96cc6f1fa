"""What happened: one event for everything that a program or an operator may ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientEvent:
    """Something happened. Handed to `on_event`.

    Attributes:
        name: What; the names are listed in the documentation.
        at: When, UTC.
        details: The facts, by name. No secrets.

    Example:
        >>> import asyncio
        >>> from ws.testing import WebSocketClientFake
        >>> def tell(event: ClientEvent) -> None:
        ...     if event.name == "state_changed":
        ...         print(event.details["state"], event.details["cause"])
        >>> async def main() -> None:
        ...     options = WebSocketOptions(on_event=tell)
        ...     client = WebSocketClient.from_client(WebSocketClientFake(), options)
        ...     await client.connect("ws://anywhere/")
        >>> asyncio.run(main())
        Connecting(url='ws://anywhere/', attempt=1) connect
        Open(url='ws://anywhere/', protocol=None, connection=1) opened
    """

    name: str
    at: datetime
    details: Mapping[str, Any]
