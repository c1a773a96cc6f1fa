"""Helpers of the tests that send and receive: retry intervals, events, waiting."""

import asyncio
from collections.abc import Callable
from typing import Any

import ws

SOON = ws.ConnectionRetryInterval(min=0.01, max=0.05)
"""For a client that reconnects by itself during the test."""

LATER = ws.ConnectionRetryInterval(min=60, max=120)
"""For a client that stays away until `reconnect()` is called."""


class Told(list[ws.ClientEvent]):
    """A list of events, to be given as `on_event`."""

    def named(self, name: str) -> list[dict[str, Any]]:
        """Return the details of all events with this name."""
        return [dict(event.details) for event in self if event.name == name]

    def __call__(self, event: ws.ClientEvent) -> None:
        self.append(event)


async def go_away(client: ws.WebSocketClient) -> None:
    """Lose the connection to `/echo`. Returns when the client waits for a retry."""
    with client.state_changes.reconnecting.subscribe() as waits:
        await client.add("abort")
        await anext(waits)


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that has no event, such as what a socket brings."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - it need not be an event
            await asyncio.sleep(0)
