"""Conversations with a real server, which are the same on every platform.

Runs unchanged inside Pyodide: no plug-ins, no threads, no sockets here.
"""

import asyncio
import json

import pytest

import ws
from tests.support.client_helpers import until

pytestmark = pytest.mark.usefixtures("sockets")

MIB = 2**20
FAST = ws.ConnectionRetryInterval(min=0.01, max=0.05)
RETRY = ws.WebSocketOptions.common(connection_retry_interval=FAST)


def kinds(client) -> list[str]:
    """The names of the states that a client has gone through."""
    return [type(entry.state).__name__ for entry in client.history]


@pytest.mark.parametrize(
    "data",
    ["text", "", "grüße, 世界 🌍", "é" * MIB, b"\x00\xff", b"", bytes(MIB)],
    ids=["text", "empty", "non-ascii", "2-MiB", "binary", "empty-binary", "1-MiB"],
)
async def test_a_message_comes_back(server, data):
    """A message is echoed unchanged, with its type."""
    async with ws.connect(server("/echo")) as client:
        await client.add(data)
        answer = await client.recv()
    assert data == answer
    assert type(data) is type(answer)


@pytest.mark.parametrize(
    "data", [bytearray(b"abc"), memoryview(b"abc"), [97, 98, 99], (97, 98, 99)]
)
async def test_bytes_like(server, data):
    """Every bytes-like object arrives as bytes."""
    async with ws.connect(server("/echo")) as client:
        await client.add(data)
        assert await client.recv() == b"abc"


async def test_text_from_bytes(server):
    """`text=True` sends UTF-8 bytes as text; `text=False` sends text as bytes."""
    async with ws.connect(server("/echo")) as client:
        await client.add("grün".encode(), text=True)
        assert await client.recv() == "grün"
        await client.add("grün", text=False)
        assert await client.recv() == "grün".encode()


async def test_order_with_many_senders(server):
    """Messages keep the order of the calls."""
    async with ws.connect(server("/echo")) as client:
        sent = [str(number) for number in range(500)]
        async with asyncio.TaskGroup() as group:
            for text in sent:
                group.create_task(client.add(text))
        assert [await client.recv() for _ in sent] == sent


async def test_subprotocol(server):
    """The selected subprotocol is in the state while the connection is open."""
    options = ws.WebSocketOptions.common(protocols=["chat.v2", "chat.v1"])
    async with ws.connect(server("/protocol"), options) as client:
        assert client.protocol == "chat.v2"
        assert isinstance(client.state, ws.Open)
        assert client.state.protocol == "chat.v2"
    assert client.protocol is None


async def test_the_peer_closes(server):
    """The peer's code and reason are in the state, and in the error of recv()."""
    async with ws.connect(server("/echo")) as client:
        await client.add("close:4001:why")
        with pytest.raises(ws.WSConnectionClosedError) as caught:
            await client.recv()
        assert (caught.value.close_code, caught.value.close_reason) == (4001, "why")
        assert caught.value.was_clean
        assert isinstance(client.state, ws.Closed)
        assert client.state.close_code == 4001
        assert kinds(client) == ["Connecting", "Open", "Disconnecting", "Closed"]


async def test_iteration_ends_with_a_normal_close(server):
    """After 1000 `async for` yields what is buffered, and ends without an error."""
    async with ws.connect(server("/echo")) as client:
        await client.add("one")
        await client.add("close")
        assert [message async for message in client] == ["one"]
        with pytest.raises(ws.WSConnectionClosedError):
            await client.recv()


async def test_iteration_raises_after_a_loss(server):
    """The iteration raises if the connection is cut."""
    async with ws.connect(server("/echo")) as client:
        await client.add("one")
        assert await client.recv() == "one"
        await client.add("abort")
        with pytest.raises(ws.WSConnectionClosedError) as caught:
            await anext(aiter(client))
        assert caught.value.close_code == 1006
        assert not caught.value.was_clean
        assert kinds(client) == ["Connecting", "Open", "Closed"]


