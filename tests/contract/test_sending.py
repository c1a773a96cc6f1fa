"""Sending: in the order of the calls, at most once, and never to another server.

Runs unchanged inside Pyodide: no plug-ins, no threads, no sockets here.
"""

import array
import asyncio

import pytest

import ws
from tests.support.client_helpers import LATER, SOON, go_away, until
from tests.support.idle import turns, until_idle

pytestmark = pytest.mark.usefixtures("sockets")

AWAY = ws.WebSocketOptions.common(connection_retry_interval=LATER)
RETRY = ws.WebSocketOptions.common(connection_retry_interval=SOON)
BIG = 16 * 2**20


def begin(client, *messages) -> list[asyncio.Task[None]]:
    """Call `add()` for each message, in order, without waiting."""
    return [asyncio.ensure_future(client.add(message)) for message in messages]


async def outcomes(tasks) -> list[type]:
    """Return the outcome of each."""
    results = await asyncio.gather(*tasks, return_exceptions=True)
    return [type(result) for result in results]


async def test_order_between_add_and_add_nowait(server):
    """Messages are sent in the order of the calls, with and without a connection."""
    async with ws.connect(server("/echo"), AWAY) as client:
        for connected in (True, False):
            if not connected:
                await go_away(client)
            adding = []
            for number in range(0, 60, 2):
                adding += begin(client, str(number))
                await turns(1)
                client.add_nowait(str(number + 1))
            if not connected:
                await client.reconnect()
            await asyncio.gather(*adding)
            received = [await client.recv() for _ in range(60)]
            assert received == [str(number) for number in range(60)]


async def test_order_across_reconnections_with_after_connect_first(server):
    """Each connection begins with what `after_connect` sends, then what waited."""
    numbers = iter(range(10))

    async def greet(session: ws.Session) -> None:
        await session.add(f"hello {session.connection} {next(numbers)}")

    async with ws.connect(server("/echo"), AWAY.replace(after_connect=greet)) as client:
        assert await client.recv() == "hello 1 0"
        for index in (2, 3, 4):
            await go_away(client)
            adding = begin(client, "a", "b")
            await until_idle()
            receipt = client.add_nowait("c")
            adding += begin(client, "d")
            await until_idle()
            await client.reconnect()
            await asyncio.gather(*adding, receipt)
            received = [await client.recv() for _ in range(5)]
            assert received == [f"hello {index} {index - 1}", "a", "b", "c", "d"]


async def test_a_cancelled_add_is_not_sent(server):
    """A cancelled `add()` that waits for a connection is not sent; later ones are."""
    async with ws.connect(server("/echo"), AWAY) as client:
        await go_away(client)
        adding = begin(client, "a", "b", "c")
        await until_idle()
        adding[1].cancel()
        await until_idle()
        await client.reconnect()
        assert await outcomes(adding) == [
            type(None),
            asyncio.CancelledError,
            type(None),
        ]
        await client.add("d")
        assert [await client.recv() for _ in range(3)] == ["a", "c", "d"]


async def test_what_waits_survives_failed_attempts(server, key):
    """It waits during refusals, and is sent when a server accepts."""
    attempts = []

    def provide(context: ws.ConnectContext) -> str:
        attempts.append(context.attempt)
        refuse = context.attempt < 4
        return server("/refuse", status=503) if refuse else server("/echo", key=key)

    client = ws.WebSocketClient.start(provide, RETRY)
    async with client:
        receipt = client.add_nowait("c")
        adding = begin(client, "a", "b")
        await asyncio.gather(*adding, receipt)
        assert [await client.recv() for _ in range(3)] == ["c", "a", "b"]
        assert attempts == [1, 2, 3, 4]


async def test_what_waits_survives_reconnect(server):
    """`reconnect()` is to the same server."""
    async with ws.connect(server("/echo"), AWAY) as client:
        await go_away(client)
        adding = begin(client, "kept")
        await until_idle()
        await client.reconnect()
        await asyncio.gather(*adding)
        assert await client.recv() == "kept"


@pytest.mark.parametrize("how", ["connect", "disconnect", "close", "cancel"])
async def test_what_waits_is_never_sent_to_another_server(server, how):
    """A new URL, an end and a cancelled `connect()` fail it with an error."""
    client = await ws.connect(server("/echo"), AWAY)
    await go_away(client)
    adding = begin(client, "add")
    await until_idle()
    receipt = client.add_nowait("add_nowait")
    if how == "connect":
        await client.connect(server("/greeting"))
    elif how == "cancel":
        connecting = asyncio.ensure_future(
            client.connect(server("/refuse", status=503))
        )
        await until_idle()
        adding += begin(client, "to the one that refuses")
        await until_idle()
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
    else:
        await getattr(client, how)()
    error = ws.WSNotConnectedError
    assert all(issubclass(one, ws.WSError) for one in await outcomes(adding))
    if how != "close":
        with pytest.raises(error):
            await receipt
        await client.connect(server("/echo"))
        await client.add("mine")
        while (message := await client.recv()) != "mine":
            assert message in {"hello", b"\x00\x01\xfe\xff"}
    assert receipt.status == "failed"
    await client.close()


