"""`ws` in a browser: its platform, its imports, its proxies."""

import asyncio
import dataclasses
import gc
import sys

import js
import pytest
from pyodide.code import run_js

import ws
from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.errors import (
    WSHandshakeError,
    WSInvalidUrlError,
    WSUnsupportedError,
)
from ws_js.pyodide_bridge import PyodideBridge


async def test_nothing_native_is_imported():
    """`import ws` imports neither ws_vm nor anything that it needs."""
    assert ws.PLATFORM == "js"
    foreign = {"ws_vm", "websockets", "picows"}
    assert foreign.isdisjoint(name.partition(".")[0] for name in sys.modules)


async def test_native_options_are_refused(platform):
    """The error of `vm()` names the factory to use here."""
    with pytest.raises(WSUnsupportedError, match=r"\.js\(\)"):
        WebSocketOptions.vm()


async def test_browser_options_are_taken(platform):
    """The options of `selector()` are those of a browser too."""
    options = WebSocketOptions.selector(
        vm=WebSocketOptions.vm, js=lambda: WebSocketOptions.js(use_blob_for_binary=True)
    )
    assert options.use_blob_for_binary


async def test_blobs_keep_their_place(connect, server):
    """Text and blobs arrive in the order in which they were sent."""
    options = WebSocketOptions.js(use_blob_for_binary=True)
    transport, sink = await connect(server("/echo"), options=options)
    sent = [b"x" * 100_000, "one", b"", b"\x00\xff", "two", bytes(300_000), "three"]
    for data in sent:
        transport.send(data, text=isinstance(data, str))
    assert await sink.until_messages(len(sent)) == sent


async def test_long_text_among_others(connect, server):
    """Each text arrives as it was sent, whichever way it is read."""
    transport, sink = await connect(server("/echo"))
    long, wide = "x" * 5000, "é😀\ufeff\x00" * 2000
    sent = [long, wide, "", long, long, bytes(5000), wide, wide, "undefined", wide]
    sent += ["x" * (2**14 + over) + "😀" for over in range(-9, 3)]
    sent += [long, "[object ArrayBuffer]", bytes(9), long, b"", "é"]
    for data in sent:
        transport.send(data, text=isinstance(data, str))
    assert await sink.until_messages(len(sent)) == sent


async def test_refusal_says_what_is_hidden(connect, server):
    """There is no status, and the error explains why."""
    with pytest.raises(WSHandshakeError) as caught:
        await connect(server("/refuse", status=401))
    assert caught.value.status is None
    assert str(caught.value).startswith("could not connect to ws://")


async def test_no_websocket(connect, server, monkeypatch):
    """Without a `WebSocket`, the error explains what to do."""
    monkeypatch.setattr(js, "WebSocket", None)
    with pytest.raises(WSUnsupportedError, match=r"globalThis\.WebSocket"):
        await connect(server("/echo"))


@pytest.mark.parametrize("code", [1000, 3000, 4999])
async def test_close_codes_of_a_page(platform, code):
    """A page may send these close codes."""
    platform.check_close_code(code)


@pytest.mark.parametrize("code", [1001, 1009, 1011, 2999, 5000])
async def test_close_codes_of_others(platform, code):
    """A page may not send these, and the error names those that it may send."""
    with pytest.raises(WSUnsupportedError, match="4000 to 4999"):
        platform.check_close_code(code)


async def test_handlers_are_proxied_four_times(connect, server):
    """A connection has four proxies until it ends, and none afterwards."""
    before = js.countHandlers()
    transport, sink = await connect(server("/echo"))
    assert js.countHandlers() - before == 4
    for _ in range(50):
        transport.send("x", text=True)
    await sink.until_messages(50)
    assert js.countHandlers() - before == 4
    transport.close(1000, None)
    await sink.until_closed()
    assert js.countHandlers() == before