async def test_reconnection(server):
    """The client reconnects after a cut, and the conversation goes on."""
    async with ws.connect(server("/echo"), RETRY) as client:
        states = client.state_changes.open.subscribe()
        await client.add("abort")
        assert (await anext(states)).connection == 2
        await client.add("still there")
        assert await client.recv() == "still there"
        assert kinds(client)[:5] == [
            "Connecting",
            "Open",
            "Reconnecting",
            "Connecting",
            "Open",
        ]
        assert client.metrics.reconnects_successful == 1
        assert client.metrics.disconnects == 1


async def test_messages_wait_for_the_reconnection(server):
    """Messages added without a connection are sent over the next one, in order."""
    async with ws.connect(server("/echo"), RETRY) as client:
        waits = client.state_changes.reconnecting.subscribe()
        await client.add("abort")
        await anext(waits)
        async with asyncio.TaskGroup() as group:
            for text in ("a", "b", "c"):
                group.create_task(client.add(text))
        assert [await client.recv() for _ in range(3)] == ["a", "b", "c"]


async def test_greeting(server):
    """Messages in the segment of the 101 are received, whenever one subscribes."""
    async with ws.connect(server("/greeting")) as client:
        await client.add("later")
        received = [await client.recv() for _ in range(3)]
    assert received == ["hello", b"\x00\x01\xfe\xff", "later"]


async def test_a_server_that_greets_and_closes_at_once(server):
    """The greeting is received, then the end."""
    async with ws.connect(server("/greeting-close")) as client:
        assert [m async for m in client] == ["hello", b"\x00\x01\xfe\xff"]


async def test_a_server_that_closes_at_once(server):
    """The connection has been open, and is closed with the server's code."""
    async with ws.connect(server("/close-at-once", code=4002, reason="no")) as client:
        with pytest.raises(ws.WSConnectionClosedError, match="4002"):
            await client.recv()
        assert kinds(client) == ["Connecting", "Open", "Disconnecting", "Closed"]


async def test_disconnect_and_connect_again(server):
    """After `disconnect()` the same client connects again."""
    client = ws.WebSocketClient(RETRY)
    await client.connect(server("/echo"))
    await client.disconnect(4000, "bye")
    assert client.state == ws.Closed(4000, "bye", None)
    assert not client.is_closed
    with pytest.raises(ws.WSNotConnectedError):
        await client.add("nobody is there")
    with pytest.raises(ws.WSConnectionClosedError):
        await client.recv()
    await client.connect(server("/echo"))
    await client.add("again")
    assert await client.recv() == "again"
    await client.close()


async def test_close_is_for_good(server):
    """After `close()` every call raises an error that says so."""
    client = await ws.connect(server("/echo"), RETRY)
    await client.close()
    await client.close()
    await client.wait_closed()
    assert client.is_closed
    for call in (
        client.connect(server("/echo")),
        client.add("x"),
        client.reconnect(),
        client.disconnect(),
    ):
        with pytest.raises(ws.WSClientClosedError):
            await call
    assert [m async for m in client] == []


async def test_a_new_url(server):
    """`connect()` to another URL replaces the connection."""
    async with ws.connect(server("/echo"), RETRY) as client:
        await client.connect(server("/greeting"))
        assert await client.recv() == "hello"
        assert kinds(client) == [
            "Connecting",
            "Open",
            "Disconnecting",
            "Connecting",
            "Open",
        ]


async def test_reconnect_on_demand(server, key):
    """`reconnect()` makes a new connection to the same URL."""
    async with ws.connect(server("/echo", key=key)) as client:
        await client.reconnect()
        await client.add("new")
        assert await client.recv() == "new"
        assert isinstance(client.state, ws.Open)
        assert client.state.connection == 2


async def test_a_refusal(server):
    """A server that refuses the handshake is an error, not a hang."""
    with pytest.raises(ws.WSHandshakeError):
        await ws.connect(server("/refuse", status=403))