async def test_nothing_open_and_nothing_coming(server):
    """Then both raise at once."""
    client = ws.WebSocketClient()
    for _ in range(2):
        with pytest.raises(ws.WSNotConnectedError):
            await client.add("x")
        with pytest.raises(ws.WSNotConnectedError):
            client.add_nowait("x")
        await client.connect(server("/echo"))
        await client.disconnect()
    await client.close()
    with pytest.raises(ws.WSClientClosedError):
        await client.add("x")
    with pytest.raises(ws.WSClientClosedError):
        client.add_nowait("x")


async def test_add_inside_after_connect(server):
    """It would wait for itself, so it raises; a task that it starts may send."""
    caught, later = [], []

    async def send_later() -> None:
        await client.state_changes.open.first()
        await client.add("later")

    async def greet(session: ws.Session) -> None:
        for add in (client.add, client.add_nowait):
            try:
                await add("never")
            except ws.WSNotConnectedError as error:
                caught.append(error)
        later.append(asyncio.ensure_future(send_later()))
        await session.add("hello")

    client = ws.WebSocketClient(ws.WebSocketOptions.common(after_connect=greet))
    async with client:
        await client.connect(server("/echo"))
        assert len(caught) == 2
        assert [await client.recv() for _ in range(2)] == ["hello", "later"]
        await later[0]


@pytest.mark.parametrize("away", [False, True], ids=["open", "away"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: bytearray(b"abc"),
        lambda: memoryview(bytearray(b"abc")),
        lambda: memoryview(bytearray(b"a.b.c."))[::2],
        lambda: [97, 98, 99],
        lambda: array.array("B", b"abc"),
    ],
    ids=["bytearray", "memoryview", "strided", "list", "array"],
)
async def test_what_is_changed_after_the_call(server, make, away):
    """The object is copied, so later changes have no effect."""
    async with ws.connect(server("/echo"), AWAY) as client:
        if away:
            await go_away(client)
        data, more = make(), make()
        adding = begin(client, data)
        await turns(1)
        receipt = client.add_nowait(more)
        for one in (data, more):
            one[0] = 0
        if away:
            await client.reconnect()
        await asyncio.gather(*adding, receipt)
        assert [await client.recv() for _ in range(2)] == [b"abc", b"abc"]


@pytest.mark.parametrize("data", [object(), 5, None, [256], "\ud800", {"a": 1}])
async def test_unsendable_away(server, data):
    """An object that cannot be sent raises at once, with or without a connection."""
    async with ws.connect(server("/echo"), AWAY) as client:
        await go_away(client)
        with pytest.raises(ws.WSUnsupportedDataError):
            client.add_nowait(data)
        with pytest.raises(ws.WSUnsupportedDataError):
            await client.add(data)
        await client.reconnect()
        await client.add("fine")
        assert await client.recv() == "fine"


async def test_others_get_their_turn(server):
    """Many sends in a row let other tasks run."""
    async with ws.connect(server("/echo")) as client:
        turn = asyncio.Event()
        asyncio.get_running_loop().call_soon(turn.set)
        sent = 0
        while not turn.is_set() and sent < 1000:
            await client.add("x")
            sent += 1
        assert sent < 1000


@pytest.mark.parametrize("sockets", ["real"], indirect=True)
async def test_write_limit(server, key):
    """Above it `add()` waits and `add_nowait()` queues, until the peer reads."""
    options = ws.WebSocketOptions.common(write_limit=2**20, heartbeat=None)
    async with ws.connect(server("/stall", key=key), options) as client:
        adding = begin(client, bytes(BIG))
        await until_idle()
        receipt = client.add_nowait("kept")
        adding += begin(client, "last")
        await until_idle()
        assert client.metrics.buffered_amount > 2**20
        assert not any(task.done() for task in adding)
        assert receipt.status == "queued"
        async with ws.connect(server("/release", key=key)):
            await asyncio.gather(*adding)
            await receipt
        received = [await client.recv() for _ in range(3)]
        assert received == [str(BIG), str(len("kept")), str(len("last"))]


@pytest.mark.parametrize("sockets", ["real"], indirect=True)
async def test_a_connection_that_dies_while_add_waits(server, key):
    """It may have arrived: the error says so, and it is not sent again."""
    options = RETRY.replace(write_limit=2**20, heartbeat=None, close_timeout=0.01)
    async with ws.connect(server("/stall", key=key), options) as client:
        adding = begin(client, bytes(BIG))
        await until(lambda: client.metrics.buffered_amount > 2**20)
        await client.disconnect()
        assert await outcomes(adding) == [ws.WSConnectionClosedError]
        assert client.metrics.transferred_count == 1
