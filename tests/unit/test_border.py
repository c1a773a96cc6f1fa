"""The browser backend, played by a fake `js`: what a real browser does too rarely."""

import asyncio

import pytest
from pyodide.ffi import JsException

from tests.support.internals import is_watching_its_buffer
from tests.support.recording_sink import Recording
from tests.unit.fake_js import CLOSED, CLOSING, OPEN, Buffer
from ws_common.vocabulary.errors import (
    WSConnectionClosedError,
    WSHandshakeError,
    WSInvalidCloseError,
    WSInvalidUrlError,
    WSUnsupportedError,
)
from ws_js import PLATFORM
from ws_js.message_reader import LONG

URL = "wss://example.org/chat?token=s3cr3t"


async def test_opening(js, begin):
    """Subprotocols are offered, buffers asked for, and four proxies listen."""
    task = await begin(protocols=["a", "b"])
    (socket,) = js.sockets
    assert (socket.url, socket.protocols) == (URL, ["a", "b"])
    assert socket.binaryType == "arraybuffer"
    assert len(js.live) == 4
    socket.play_open("b", "permessage-deflate")
    transport = await task
    assert transport.protocol == "b"
    assert transport.handshake.extensions == "permessage-deflate"
    assert transport.handshake.status is None
    assert not transport.can_pause


async def test_events_before_the_connector_has_returned(js, begin):
    """They go straight to the sink; the transport that is returned is over."""
    sink = Recording()
    task = await begin(sink=sink)
    js.sockets[0].play_open()
    js.sockets[0].play_message("hello")
    js.sockets[0].play_close(1001, "bye")
    transport = await task
    assert sink.log == ["message", "closing", "closed"]
    with pytest.raises(WSConnectionClosedError):
        transport.send("x", text=True)


@pytest.mark.parametrize("state", [0, CLOSING, CLOSED])
async def test_error_without_close_ends_the_attempt(js, begin, state):
    """WebKitGTK and some Nodes send no `close` after it."""
    task = await begin()
    js.sockets[0].play_error(state)
    with pytest.raises(WSHandshakeError, match="refused with an HTTP status"):
        await task
    assert js.live == set()


async def test_close_without_open_ends_the_attempt(js, begin):
    """So does `close`; the URL is shown without its secrets."""
    task = await begin(protocols=["a"])
    js.sockets[0].play_close(1006, clean=False)
    with pytest.raises(WSHandshakeError, match="subprotocols") as caught:
        await task
    assert caught.value.status is None
    assert "s3cr3t" not in str(caught.value)


async def test_what_the_runtime_says_is_told(js, begin):
    """Node explains its errors; then there is nothing hidden to explain."""
    task = await begin()
    js.sockets[0].play_error(message="Unexpected server response: 403")
    with pytest.raises(WSHandshakeError, match=r"chat.*: Unexpected server.* 403$"):
        await task


async def test_close_after_error_is_not_heard_twice(js, begin):
    """The attempt has ended with the `error`, and its handlers are gone."""
    sink = Recording()
    task = await begin(sink=sink)
    js.sockets[0].play_error()
    js.sockets[0].play_close(1006, clean=False)
    with pytest.raises(WSHandshakeError):
        await task
    assert sink.log == []


@pytest.mark.parametrize(
    ("name", "url", "error", "words"),
    [
        ("SyntaxError", URL, WSInvalidUrlError, "does not take the URL"),
        (
            "SecurityError",
            "ws://example.org/",
            WSHandshakeError,
            "may open wss:// only",
        ),
        ("SecurityError", URL, WSHandshakeError, "security policy.*blocked by CSP"),
        (
            "NS_ERROR_CONTENT_BLOCKED",
            URL,
            WSHandshakeError,
            "security policy.*blocked by CSP",
        ),
        ("TypeError", URL, WSUnsupportedError, "TypeError: blocked by CSP"),
    ],
)
async def test_constructor_raises(js, begin, *, name, url, error, words):
    """What `new WebSocket` throws is told in plain words, without secrets."""
    js.as_page("https://page.example")
    js.refuse = JsException(name, "blocked by CSP")
    with pytest.raises(error, match=words) as caught:
        await (await begin(url))
    assert caught.value.__cause__ is js.refuse
    assert "s3cr3t" not in str(caught.value)
    if error is WSHandshakeError:
        assert caught.value.permanent


