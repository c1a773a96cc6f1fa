"""What every `Transport` must do, natively and in a browser.

Runs unchanged inside Pyodide: no plug-ins, no threads, no sockets here.
"""

import asyncio

import pytest

from tests.support.recording_sink import Recording
from ws_common.vocabulary.errors import (
    WSConnectionClosedError,
    WSError,
    WSHandshakeError,
)

GREETING = ["hello", b"\x00\x01\xfe\xff"]
MIB = 2**20


async def settle(connect, server) -> None:
    """Wait until pending events have happened: a round trip on another socket."""
    transport, sink = await connect(server("/echo"))
    transport.send("settled?", text=True)
    await sink.until_messages(1)
    transport.abort()


@pytest.mark.parametrize(
    ("data", "size"),
    [
        ("text", 4),
        ("", 0),
        ("grüße, 世界 🌍", 20),
        ("null \x00 byte", 11),
        (b"binary \x00\xff", 9),
        (b"", 0),
        ("é" * (MIB // 2), MIB),
        (bytes(range(256)) * (MIB // 256), MIB),
    ],
    ids=[
        "text",
        "empty-text",
        "non-ascii",
        "null",
        "binary",
        "empty-binary",
        "1-MiB-text",
        "1-MiB-binary",
    ],
)
async def test_echo(connect, server, data, size):
    """A message comes back as it was, with its size on the wire."""
    transport, sink = await connect(server("/echo"))
    transport.send(data, text=isinstance(data, str))
    assert await sink.until_messages(1) == [data]
    assert type(sink.messages[0]) is type(data)
    assert sink.sizes == [size]


async def test_encoded_text_goes_as_text(connect, server):
    """Bytes with text=True are a text message; what comes back is str."""
    transport, sink = await connect(server("/echo"))
    transport.send("grün".encode(), text=True)
    assert await sink.until_messages(1) == ["grün"]


async def test_order(connect, server):
    """Many messages in either direction keep their order."""
    transport, sink = await connect(server("/echo"))
    sent = [str(i) if i % 3 else b"%d" % i for i in range(2000)]
    for data in sent:
        transport.send(data, text=isinstance(data, str))
    assert await sink.until_messages(2000) == sent


async def test_flood(connect, server):
    """All messages of a server that sends as fast as it can are received."""
    _, sink = await connect(server("/flood", count=3000, size=100))
    await sink.until_messages(3000)
    numbers = [int(str(message).partition(":")[0]) for message in sink.messages]
    assert numbers == list(range(3000))
    assert sink.sizes == [100] * 3000


async def test_fragments(connect, server):
    """Fragments, a Ping and an empty one between them, become whole messages."""
    _, sink = await connect(server("/fragments"))
    messages = await sink.until_messages(2)
    assert messages == ["grüße aus stücken €", bytes(range(256))]


async def test_protocol(connect, server):
    """The selected subprotocol is reported."""
    transport, _ = await connect(server("/protocol", pick="b"), protocols=["a", "b"])
    assert transport.protocol == "b"


async def test_no_protocol(connect, server):
    """Without one it is None, not an empty string."""
    transport, _ = await connect(server("/echo"))
    assert transport.protocol is None


async def test_protocol_not_offered(connect, server):
    """A server that picks what was not offered is refused."""
    with pytest.raises(WSHandshakeError):
        await connect(server("/protocol", pick="c"), protocols=["a", "b"])


async def test_greeting(connect, server):
    """Messages in the segment of the server's answer are not lost."""
    transport, sink = await connect(server("/greeting"))
    assert await sink.until_messages(2) == GREETING
    transport.send("ping", text=True)
    assert await sink.until_messages(3) == [*GREETING, "pong"]


async def test_greeting_and_close(connect, server):
    """They are not lost either if a Close follows in the same segment."""
    _, sink = await connect(server("/greeting-close", code=4000, reason="done"))
    close = await sink.until_closed()
    assert sink.messages == GREETING
    assert (close.code, close.reason) == (4000, "done")
    assert sink.log == ["message", "message", "closing", "closed"]


@pytest.mark.parametrize(
    ("query", "code", "reason"),
    [
        ({}, 1005, ""),
        ({"code": 1000, "reason": "bye"}, 1000, "bye"),
        ({"code": 1001}, 1001, ""),
        ({"code": 1012, "reason": "neustart für alle"}, 1012, "neustart für alle"),
        ({"code": 4999, "reason": "x" * 123}, 4999, "x" * 123),
    ],
)
async def test_server_closes_at_once(connect, server, query, code, reason):
    """The peer's code and reason are reported by on_closing and by on_closed."""
    _, sink = await connect(server("/close-at-once", **query))
    close = await sink.until_closed()
    assert (close.code, close.reason) == (code, reason)
    assert close.was_clean
    assert close.initiator == "peer"
    assert sink.log == ["closing", "closed"]
    assert (sink.closings[0].code, sink.closings[0].reason) == (code, reason)
    assert sink.closings[0].initiator == "peer"


async def test_server_closes_later(connect, server):
    """The Close comes after the messages that were sent before it."""
    transport, sink = await connect(server("/echo"))
    transport.send("one", text=True)
    transport.send("close:4001:why", text=True)
    close = await sink.until_closed()
    assert sink.messages == ["one"]
    assert (close.code, close.reason) == (4001, "why")
    assert sink.log == ["message", "closing", "closed"]


async def test_server_aborts(connect, server):
    """A reset is not a closing handshake: it is 1006, without on_closing."""
    transport, sink = await connect(server("/echo"))
    transport.send("abort", text=True)
    close = await sink.until_closed()
    assert (close.code, close.reason, close.was_clean) == (1006, "", False)
    assert close.initiator == "network"
    assert sink.log == ["closed"]


async def test_server_aborts_at_once(connect, server):
    """A reset right after the answer is an error or an end, never silence."""
    sink = Recording()
    try:
        await connect(server("/abort-at-once"), sink=sink)
    except (WSError, OSError):
        assert sink.log == []
    else:
        assert (await sink.until_closed()).code == 1006


@pytest.mark.parametrize(
    ("code", "reason", "told"),
    [
        (1000, "NORMAL_CLOSURE", (1000, "NORMAL_CLOSURE")),
        (4321, "größer", (4321, "größer")),
        (3000, None, (3000, "")),
        (None, None, (1005, "")),
    ],
)
async def test_close(connect, server, code, reason, told):
    """Our own Close ends the connection, and the end says that it was ours."""
    transport, sink = await connect(server("/echo"))
    transport.close(code, reason)
    close = await sink.until_closed()
    assert (close.code, close.reason) == told
    assert close.was_clean
    assert close.initiator == "local"
    if sink.closings:  # a browser does not show the answer
        assert sink.closings == [close]
    assert sink.log[-1] == "closed"


async def test_close_twice(connect, server):
    """A second close() changes nothing, nor does one after the end."""
    transport, sink = await connect(server("/echo"))
    transport.close(4001, "first")
    transport.close(4002, "second")
    close = await sink.until_closed()
    transport.close(4003, "third")
    await settle(connect, server)
    assert (close.code, close.reason) == (4001, "first")
    assert sink.log.count("closed") == 1
    assert sink.log[-1] == "closed"


async def test_messages_before_our_close_arrive(connect, server, key):
    """What was sent before close() is still sent."""
    transport, sink = await connect(server("/collect", key=key))
    for index in range(100):
        transport.send(str(index), text=True)
    transport.close(1000, None)
    await sink.until_closed()
    _, collected = await connect(server("/collected", key=key))
    assert await collected.until_messages(1) == ["100"]


@pytest.mark.parametrize("end", ["close", "closed", "abort", "lost"])
async def test_send_after_the_end(connect, server, end):
    """send() raises if the connection cannot send any more."""
    transport, sink = await connect(server("/echo"))
    if end == "abort":
        transport.abort()
    elif end == "lost":
        transport.send("abort", text=True)
        await sink.until_closed()
    else:
        transport.close(1000, None)
    if end == "closed":
        await sink.until_closed()
    with pytest.raises(WSConnectionClosedError):
        transport.send("too late", text=True)


async def test_send_after_the_peers_close(connect, server):
    """After on_closing nothing can be sent."""
    transport, sink = await connect(server("/close-and-hold", code=1001))
    await sink.until(lambda: bool(sink.log))
    with pytest.raises(WSConnectionClosedError):
        transport.send("too late", text=True)


async def test_closed_comes_once_and_last(connect, server):
    """After on_closed nothing is reported, whatever is called."""
    transport, sink = await connect(server("/greeting-close", code=1000))
    await sink.until_closed()
    transport.close(1000, None)
    transport.pause_reading()
    transport.resume_reading()
    transport.abort()
    await settle(connect, server)
    assert sink.log.count("closed") == 1
    assert sink.log[-1] == "closed"


async def test_abort_is_silent(connect, server):
    """No event follows abort(), not even for data that is in transit."""
    transport, sink = await connect(server("/echo"))
    for _ in range(100):
        transport.send("x" * 1000, text=True)
    transport.abort()
    transport.abort()
    await settle(connect, server)
    assert sink.log == []


async def test_abort_from_inside(connect, server):
    """No event follows abort() either if the sink calls it between messages.

    Only the batch that is being handed over is, to its end.
    """
    transport, sink = await connect(server("/echo"))
    sink.react = lambda _: transport.abort() if len(sink.log) == 3 else None
    for _ in range(100):
        transport.send("x", text=True)
    await sink.until(lambda: len(sink.log) >= 3)
    await settle(connect, server)
    assert sink.log == ["message"] * sink.end_of_batch(3)


async def test_abort_while_closing(connect, server):
    """It works although the peer never answers our Close."""
    transport, sink = await connect(server("/silent-close"))
    transport.close(1000, None)
    transport.abort()
    await settle(connect, server)
    assert sink.log == []


@pytest.mark.parametrize("status", [401, 404, 500, 503])
async def test_refused(connect, server, status):
    """A refused handshake raises and reports nothing; a browser hides the status."""
    sink = Recording()
    with pytest.raises(WSHandshakeError) as caught:
        await connect(server("/refuse", status=status), sink=sink)
    assert caught.value.status in {status, None}
    await settle(connect, server)
    assert sink.log == []


@pytest.mark.parametrize("path", ["/half-header", "/endless-headers"])
async def test_no_proper_answer(connect, server, path):
    """A server that does not speak WebSocket is a failed handshake."""
    with pytest.raises(WSHandshakeError):
        await connect(server(path))


async def test_nobody_there(connect):
    """A port without a listener is an error."""
    with pytest.raises((WSError, OSError)):
        await connect("ws://127.0.0.1:1/")


async def test_errors_show_no_secrets(connect, server):
    """Query values and credentials are in no message."""
    with pytest.raises(WSError) as caught:
        await connect(server("/refuse", status=401, q="s3cr3t"))
    assert "s3cr3t" not in str(caught.value)


async def test_cancelling_the_connector(connect, server):
    """It raises CancelledError, and nothing is reported afterwards."""
    sink = Recording()
    task = asyncio.ensure_future(connect(server("/hang"), sink=sink))
    await settle(connect, server)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await settle(connect, server)
    assert sink.log == []


async def test_max_size(connect, server, platform):
    """A message over `max_size` is not delivered: we fail the connection."""
    transport, sink = await connect(server("/echo"), max_size=1000)
    transport.send("x" * 1000, text=True)
    await sink.until_messages(1)
    transport.send("x" * 1001, text=True)
    close = await sink.until_closed()
    assert sink.sizes == [1000]
    assert close.code == platform.too_big_code
    assert close.initiator == "local"
    assert sink.log == ["message", "closing", "closed"]
    assert sink.closings[0].code == platform.too_big_code
    assert sink.closings[0].initiator == "local"


async def test_max_size_counts_bytes(connect, server):
    """Text is measured as UTF-8, not in characters."""
    transport, sink = await connect(server("/echo"), max_size=1000)
    transport.send("é" * 501, text=True)
    await sink.until_closed()
    assert sink.messages == []


@pytest.mark.parametrize("path", ["/bad-utf8", "/bad-frame"])
async def test_broken_protocol(connect, server, path):
    """Messages before the fault are delivered, and the connection ends."""
    _, sink = await connect(server(path))
    close = await sink.until_closed()
    assert sink.messages == ["good"]
    assert not close.was_clean
    assert sink.log[-1] == "closed"


async def test_buffered_amount(connect, server, key):
    """It grows if the peer does not read; on_writable follows once it reads again."""
    transport, sink = await connect(server("/stall", key=key), write_limit=64 * 1024)
    assert transport.buffered_amount == 0
    for _ in range(32):
        transport.send(bytes(MIB), text=False)
    await settle(connect, server)
    assert transport.buffered_amount > 64 * 1024
    assert sink.writable == 0
    await connect(server("/release", key=key))
    await sink.until(lambda: sink.writable > 0)
    assert transport.buffered_amount <= 64 * 1024
    assert await sink.until_messages(32) == [str(MIB)] * 32


async def test_last_activity(connect, server):
    """It is the loop's time of the last byte from the peer."""
    loop = asyncio.get_running_loop()
    transport, sink = await connect(server("/echo"))
    before = loop.time()
    assert transport.last_activity <= before
    transport.send("x", text=True)
    await sink.until_messages(1)
    assert before <= transport.last_activity <= loop.time()


async def test_pause(connect, server):
    """A paused transport delivers nothing after its batch, and loses nothing."""
    transport, sink = await connect(server("/echo"))
    if not transport.can_pause:
        pytest.skip("this platform cannot pause")
    sink.react = lambda _: transport.pause_reading() if len(sink.log) == 10 else None
    sent = [str(index) for index in range(3000)]
    for data in sent:
        transport.send(data, text=True)
    await sink.until_messages(10)
    await settle(connect, server)
    assert sink.messages == sent[: sink.end_of_batch(10)]
    transport.resume_reading()
    assert await sink.until_messages(3000) == sent


async def test_ping(connect, server):
    """A ping gives the round trip in seconds."""
    transport, _ = await connect(server("/echo"))
    pong = transport.ping()
    if pong is None:
        pytest.skip("this platform has no pings")
    assert 0 <= await pong < 10


async def test_ping_is_cancelled_at_the_end(connect, server):
    """A ping that cannot be answered any more does not wait for ever."""
    transport, sink = await connect(server("/no-pong"))
    pong = transport.ping()
    if pong is None:
        pytest.skip("this platform has no pings")
    transport.close(1000, None)
    await sink.until_closed()
    with pytest.raises(asyncio.CancelledError):
        await pong


async def test_peers_ping_is_answered(connect, server):
    """The platform answers pings by itself."""
    _, sink = await connect(server("/ping-me"))
    assert await sink.until_messages(1) == ["are you there"]
