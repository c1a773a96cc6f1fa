"""Sessions: one for each connection."""

import asyncio

import pytest
from looptime import LoopTimeProxy

import ws
from tests.support.client_driver import URL, begin, driven, opened
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()

RETRY = {"connection_retry_interval": (1, 1), "close_timeout": 3}


class Holding(ws.WSInterceptor):
    """Holds each message until it is released."""

    def __init__(self) -> None:
        self.released = asyncio.Event()

    async def on_message(self, data, next) -> None:
        await self.released.wait()
        await next(data)


async def test_sessions():
    """There is one for each connection; the feed goes on when an iteration ends."""
    connector = FakeConnector()
    log = []

    async def follow(client) -> None:
        async for session in client.sessions():
            log.append((session.connection, [text async for text in session]))
            with pytest.raises(ws.WSConnectionClosedError):
                await session.add("too late")

    async with opened(connector, **RETRY) as (client, transport):
        following = begin(follow(client))
        for number in range(3):
            await until_idle()
            transport.message(f"{number}")
            transport.closed()
            transport = await connector.opened()  # noqa: PLW2901 - the next one
        again = begin(client.reconnect())
        await connector.opened()
        await again
        begin(client.disconnect())
        await asyncio.sleep(3)
        await following
    assert log == [(1, ["0"]), (2, ["1"]), (3, ["2"]), (4, []), (5, [])]


@pytest.mark.parametrize("how", ["cancelled", "replaced"])
async def test_a_session_never_hears_another_connection(how):
    """It gets no message of a later connection, however its own has ended."""
    connector = FakeConnector()
    async with opened(connector, **RETRY) as (client, old):
        messages = aiter(await anext(client.sessions()))
        old.message("mine")
        if how == "cancelled":
            disconnecting = begin(client.disconnect())
            await until_idle()
            disconnecting.cancel()
            await until_idle()
            assert old.aborted
        begin(client.connect(URL))
        (await connector.opened()).message("not mine")
        assert [text async for text in messages] == ["mine"]


async def test_sessions_asked_for_as_it_opens():
    """Each connection comes once, though `sessions()` was called in its first event."""
    feeds = []

    def on_event(event):
        if event.name == "state_changed" and client.state.is_open and not feeds:
            feeds.append(client.sessions())

    connector = FakeConnector()
    async with driven(connector, on_event=on_event, **RETRY) as client:
        asked = begin(client.connect(URL))
        transport = await connector.opened()
        await asked
        transport.closed()
        await connector.opened()
        await until_idle()
        assert [(await anext(feeds[0])).connection for _ in range(2)] == [1, 2]


async def test_a_session_behind_an_interceptor():
    """It gets no message of an earlier connection that the interceptor held."""
    holding = Holding()
    connector = FakeConnector()
    options = {**RETRY, "interceptors": [holding]}
    async with opened(connector, **options) as (client, first):
        first.message("of the first")
        await until_idle()
        first.closed()
        second = await connector.opened()
        feed = client.sessions()
        second.message("of the second")
        holding.released.set()
        session = await anext(feed)
        assert (session.connection, await session.recv()) == (2, "of the second")


@pytest.mark.parametrize("late", [False, True])
async def test_sessions_where_an_old_end_is_still_held_up(late):
    """An end of an earlier connection that is held back ends no later session."""
    holding = Holding()
    connector = FakeConnector()
    async with opened(connector, interceptors=[holding]) as (client, first):
        first.message("of the first")
        await until_idle()
        disconnecting = begin(client.disconnect())
        await until_idle()
        first.closed(1000, initiator="local")
        await disconnecting
        idle_sessions = client.sessions()
        again = begin(client.connect(URL))
        await connector.opened()
        await again
        feed = client.sessions()
        if late:
            await until_idle()
        holding.released.set()
        assert (await anext(feed)).connection == 2
        with pytest.raises(StopAsyncIteration):
            await anext(idle_sessions)


async def test_sessions_end():
    """They end quietly if the end was asked for, and raise if it was not."""
    for quiet in (True, False):
        connector = FakeConnector()
        async with opened(connector) as (client, transport):
            sessions = client.sessions()
            assert (await anext(sessions)).connection == 1
            transport.closed(1000 if quiet else 1006)
            expected = StopAsyncIteration if quiet else ws.WSConnectionClosedError
            with pytest.raises(expected):
                await anext(sessions)