async def test_many_subscribers(server):
    """Every subscriber gets every message, and derived streams get their share."""
    async with ws.connect(server("/echo")) as client:
        everything = client.stream.subscribe()
        text = client.stream.text.subscribe()
        binary = client.stream.bytes.subscribe()
        values = client.stream.json.subscribe()
        heard: list[ws.Data] = []
        all_heard = asyncio.Event()

        def hear(message: ws.Data) -> None:
            heard.append(message)
            if len(heard) == 5:
                all_heard.set()

        client.stream.listen(hear)
        for data in ("no json", b"\x00", '{"a": [1, null]}', "NaN", b"[2]"):
            await client.add(data)
        assert await anext(values) == {"a": [1, None]}
        assert await anext(values) == [2]
        assert [await anext(text) for _ in range(3)] == [
            "no json",
            '{"a": [1, null]}',
            "NaN",
        ]
        assert [await anext(binary) for _ in range(2)] == [b"\x00", b"[2]"]
        await all_heard.wait()
        assert [await anext(everything) for _ in range(5)] == heard


async def test_interceptors(server):
    """The application sends and receives objects; on the wire they are JSON."""

    class Json(ws.WSInterceptor):
        async def on_send(self, data, next):
            await asyncio.sleep(0)
            await next(json.dumps(data))

        def on_message(self, data, next):
            return next(json.loads(data))

    options = ws.WebSocketOptions.common(interceptors=[Json()])
    async with ws.connect(server("/echo"), options) as client:
        for number in range(20):
            await client.add({"number": number})
        assert [await client.recv() for _ in range(20)] == [
            {"number": number} for number in range(20)
        ]


async def test_after_connect(server):
    """It sends and receives first; messages that it leaves reach the subscribers."""
    seen = []

    async def greet(session: ws.Session) -> None:
        assert isinstance(client.state, ws.Connecting)
        seen.append(await session.recv())
        await session.add("from after_connect")

    options = RETRY.replace(after_connect=greet)
    client = ws.WebSocketClient(options)
    async with client:
        connecting = asyncio.ensure_future(client.connect(server("/greeting")))
        await asyncio.sleep(0)
        adding = asyncio.ensure_future(client.add("from the user"))
        await connecting
        await adding
        received = [await client.recv() for _ in range(3)]
        assert seen == ["hello"]
        assert received == [
            b"\x00\x01\xfe\xff",
            "from after_connect",
            "from the user",
        ]


async def test_sessions(server):
    """There is one session for each connection, and it ends with the connection."""
    async with ws.connect(server("/greeting"), RETRY) as client:
        log = []
        async for session in client.sessions():
            await session.add("abort")
            messages = [message async for message in session]
            log.append((session.connection, messages))
            if session.connection == 3:
                break
    greeting = ["hello", b"\x00\x01\xfe\xff"]
    assert log == [(1, greeting), (2, greeting), (3, greeting)]


async def test_a_session_does_not_hear_what_an_earlier_connection_left(server):
    """Unread messages are dropped and reported, except those of its own connection."""
    heard = []
    options = ws.WebSocketOptions.common(on_event=heard.append)
    async with ws.WebSocketClient(options) as client:
        for count in (2, 4):
            await client.connect(server("/greeting"))
            await until(lambda count=count: client.metrics.received_count == count)
        session = await anext(client.sessions())
        assert [await session.recv() for _ in range(2)] == [
            "hello",
            b"\x00\x01\xfe\xff",
        ]
        await session.add("open")
        assert await session.recv() == "open"
        assert client.metrics.dropped_count == 2
    told = [event.details for event in heard if event.name == "message_dropped"]
    assert [dict(details)["count"] for details in told] == [2]


@pytest.mark.parametrize("overflow", ["pause", "error"])
async def test_a_session_where_what_was_kept_is_full(server, overflow):
    """A buffer filled by an earlier connection neither stops nor ends a session."""
    options = ws.WebSocketOptions.common(stream_capacity=1, stream_overflow=overflow)
    async with ws.WebSocketClient(options) as client:
        await client.connect(server("/greeting"))
        await until(lambda: client.metrics.received_count == 2)
        await client.connect(server("/echo"))
        session = await anext(client.sessions())
        await session.add("open")
        async with asyncio.timeout(10):
            assert await session.recv() == "open"