QUOTED = """\
A value of type object with tag [object DOMException] was thrown as an error!
String interpolation of the thrown value gives \"""{0}\""".
The thrown value's toString method returns \"""{0}\"""."""


@pytest.mark.parametrize(
    ("thrown", "error", "words"),
    [
        ("SyntaxError: no URL", WSInvalidUrlError, "does not take the URL"),
        ("SecurityError: no", WSHandshakeError, r"security policy forbids it \(no\)$"),
        ("OtherError: no", WSUnsupportedError, "OtherError: no$"),
        ("no more", WSUnsupportedError, "Error: A value of type"),
    ],
)
async def test_what_pyodide_quotes_is_told_by_its_name(
    js, begin, *, thrown, error, words
):
    """WebKit's `DOMException` has no stack, so that Pyodide takes it for no error."""
    js.refuse = JsException("Error", QUOTED.format(thrown))
    with pytest.raises(error, match=words):
        await (await begin())


async def test_a_policy_of_an_insecure_page(js, begin):
    """It may forbid `ws:` as well, which such a page may open otherwise."""
    js.as_page("http://page.example")
    js.refuse = JsException("SecurityError", "")
    with pytest.raises(WSHandshakeError, match=r"security policy forbids it$"):
        await (await begin("ws://example.org/"))


async def test_no_websocket(js, begin):
    """Where there is none, the error says how to get one."""
    js.WebSocket = None
    with pytest.raises(WSUnsupportedError, match=r"globalThis\.WebSocket = "):
        await (await begin())


@pytest.mark.parametrize("opened", [False, True])
async def test_cancelling(js, begin, opened):
    """Cancelled, even as it opens, it closes the socket and is silent."""
    sink = Recording()
    task = await begin(sink=sink)
    (socket,) = js.sockets
    if opened:
        socket.play_open()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert socket.closes == [()]
    assert js.live == set()
    socket.play_message("late")
    socket.play_close(1006, clean=False)
    assert sink.log == []


async def test_an_error_is_always_listened_to(js, open_one):
    """After the end too, by a function of JavaScript: npm's `ws` dies otherwise."""
    transport, socket, sink = await open_one()
    transport.abort()
    socket.play_error()
    assert sink.log == []


async def test_messages(open_one):
    """Text by its UTF-8 size; bytes are copied once."""
    _, socket, sink = await open_one()
    buffer = Buffer(b"\x00\xff")
    socket.play_message("grün")
    socket.play_message(buffer)
    assert sink.messages == ["grün", b"\x00\xff"]
    assert sink.sizes == [5, 2]
    assert buffer.copies == 1


async def test_long_text_goes_by_way_of_its_bytes(open_one):
    """From the second one on; short text and bytes among it arrive as ever."""
    _, socket, sink = await open_one()
    long, wide = "x" * LONG, "é" * LONG
    played = [
        socket.play_message(data)
        for data in (long, wide, "undefined", long, "", wide, Buffer(bytes(9)), long)
    ]
    assert [event.touched for event in played] == [1, 0, 1, 1, 0, 1, 1, 1]
    assert sink.messages == [long, wide, "undefined", long, "", wide, bytes(9), long]
    assert sink.sizes == [LONG, 2 * LONG, 9, LONG, 0, 2 * LONG, 9, LONG]


@pytest.mark.parametrize("over", range(-6, 7))
async def test_long_text_around_the_size_of_the_buffer(open_one, over):
    """Not a byte is missing, however the last character falls."""
    _, socket, sink = await open_one()
    texts = [
        "x" * (2**14 + over),
        "é" * (2**13 + over),
        "😀" * (2**12 + over),
        "x😀" * LONG,
    ]
    for text in ["x" * LONG, *texts]:
        socket.play_message(text)
    assert sink.messages == ["x" * LONG, *texts]


async def test_bytes_after_long_text(open_one):
    """The guess was wrong, and the bytes arrive."""
    _, socket, sink = await open_one()
    sent = ["x" * LONG, Buffer(b"\x00"), "x" * LONG, "y" * LONG]
    played = [socket.play_message(data) for data in sent]
    assert [event.touched for event in played] == [1, 1, 1, 0]
    assert sink.messages == ["x" * LONG, b"\x00", "x" * LONG, "y" * LONG]


