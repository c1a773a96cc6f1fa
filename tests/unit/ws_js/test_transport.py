"""The browser's transport, in a fake that does what real browsers do rarely."""

import asyncio
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from pyodide.ffi import JsException

from tests.support.internals import is_watching_its_buffer
from tests.unit.fake_js import CLOSED, CLOSING, OPEN, Buffer
from ws_common.vocabulary.errors import (
    WSConnectionClosedError,
    WSInvalidCloseError,
)
from ws_js import PLATFORM


async def test_an_error_is_always_listened_to(js, open_one):
    """`error` has a handler after the end too, or npm's `ws` would end the process."""
    transport, socket, sink = await open_one()
    transport.abort()
    socket.play_error()
    assert sink.log == []


async def test_messages(open_one):
    """Sizes are those of UTF-8, and bytes are copied once."""
    _, socket, sink = await open_one()
    buffer = Buffer(b"\x00\xff")
    socket.play_message("grün")
    socket.play_message(buffer)
    assert sink.messages == ["grün", b"\x00\xff"]
    assert sink.sizes == [5, 2]
    assert buffer.copies == 1


@pytest.mark.parametrize("data", ["é" * 6, Buffer(bytes(11))], ids=["text", "binary"])
async def test_a_message_that_is_too_big(open_one, data):
    """It is neither copied nor delivered, and the close info has our reason."""
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
    """Text and bytes are converted as `text` says, and sent in order."""
    transport, socket, _ = await open_one()
    transport.send("a", text=True)
    transport.send(b"b", text=False)
    transport.send("é", text=False)
    transport.send(b"c", text=True)
    assert socket.sent == ["a", b"b", b"\xc3\xa9", "c"]


async def test_sending_blobs(open_one):
    """With the option, binary data is sent as a Blob, and text as usual."""
    transport, socket, _ = await open_one(use_blob_for_binary=True)
    transport.send(b"b", text=False)
    transport.send("a", text=True)
    assert socket.sent == [("blob", b"b"), "a"]


@pytest.mark.parametrize("state", [CLOSING, CLOSED])
async def test_send_is_not_swallowed(open_one, state):
    """It raises, since the browser would drop the message silently."""
    transport, socket, _ = await open_one()
    socket.readyState = state
    with pytest.raises(WSConnectionClosedError):
        transport.send("x", text=True)
    assert socket.sent == []


async def test_send_that_throws(open_one, monkeypatch):
    """The exception of JavaScript is the cause of the error."""
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
    """Without a code there are no arguments, and the end is a local one."""
    transport, socket, sink = await open_one()
    transport.close(*args)
    transport.close(4999, "again")
    assert socket.closes == [told]
    socket.play_close(1000)
    assert sink.log == ["closed"]
    assert sink.closed[0].initiator == "local"


async def test_a_code_that_may_not_be_sent(open_one):
    """It raises, and the connection stays open."""
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
    """`on_closing` precedes `on_closed` for a closing handshake, but not for a loss."""
    _, socket, sink = await open_one()
    socket.play_close(code, "why" * clean, clean=clean)
    assert sink.log == log
    (close,) = sink.closed
    assert (close.code, close.was_clean, close.initiator) == (code, clean, initiator)


async def test_error_without_close_ends_a_connection(open_one):
    """`error` ends a connection if no `close` follows in the same turn of the loop."""
    _, socket, sink = await open_one()
    socket.play_error()
    assert sink.log == []
    assert (await sink.until_closed()).code == 1006


async def test_error_with_close(open_one):
    """If `close` follows, only that is reported."""
    _, socket, sink = await open_one()
    socket.play_error()
    socket.play_close(1011, clean=True)
    await asyncio.sleep(0)
    assert sink.log == ["closing", "closed"]


async def test_error_of_a_socket_that_goes_on_closing(open_one):
    """If the socket is still closing, `close` will come, as with npm's `ws`."""
    _, socket, sink = await open_one()
    socket.play_error(CLOSING)
    await asyncio.sleep(0)
    assert sink.log == []
    socket.play_close(1006, clean=False)
    assert sink.log == ["closed"]


@pytest.mark.parametrize("event", ["message", "closing", "closed"])
async def test_abort_by_the_sink(js, open_one, event):
    """Nothing is reported after it, whichever report the sink is handling."""
    transport, socket, sink = await open_one()
    sink.react = lambda name: transport.abort() if name == event else None
    socket.play_message("x")
    socket.play_close(1000)
    assert sink.log == ["message", "closing", "closed"][: sink.log.index(event) + 1]
    assert js.live == set()


async def test_full_buffer(open_one):
    """The buffer is polled while it is full, and not before or after."""
    transport, socket, sink = await open_one(write_limit=1000)
    transport.send("x" * 100, text=True)
    socket.bufferedAmount = 5000
    transport.send("x" * 900, text=True)
    assert transport.buffered_amount == 5000
    assert is_watching_its_buffer(transport)
    socket.bufferedAmount = 1000
    await sink.until(lambda: sink.writable == 1)
    assert not is_watching_its_buffer(transport)


async def test_full_buffer_while_timers_are_late(open_one):
    """Each message that arrives asks the browser, as the timers should have."""
    transport, socket, sink = await open_one(write_limit=10)
    late = SimpleNamespace(time=lambda: -60.0, call_later=lambda *_: Mock())
    transport._send_buffer._loop = late
    socket.bufferedAmount = 5000
    transport.send("x" * 100, text=True)
    socket.bufferedAmount = 0
    socket.play_message("x")
    assert sink.messages == ["x"]
    assert sink.writable == 1
    assert not is_watching_its_buffer(transport)


async def test_full_buffer_at_the_end(open_one):
    """Polling stops at the end."""
    transport, socket, _ = await open_one(write_limit=10)
    socket.bufferedAmount = 5000
    transport.send("x" * 100, text=True)
    assert is_watching_its_buffer(transport)
    socket.play_close(1006, clean=False)
    assert not is_watching_its_buffer(transport)
    assert transport.buffered_amount == 0


async def test_what_a_browser_does_not_have(open_one):
    """Pings and pauses have no effect, and raise no error."""
    transport, socket, sink = await open_one()
    assert transport.ping() is None
    transport.pause_reading()
    socket.play_message("x")
    transport.resume_reading()
    assert sink.messages == ["x"]
    assert socket.readyState == OPEN
