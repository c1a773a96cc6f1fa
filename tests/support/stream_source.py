"""A connected client with one stream, for tests of who reads it."""

from collections.abc import AsyncIterable
from typing import Any

from tests.support.client_driver import URL, begin, outcome
from tests.support.idle import until_idle


class Source:
    """A client whose buffers have room for one message, and what it reports.

    Attributes:
        client: The client.
        stream: The stream of its messages.
        transport: The transport of its last connection.
    """

    def __init__(self, client, connector, events) -> None:
        self.client = client
        self.stream = client.stream
        self.transport = None
        self._connector = connector
        self._events = events

    @property
    def pauses(self) -> list[bool]:
        return self.transport.pauses

    @property
    def errors(self) -> list[tuple[str, Exception]]:
        raised = [event for event in self._events if "error" in event.details]
        return [(event.name, event.details["error"]) for event in raised]

    async def connect(self) -> None:
        connecting = begin(self.client.connect(URL))
        self.transport = await self._connector.opened()
        await connecting

    def say(self, *items: str | bytes) -> None:
        for item in items:
            self.transport.message(item)

    async def end(self, error=None, code=1000, *, final=False) -> None:
        """End the connection: by the peer, by an attempt that fails, or by `close()`.

        Args:
            error: The error of an attempt; None: no attempt is made.
            code: The close code.
            final: Whether the client calls `close()`.
        """
        if final:
            closing = begin(self.client.close(code))
            await until_idle()
            self.transport.closed(code, initiator="local")
            await closing
        elif error is None:
            self.transport.closed(code)
            await until_idle()
        else:
            again = begin(self.client.reconnect())
            (await self._connector.next()).refuse(error)
            assert await outcome(again) is error

    async def is_held_up(self) -> bool:
        """Whether a subscriber exists that does not read."""
        self.say("one", "two")
        await until_idle()
        return self.transport.paused


async def collect(items: AsyncIterable[Any]) -> list[Any]:
    """Read everything up to the end."""
    return [item async for item in items]
