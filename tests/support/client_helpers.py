"""What the tests of the data path share: clients on the way, and what is told."""

import asyncio
from collections.abc import Callable
from typing import Any

import ws

SOON = ws.ConnectionRetryInterval(min=0.01, max=0.05)
"""Comes back by itself."""

LATER = ws.ConnectionRetryInterval(min=60, max=120)
"""Stays away until `reconnect()` is called."""


class Told(list[ws.ClientEvent]):
    """Takes what `on_event` is handed."""

    def named(self, name: str) -> list[dict[str, Any]]:
        """The details of all events with this name."""
        return [dict(event.details) for event in self if event.name == name]

    def __call__(self, event: ws.ClientEvent) -> None:
        self.append(event)


async def go_away(client: ws.WebSocketClient) -> None:
    """Lose the connection to `/echo`; returns when the client waits for the next."""
    with client.state_changes.reconnecting.subscribe() as waits:
        await client.add("abort")
        await anext(waits)


async def until(condition: Callable[[], object]) -> None:
    """Wait for what only the network's turn can bring."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - it need not be an event
            await asyncio.sleep(0)