async def test_sessions_where_the_oldest_are_dropped(server):
    """Dropped messages are counted once, and a session's own are not dropped."""
    options = ws.WebSocketOptions.common(
        stream_capacity=3, stream_overflow="drop_oldest"
    )
    async with ws.WebSocketClient(options) as client:
        for count in (2, 4, 6):
            await client.connect(server("/greeting"))
            await until(lambda count=count: client.metrics.received_count == count)
        assert client.metrics.dropped_count == 3
        first = await anext(client.sessions())
        assert [await first.recv() for _ in range(2)] == ["hello", b"\x00\x01\xfe\xff"]
        assert client.metrics.dropped_count == 4
        second = await anext(client.sessions())
        await client.add("for both")
        assert [await one.recv() for one in (first, second)] == ["for both"] * 2


async def test_unsendable(server):
    """An object that cannot be sent raises in the call, and the connection stays."""
    async with ws.connect(server("/echo")) as client:
        for data in (object(), 5, None, {"a": 1}, [256], "\ud800", 1.5):
            with pytest.raises(ws.WSUnsupportedDataError):
                await client.add(data)
        await client.add("fine")
        assert await client.recv() == "fine"


@pytest.mark.parametrize(
    "url",
    ["http://x/", "x", "", "ws://", "ws:///path", "ws://h:0/", "ws://h:99999/",
     "ws://h/#f", "ws://h/ a", "wss://h/\n", 5],
)  # fmt: skip
async def test_bad_urls(url):
    """An invalid URL is refused before anything happens."""
    client = ws.WebSocketClient()
    with pytest.raises(ws.WSInvalidUrlError):
        await client.connect(url)
    assert client.history == ()
    with pytest.raises(ws.WSInvalidUrlError):
        ws.connect(url)


@pytest.mark.parametrize(
    ("code", "reason"),
    [(999, ""), (1005, ""), (1006, ""), (1015, ""), (2000, ""), (5000, ""),
     (1000, "x" * 124), (1000, "ü" * 62), (True, ""), ("1000", ""), (1000, 5)],
)  # fmt: skip
async def test_bad_closes(server, code, reason):
    """An invalid code or reason raises before anything is done."""
    async with ws.connect(server("/echo")) as client:
        with pytest.raises(ws.WSInvalidCloseError):
            await client.disconnect(code, reason)
        assert client.state.is_open


@pytest.mark.parametrize("sockets", ["real"], indirect=True)
async def test_big_message(server):
    """A message over `max_size` ends the connection, and the error says why."""
    options = ws.WebSocketOptions.common(max_size=1000)
    async with ws.connect(server("/big", size=1001), options) as client:
        with pytest.raises(ws.WSConnectionClosedError) as caught:
            await client.recv()
        assert caught.value.close_code in (1009, 4009)


async def test_metrics(server):
    """Sizes are bytes on the wire; JSON goes both ways."""
    async with ws.connect(server("/echo")) as client:
        await client.add("é")
        await client.add(b"abc")
        await client.recv()
        await client.recv()
        metrics = client.metrics
    assert (metrics.transferred_count, metrics.transferred_size) == (2, 5)
    assert (metrics.received_count, metrics.received_size) == (2, 5)
    assert metrics.ready_state is ws.WebSocketReadyState.OPEN
    data = json.loads(json.dumps(metrics.to_json()))
    assert data["transferredSize"] == "5"
    again = ws.WebSocketMetrics.from_json(data)
    assert again.to_json() == metrics.to_json()
    assert "- transferred_count: 2\n" in str(metrics)


async def test_start(server):
    """`start()` returns at once and connects in the background."""
    client = ws.WebSocketClient.start(server("/echo"))
    async with client:
        assert isinstance(client.state, ws.Connecting)
        await client.add("as soon as it is open")
        assert await client.recv() == "as soon as it is open"


async def test_url_provider(server, key):
    """A provider is called before each attempt, with the number of the attempt."""
    asked = []

    async def provide(context: ws.ConnectContext) -> str:
        asked.append((context.attempt, type(context.last_error).__name__))
        if context.attempt == 1:
            return server("/refuse", status=503)
        return server("/echo")

    async with ws.connect(provide, RETRY) as client:
        await client.add("x")
        assert await client.recv() == "x"
    assert asked == [(1, "NoneType"), (2, "WSHandshakeError")]
