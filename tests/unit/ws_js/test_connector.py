"""Connecting in a browser, which is a fake that does what real ones do rarely."""

import asyncio

import pytest

from tests.support.recording_sink import Recording
from tests.unit.fake_js import CLOSED, CLOSING
from ws_common.vocabulary.errors import (
    WSConnectionClosedError,
    WSHandshakeError,
    WSUnsupportedError,
)

URL = "wss://example.org/chat?token=s3cr3t"


async def test_opening(js, begin):
    """Subprotocols are offered, and four proxies handle the events."""
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
    """They go to the sink at once, and the transport that is returned has ended."""
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
    """WebKitGTK and some versions of Node.js send no `close` after it."""
    task = await begin()
    js.sockets[0].play_error(state)
    with pytest.raises(WSHandshakeError, match="refused with an HTTP status"):
        await task
    assert js.live == set()


async def test_close_without_open_ends_the_attempt(js, begin):
    """`close` ends an attempt too, and the error contains no secrets of the URL."""
    task = await begin(protocols=["a"])
    js.sockets[0].play_close(1006, clean=False)
    with pytest.raises(WSHandshakeError, match="subprotocols") as caught:
        await task
    assert caught.value.status is None
    assert "s3cr3t" not in str(caught.value)


async def test_what_the_runtime_says_is_told(js, begin):
    """Node.js explains its errors, and its explanation replaces our guesses."""
    task = await begin()
    js.sockets[0].play_error(message="Unexpected server response: 403")
    with pytest.raises(WSHandshakeError, match=r"chat.*: Unexpected server.* 403$"):
        await task


async def test_close_after_error_is_not_heard_twice(js, begin):
    """The attempt ended with the `error`, which removed the handlers."""
    sink = Recording()
    task = await begin(sink=sink)
    js.sockets[0].play_error()
    js.sockets[0].play_close(1006, clean=False)
    with pytest.raises(WSHandshakeError):
        await task
    assert sink.log == []


async def test_no_websocket(js, begin):
    """The error explains how to get a `WebSocket`."""
    js.WebSocket = None
    with pytest.raises(WSUnsupportedError, match=r"globalThis\.WebSocket = "):
        await (await begin())


@pytest.mark.parametrize("opened", [False, True])
async def test_cancelling(js, begin, opened):
    """Cancelling closes the socket without an event, even while it opens."""
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
