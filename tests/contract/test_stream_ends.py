"""Messages before the first subscriber, and how streams end.

Runs unchanged inside Pyodide: no plug-ins, no threads, no sockets here.
"""

import asyncio
import contextlib

import pytest

import ws
from tests.support.client_helpers import LATER, SOON, go_away, until
from tests.support.idle import turns, until_idle

pytestmark = pytest.mark.usefixtures("sockets")

GREETING = ["hello", b"\x00\x01\xfe\xff"]


async def test_kept_for_the_first_subscriber(server):
    """Only the first subscriber gets the messages from before it."""
    async with ws.connect(server("/greeting")) as client:
        await until(lambda: client.metrics.received_count == 2)
        first, second = client.stream.subscribe(), client.stream.subscribe()
        await client.add("later")
        assert [await anext(first) for _ in range(3)] == [*GREETING, "later"]
        assert await anext(second) == "later"


async def test_kept_across_connections(server):
    """Messages of several connections are kept in order, without their ends."""
    client = ws.WebSocketClient()
    async with client:
        for count in (2, 4):
            await client.connect(server("/greeting"))
            await until(lambda count=count: client.metrics.received_count == count)
            await client.disconnect()
        await client.connect(server("/greeting"))
        await until(lambda: client.metrics.received_count == 6)
        reader = client.stream.subscribe()
        assert [await anext(reader) for _ in range(6)] == GREETING * 3
        await client.add("open")
        assert await anext(reader) == "open"


async def test_a_first_subscriber_after_a_reconnection_meets_no_old_end(server):
    """A later subscriber does not meet the end of an earlier connection."""
    client = ws.WebSocketClient()
    async with client:
        await client.connect(server("/echo"))
        await client.disconnect()
        await client.connect(server("/echo"))
        await client.add("open")
        assert await client.recv() == "open"


async def test_what_comes_while_after_connect_waits(server):
    """Messages above the limit are held back, and all arrive in order."""

    async def linger(_session: ws.Session) -> None:
        await until(lambda: client.metrics.received_count > 8)
        await until_idle()

    options = ws.WebSocketOptions.common(
        after_connect=linger, stream_capacity=8, stream_overflow="pause"
    )
    client = ws.WebSocketClient(options)
    async with client:
        await client.connect(server("/flood", count=500))
        received = [await client.recv() for _ in range(500)]
        numbers = [int(str(message).partition(":")[0]) for message in received]
        assert numbers == list(range(500))


async def test_what_after_connect_lets_overflow_is_no_secret(server):
    """With "error" the subscribers learn that something is missing."""

    async def linger(_session: ws.Session) -> None:
        await until(lambda: client.metrics.received_count == 20)

    options = ws.WebSocketOptions.common(
        after_connect=linger, stream_capacity=8, stream_overflow="error"
    )
    client = ws.WebSocketClient(options)
    async with client:
        await client.connect(server("/flood", count=20))
        assert [str(await client.recv())[:2] for _ in range(8)][-1] == "7:"
        with pytest.raises(ws.WSStreamOverflowError):
            await client.recv()


@pytest.mark.parametrize("how", ["close", "disconnect"])
async def test_our_own_end(server, how):
    """Iteration yields what is buffered and ends; `recv()` and `first()` raise."""
    client = await ws.connect(server("/greeting"))
    other = client.stream.subscribe()
    await until(lambda: client.metrics.received_count == 2)
    await getattr(client, how)()
    assert [message async for message in other] == GREETING
    assert [message async for message in other] == []
    with pytest.raises(ws.WSConnectionClosedError):
        await client.stream.first()
    assert [message async for message in client.stream] == []
    await client.close()


async def test_who_asks_after_the_end_hears_how_it_ended(server):
    """The end has its code, even if nobody was subscribed at that time."""
    async with ws.connect(server("/echo")) as client:
        await client.close(4000, "enough")
        with pytest.raises(
            ws.WSConnectionClosedError, match=r"4000 .'enough'"
        ) as caught:
            await client.recv()
    assert caught.value.close_code == 4000


async def test_the_shared_subscriber_ends_with_ours(server):
    """`recv()` gets what is buffered, and then raises with the code."""
    async with ws.connect(server("/greeting")) as client:
        assert await client.recv() == "hello"
        await until(lambda: client.metrics.received_count == 2)
        await client.disconnect(3999, "enough")
        assert await client.recv() == GREETING[1]
        for _ in range(2):
            with pytest.raises(ws.WSConnectionClosedError) as caught:
                await client.recv()
            assert caught.value.close_code == 3999