async def test_long_text_where_data_has_no_getter(js, open_one):
    """An event of a runtime that makes it otherwise is read as ever."""
    js.data_descriptor = None
    _, socket, sink = await open_one()
    played = [socket.play_message("x" * LONG) for _ in range(3)]
    assert [event.touched for event in played] == [1, 1, 1]
    assert sink.messages == ["x" * LONG] * 3


async def test_long_text_where_only_strings_are_encoded(js, open_one):
    """Node.js is so: each is read as ever, the first of them too."""

    class Strict:
        def encodeInto(self, thing: object, _buffer: object) -> None:  # noqa: N802 - JavaScript's
            raise JsException("TypeError", f"{thing} is no string")

    js.TextEncoder.new = Strict
    _, socket, sink = await open_one()
    played = [socket.play_message("x" * LONG) for _ in range(3)]
    assert [event.touched for event in played] == [1, 1, 1]
    assert sink.messages == ["x" * LONG] * 3


async def test_long_text_that_is_too_big_is_never_copied(open_one):
    """Its size is known before it gets into Python's memory."""
    _, socket, sink = await open_one(max_size=LONG)
    socket.play_message("x" * LONG)
    event = socket.play_message("é" * LONG)
    assert event.touched == 0
    assert sink.messages == ["x" * LONG]
    assert socket.closes[0][0] == PLATFORM.too_big_code


@pytest.mark.parametrize("data", ["é" * 6, Buffer(bytes(11))], ids=["text", "binary"])
async def test_a_message_that_is_too_big(open_one, data):
    """It is not copied nor delivered; we close, and say what our reason was."""
    _, socket, sink = await open_one(max_size=10)
    socket.play_message("x" * 10)
    socket.play_message(data)
    socket.play_message("after it")
    assert getattr(data, "copies", 0) == 0
    assert sink.messages == ["x" * 10]
    assert socket.closes[0][0] == PLATFORM.too_big_code
    assert sink.closings[0].code == PLATFORM.too_big_code
    socket.play_close(1006, clean=False)
    (close,) = sink.closed
    assert (close.code, close.initiator) == (PLATFORM.too_big_code, "local")
    assert "max_size is 10" in str(close.error)


async def test_sending(open_one):
    """Text as text; bytes, and text that is to be binary, as bytes; in order."""
    transport, socket, _ = await open_one()
    transport.send("a", text=True)
    transport.send(b"b", text=False)
    transport.send("é", text=False)
    transport.send(b"c", text=True)
    assert socket.sent == ["a", b"b", b"\xc3\xa9", "c"]


async def test_sending_blobs(open_one):
    """Binary data as Blob where that was asked for; text as ever."""
    transport, socket, _ = await open_one(use_blob_for_binary=True)
    transport.send(b"b", text=False)
    transport.send("a", text=True)
    assert socket.sent == [("blob", b"b"), "a"]


@pytest.mark.parametrize("state", [CLOSING, CLOSED])
async def test_send_is_not_swallowed(open_one, state):
    """The browser would take the message and forget it."""
    transport, socket, _ = await open_one()
    socket.readyState = state
    with pytest.raises(WSConnectionClosedError):
        transport.send("x", text=True)
    assert socket.sent == []


async def test_send_that_throws(open_one, monkeypatch):
    """What JavaScript throws is the cause."""
    transport, socket, _ = await open_one()
    error = JsException("InvalidStateError", "no")

    def send(_data):
        raise error

    monkeypatch.setattr(socket, "send", send)
    with pytest.raises(WSConnectionClosedError) as caught:
        transport.send("x", text=True)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ((1000, "bye"), (1000, "bye")),
        ((4000, None), (4000, "")),
        ((None, None), ()),
        ((None, "a reason needs a code"), ()),
    ],
)
async def test_closing(open_one, args, told):
    """No code: no arguments; the end is ours."""
    transport, socket, sink = await open_one()
    transport.close(*args)
    transport.close(4999, "again")
    assert socket.closes == [told]
    socket.play_close(1000)
    assert sink.log == ["closed"]
    assert sink.closed[0].initiator == "local"


