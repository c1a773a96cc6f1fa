"""Messages that wait to be sent, across the connections of a client."""

import asyncio

import pytest
from looptime import LoopTimeProxy

import ws
from tests.support.client_driver import OTHER, URL, begin, driven, opened, outcome
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()

RETRY = {"connection_retry_interval": (1, 1), "close_timeout": 3}


async def waiting(client, connector, *texts: str):
    """Connect, lose the connection, and let messages wait."""
    asked = begin(client.connect(URL))
    transport = await connector.opened()
    await asked
    transport.closed()
    adds = [begin(client.add(text)) for text in texts]
    await until_idle()
    assert [add.done() for add in adds] == [False] * len(adds)
    return adds


async def test_kept_across_retries():
    """They go over the next connection, in call order, however many attempts fail."""
    connector = FakeConnector()
    async with driven(connector, **RETRY) as client:
        adds = await waiting(client, connector, "a", "b")
        for _ in range(3):
            (await connector.next()).refuse()
        transport = await connector.opened()
        assert transport.sent == ["a", "b"]
        assert [await outcome(add) for add in adds] == [None, None]


async def test_kept_across_reconnect():
    """`reconnect()` is to the same server, so that the messages are kept."""
    connector = FakeConnector()
    async with driven(connector, **RETRY) as client:
        adds = await waiting(client, connector, "a")
        again = begin(client.reconnect())
        transport = await connector.opened()
        assert (transport.sent, await outcome(again)) == (["a"], None)
        assert await outcome(adds[0]) is None


@pytest.mark.parametrize("same", [True, False])
async def test_a_new_connect(same):
    """Messages are kept for the same URL, and fail with a new one."""
    connector = FakeConnector()
    async with driven(connector, **RETRY) as client:
        adds = await waiting(client, connector, "a")
        begin(client.connect(URL if same else OTHER))
        transport = await connector.opened()
        assert transport.sent == (["a"] if same else [])
        result = await outcome(adds[0])
        assert result is None if same else isinstance(result, ws.WSNotConnectedError)


@pytest.mark.parametrize("how", ["disconnect", "close", "cancelled", "exhausted"])
async def test_fails_when_no_connection_is_expected(how):
    """Messages fail at once when no connection is expected any more."""
    connector = FakeConnector()
    interval = ws.ConnectionRetryInterval(min=1, max=1, max_attempts=2)
    async with driven(connector, connection_retry_interval=interval) as client:
        adds = await waiting(client, connector, "a", "b")
        match how:
            case "disconnect":
                await client.disconnect()
            case "close":
                await client.close()
            case "cancelled":
                asked = begin(client.connect(URL))
                await connector.next()
                asked.cancel()
            case "exhausted":
                (await connector.next()).refuse()
        for add in adds:
            assert isinstance(await outcome(add), ws.WSError)
        with pytest.raises(ws.WSError):
            await client.add("c")


async def test_add_while_it_closes():
    """With a retry to come a message waits; without one `add()` raises at once."""
    for options, raises in ((RETRY, False), ({}, True)):
        connector = FakeConnector()
        async with opened(connector, **options) as (client, transport):
            transport.closing(4000)
            add = begin(client.add("a"))
            result = await outcome(add)
            assert (result == "waits") is not raises
            assert raises is isinstance(result, ws.WSNotConnectedError)
            transport.closed(4000)
            if not raises:
                assert (await connector.opened()).sent == ["a"]
                await add


async def test_after_connect_speaks_first():
    """Waiting messages follow what `after_connect` sends, on each connection."""
    connector = FakeConnector()

    async def login(session: ws.Session) -> None:
        await session.add("login")
        assert await session.recv() == "welcome"
        with pytest.raises(ws.WSNotConnectedError, match="session it is handed"):
            await client.add("deadlock")

    async with driven(connector, after_connect=login, **RETRY) as client:
        asked = begin(client.connect(URL))
        for connection in (1, 2):
            attempt = await connector.next()
            adding = begin(client.add("hello"))
            transport = attempt.open()
            await until_idle()
            assert transport.sent == ["login"]
            assert isinstance(client.state, ws.Connecting)
            transport.message("welcome")
            await until_idle()
            assert transport.sent == ["login", "hello"]
            assert client.state.connection == connection
            await adding
            transport.closed()
        await asked


async def test_cancelled_while_the_buffer_is_full():
    """A message that was taken is sent; a cancelled wait leaves nothing behind."""
    connector = FakeConnector()
    async with opened(connector, write_limit=10) as (client, transport):
        transport.buffered_amount = 100
        adds = [begin(client.add(text)) for text in ("a", "b", "c")]
        await until_idle()
        adds[1].cancel()
        await until_idle()
        transport.drain()
        assert await outcome(adds[0]) is None
        assert await outcome(adds[2]) is None
        assert transport.sent == ["a", "c"]
        await client.add("d")
        assert transport.sent == ["a", "c", "d"]


async def test_unconfirmed():
    """A loss says how many messages were handed over since the last answered ping."""
    connector = FakeConnector()
    heartbeat = ws.Heartbeat(interval=5, timeout=5)
    async with opened(connector, heartbeat=heartbeat) as (client, transport):
        await client.add("a")
        await client.add("b")
        await asyncio.sleep(5)
        await client.add("c")
        transport.pong()
        await until_idle()
        assert client.metrics.unconfirmed_count == 1
        transport.closed()
        assert client.state.error.unconfirmed == 1
        assert client.metrics.unconfirmed_count == 0