@pytest.mark.parametrize("query", [{"code": 1000}, {"code": 1001}, {}], ids=str)
async def test_a_peer_that_ends_properly(server, query):
    """1000, 1001 and 1005 end an iteration without an error; `recv()` raises."""
    async with ws.connect(server("/greeting-close", **query)) as client:
        assert [message async for message in client] == GREETING
        with pytest.raises(ws.WSConnectionClosedError) as caught:
            await client.recv()
        assert caught.value.close_code == query.get("code", 1005)
        assert caught.value.was_clean
        with pytest.raises(ws.WSConnectionClosedError):
            await client.stream.first()


@pytest.mark.parametrize("message", ["close:4001:why", "abort"])
async def test_a_peer_that_does_not(server, message):
    """Any other end is raised to all readers, after what is buffered."""
    async with ws.connect(server("/echo")) as client:
        early = client.stream.subscribe()
        await client.add("before")
        assert await client.stream.first() == "before"
        await client.add(message)
        assert await anext(early) == "before"
        with pytest.raises(ws.WSConnectionClosedError) as caught:
            await anext(early)
        assert caught.value.close_code == (1006 if message == "abort" else 4001)
        for stream in (client.stream, client.stream.text, early):
            with pytest.raises(ws.WSConnectionClosedError):
                async for _ in stream:
                    pass
        with pytest.raises(ws.WSConnectionClosedError):
            await client.recv()


async def test_everybody_who_waits_meets_the_end(server):
    """Two readers that wait in the same subscriber both get the end."""
    async with ws.connect(server("/echo")) as client:
        waiting = [asyncio.ensure_future(client.recv()) for _ in range(3)]
        await until_idle()
        await client.disconnect()
        async with asyncio.timeout(5):
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {ws.WSConnectionClosedError}


async def test_a_drop_that_is_retried_is_no_end(server):
    """Iteration continues over it, also after a peer's 1000 or 1001."""
    options = ws.WebSocketOptions.common(connection_retry_interval=SOON)
    async with ws.connect(server("/echo"), options) as client:
        seen = []
        opens = client.state_changes.open.subscribe()
        for index, end in enumerate(("abort", "close:1001:bye", "close", "abort")):
            await client.add(f"message {index}")
            seen.append(await client.recv())
            await client.add(end)
            await anext(opens)
        assert seen == [f"message {index}" for index in range(4)]


async def test_a_client_that_never_connected(server):
    """Iteration waits, since no connection has ended; calls raise."""
    client = ws.WebSocketClient()
    async with client:
        for call in (client.recv, client.stream.first):
            with pytest.raises(ws.WSNotConnectedError, match="call connect"):
                await call()
        iterating = asyncio.ensure_future(anext(client.stream.text.subscribe()))
        await until_idle()
        assert not iterating.done()
        await client.connect(server("/greeting"))
        assert await iterating == "hello"


async def test_a_lost_client_waits_while_it_retries(server):
    """While the client reconnects, the stream does not end."""
    options = ws.WebSocketOptions.common(connection_retry_interval=LATER)
    async with ws.connect(server("/echo"), options) as client:
        waiting = asyncio.ensure_future(client.recv())
        await go_away(client)
        await until_idle()
        assert not waiting.done()
        await client.reconnect()
        await client.add("back")
        assert await waiting == "back"


async def test_iterate_again(server):
    """After `connect()` the same iterator and new ones go on."""
    client = ws.WebSocketClient()
    same = client.stream.subscribe()
    async with client:
        for _ in range(3):
            await client.connect(server("/greeting-close"))
            assert [message async for message in same] == GREETING
            assert [message async for message in same] == []
        await client.connect(server("/greeting"))
        await client.add("new")
        fresh = client.stream.subscribe()
        assert [await anext(same) for _ in range(3)] == [*GREETING, "new"]
        await client.add("newer")
        while await anext(fresh) != "newer":
            pass


async def test_a_cancelled_recv_loses_nothing(server):
    """However a receive is cancelled, the next one gets its message."""
    async with ws.connect(server("/echo")) as client:
        received = []
        for number in range(100):
            client.add_nowait(str(number))
            receiving = asyncio.ensure_future(client.recv())
            await turns(number % 5)
            receiving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                received.append(await receiving)
        while len(received) < 100:
            received.append(await client.recv())
        assert received == [str(number) for number in range(100)]


async def test_a_cancelled_recv_hands_its_turn_on(server):
    """The reader behind a cancelled one gets the message."""
    async with ws.connect(server("/echo")) as client:
        first = asyncio.ensure_future(client.recv())
        second = asyncio.ensure_future(client.recv())
        await until_idle()
        await client.add("one")
        await until(lambda: client.metrics.received_count == 1 or first.done())
        first.cancel()
        outcomes = await asyncio.gather(first, return_exceptions=True)
        if outcomes != ["one"]:
            assert await second == "one"
        second.cancel()
