"""`from_client`: a custom client of one connection becomes a whole one."""

import asyncio
from contextlib import asynccontextmanager

import pytest

import ws
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime


async def items_of(queue):
    while True:
        yield await queue.get()


class CustomClient:
    """The least that `IWebSocketClient` asks for. Its `add()` takes a second."""

    def __init__(self):
        self.state = ws.Closed()
        self.calls = []
        self.sent = []
        self._states, self._messages = asyncio.Queue(), asyncio.Queue()

    @property
    def state_changes(self):
        return items_of(self._states)

    @property
    def stream(self):
        return items_of(self._messages)

    def become(self, state):
        self.state = state
        self._states.put_nowait(state)

    def receive(self, *messages):
        for message in messages:
            self._messages.put_nowait(message)

    async def connect(self, url):
        self.calls.append(("connect", url))
        self.become(ws.Open(url, "chat", 1))

    async def add(self, data):
        await asyncio.sleep(1)
        self.sent.append(data)

    async def disconnect(self, code=1000, reason="NORMAL_CLOSURE"):
        self.calls.append(("disconnect", code))
        self.become(ws.Closed(code, reason))

    close = disconnect


@asynccontextmanager
async def wrapped(**options):
    """A client that is connected over a custom one, and that one."""
    custom = CustomClient()
    options = ws.WebSocketOptions.common(
        heartbeat=None, connection_retry_interval=(1, 1), **options
    )
    async with ws.WebSocketClient.from_client(custom, options) as client:
        await client.connect("ws://host/")
        yield client, custom


async def test_what_it_knows_is_shown():
    """The subprotocol is that of its state; there is no handshake to see."""
    async with wrapped() as (client, _):
        assert client.protocol == "chat"
        assert client.handshake == ws.Handshake()
        with pytest.raises(ws.WSUnsupportedError, match="cannot send pings"):
            await client.ping()


async def test_messages_come_before_the_end():
    """Though they come by another stream, which is not read while it is paused."""
    async with wrapped(stream_capacity=1, stream_overflow="pause") as (client, custom):
        subscriber = client.stream.subscribe()
        custom.receive("a", "b", "c")
        custom.become(ws.Closed(1001, "going away"))
        await until_idle()
        assert client.state.is_open

        assert ["a", "b", "c"] == [await anext(subscriber) for _ in range(3)]
        await until_idle()
        assert isinstance(client.state, ws.Reconnecting)
        assert client.state.close_code == 1001


async def test_it_is_connected_again():
    """The wrapper brings the retries; the custom client has none."""
    async with wrapped() as (client, custom):
        custom.become(ws.Closed(1006))
        await client.state_changes.open.first()

        assert custom.calls == [("connect", "ws://host/")] * 2
        assert client.state.connection == 2


async def test_messages_are_sent_in_order_and_before_the_end():
    """close() waits until the custom client has taken them."""
    async with wrapped() as (client, custom):
        for text in ("a", "b"):
            await client.add(text)
        await client.add(b"c")
        await client.close(4000, "enough")

        assert ["a", "b", b"c"] == custom.sent
        assert ("disconnect", 4000) == custom.calls[-1]


async def test_its_buffer_counts():
    """What its `add()` has not taken yet is buffered."""
    async with wrapped() as (client, _):
        await client.add("hello")
        assert client.metrics.buffered_amount == 5
        await asyncio.sleep(2)
        assert client.metrics.buffered_amount == 0