@pytest.mark.parametrize("end", ["refused", "cancelled", "aborted"])
async def test_no_proxy_outlives_an_attempt(connect, server, end):
    """No proxy is left, however the connection ends."""
    before = js.countHandlers()
    task = asyncio.ensure_future(
        connect(server("/refuse" if end == "refused" else "/hang"))
    )
    if end == "aborted":
        transport, _ = await connect(server("/echo"))
        transport.abort()
    if end != "refused":
        await asyncio.sleep(0)
        task.cancel()
    with pytest.raises((WSHandshakeError, asyncio.CancelledError)):
        await task
    gc.collect()
    assert js.countHandlers() == before


async def test_the_global_is_that_of_the_runtime():
    """Everything that we use exists in a worker too, which has no `window`."""
    bridge = PyodideBridge.from_runtime()
    assert bridge.js.Blob
    assert bridge.js.Function.prototype


async def test_a_url_that_the_runtime_does_not_take():
    """Each calls it a `SyntaxError`."""
    with pytest.raises(WSInvalidUrlError, match="does not take the URL"):
        PyodideBridge.from_runtime().open_socket("ws://example.org:99999/", [])


async def test_an_error_without_a_stack():
    """WebKit throws errors without a stack, which Pyodide quotes in its own error."""
    runtime = run_js("""({
        WebSocket: class {
            constructor() {
                const error = new DOMException("no such port", "SyntaxError");
                throw Object.defineProperty(error, "stack", {value: undefined});
            }
        },
    })""")
    bridge = dataclasses.replace(PyodideBridge.from_runtime(), js=runtime)
    with pytest.raises(WSInvalidUrlError, match="does not take the URL"):
        bridge.open_socket("ws://example.org:99999/", [])


@pytest.mark.parametrize("status", [401, 403, 429, 503])
async def test_diagnosis(connect, server, status):
    """The diagnosis finds the status that the browser hides."""
    options = WebSocketOptions.js(diagnose=True)
    with pytest.raises(WSHandshakeError, match=str(status)) as caught:
        await connect(server("/refuse", status=status, retry_after=7), options=options)
    assert (caught.value.status, caught.value.retry_after) == (status, 7.0)


async def test_diagnosis_of_an_endpoint_in_good_health(connect, server):
    """Its response to a plain request is not taken for that to the handshake."""
    options = WebSocketOptions.js(diagnose=True)
    with pytest.raises(WSHandshakeError, match="the server is there") as caught:
        await connect(server("/half-header"), options=options)
    assert caught.value.status is None


async def test_diagnosis_of_nothing(connect, server):
    """If nobody listens on the port, the error has no status."""
    options = WebSocketOptions.js(diagnose=True)
    with pytest.raises(WSHandshakeError, match="no answer either") as caught:
        # Nobody listens there, and it is none of the ports that browsers block.
        await connect("ws://127.0.0.1:8/", options=options)
    assert caught.value.status is None


async def test_diagnosis_across_origins(connect, server):
    """The error mentions cross-origin rules, which exist only in a browser."""
    options = WebSocketOptions.js(diagnose=True)
    with pytest.raises(WSHandshakeError) as caught:
        await connect(server("/refuse", status=401, hide=1), options=options)
    if hasattr(js, "location"):
        assert caught.value.status is None
        assert "Access-Control-Allow-Origin" in str(caught.value)
    else:
        assert caught.value.status == 401


async def test_diagnosis_is_cancelled(connect, server):
    """Cancelling an attempt also cancels its diagnosis."""
    options = WebSocketOptions.js(diagnose=True)
    task = asyncio.ensure_future(connect(server("/hang"), options=options))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_signals(platform):
    """Events have one proxy while they are listened to, and none afterwards."""
    before = js.countHandlers()
    environment_events = platform.environment_events()
    heard = []
    environment_events.start(heard.append)
    there = hasattr(js, "ononline")
    assert js.countHandlers() - before == (1 if there else 0)
    assert not environment_events.is_offline
    if there:
        js.dispatchEvent(js.Event.new("offline"))
        js.dispatchEvent(js.Event.new("online"))
        assert heard == ["offline", "online"]
    environment_events.stop()
    assert js.countHandlers() == before