async def test_a_code_that_may_not_be_sent(open_one):
    """It raises, and the connection goes on."""
    transport, _, sink = await open_one()
    with pytest.raises(WSInvalidCloseError, match="1001"):
        transport.close(1001, "")
    transport.send("still here", text=True)
    assert sink.log == []


@pytest.mark.parametrize(
    ("code", "clean", "initiator", "log"),
    [
        (1000, True, "peer", ["closing", "closed"]),
        (1005, True, "peer", ["closing", "closed"]),
        (1006, False, "network", ["closed"]),
    ],
)
async def test_the_peer_closes(open_one, code, clean, initiator, log):
    """A closing handshake shows as closing first, a loss does not."""
    _, socket, sink = await open_one()
    socket.play_close(code, "why" * clean, clean=clean)
    assert sink.log == log
    (close,) = sink.closed
    assert (close.code, close.was_clean, close.initiator) == (code, clean, initiator)


async def test_error_without_close_ends_a_connection(open_one):
    """Where no `close` comes within the turn, and the socket is closed."""
    _, socket, sink = await open_one()
    socket.play_error()
    assert sink.log == []
    assert (await sink.until_closed()).code == 1006


async def test_error_with_close(open_one):
    """Where it comes, it alone is told."""
    _, socket, sink = await open_one()
    socket.play_error()
    socket.play_close(1011, clean=True)
    await asyncio.sleep(0)
    assert sink.log == ["closing", "closed"]


async def test_error_of_a_socket_that_goes_on_closing(open_one):
    """`close` will come: npm's `ws` does so."""
    _, socket, sink = await open_one()
    socket.play_error(CLOSING)
    await asyncio.sleep(0)
    assert sink.log == []
    socket.play_close(1006, clean=False)
    assert sink.log == ["closed"]


@pytest.mark.parametrize("event", ["message", "closing", "closed"])
async def test_abort_by_the_sink(js, open_one, event):
    """Whatever it is told meanwhile, nothing comes after it."""
    transport, socket, sink = await open_one()
    sink.react = lambda name: transport.abort() if name == event else None
    socket.play_message("x")
    socket.play_close(1000)
    assert sink.log == ["message", "closing", "closed"][: sink.log.index(event) + 1]
    assert js.live == set()


async def test_full_buffer(open_one):
    """The browser is asked while its buffer is full, and not before or after."""
    transport, socket, sink = await open_one(write_limit=1000)
    transport.send("x" * 100, text=True)
    socket.bufferedAmount = 5000
    transport.send("x" * 900, text=True)
    assert transport.buffered_amount == 5000
    assert is_watching_its_buffer(transport)
    socket.bufferedAmount = 1000
    await sink.until(lambda: sink.writable == 1)
    assert not is_watching_its_buffer(transport)


async def test_full_buffer_while_timers_are_late(open_one, monkeypatch):
    """Each message that arrives asks the browser, as the timers should have."""
    transport, socket, sink = await open_one(write_limit=10)
    loop = asyncio.get_running_loop()
    frozen = loop.time()
    monkeypatch.setattr(loop, "call_later", lambda *_: asyncio.Handle(id, (0,), loop))
    socket.bufferedAmount = 5000
    transport.send("x" * 100, text=True)
    monkeypatch.setattr(loop, "time", lambda: frozen + 60)
    socket.bufferedAmount = 0
    socket.play_message("x")
    assert sink.messages == ["x"]
    assert sink.writable == 1
    assert not is_watching_its_buffer(transport)


async def test_full_buffer_at_the_end(open_one):
    """Nobody asks a socket that is gone."""
    transport, socket, _ = await open_one(write_limit=10)
    socket.bufferedAmount = 5000
    transport.send("x" * 100, text=True)
    assert is_watching_its_buffer(transport)
    socket.play_close(1006, clean=False)
    assert not is_watching_its_buffer(transport)
    assert transport.buffered_amount == 0


async def test_what_a_browser_does_not_have(open_one):
    """No pings, no pause; neither is an error."""
    transport, socket, sink = await open_one()
    assert transport.ping() is None
    transport.pause_reading()
    socket.play_message("x")
    transport.resume_reading()
    assert sink.messages == ["x"]
    assert socket.readyState == OPEN
