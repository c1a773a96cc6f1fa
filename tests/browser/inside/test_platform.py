"""`ws` in a browser: one platform, nothing native, nothing that leaks."""

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
    """`import ws` brings neither ws_vm nor what it needs."""
    assert ws.PLATFORM == "js"
    foreign = {"ws_vm", "websockets", "picows"}
    assert foreign.isdisjoint(name.partition(".")[0] for name in sys.modules)


async def test_native_options_are_refused(platform):
    """vm() says which factory is the right one here."""
    with pytest.raises(WSUnsupportedError, match=r"\.js\(\)"):
        WebSocketOptions.vm()


async def test_browser_options_are_taken(platform):
    """So are those of selector()."""
    options = WebSocketOptions.selector(
        vm=WebSocketOptions.vm, js=lambda: WebSocketOptions.js(use_blob_for_binary=True)
    )
    assert options.use_blob_for_binary


async def test_blobs_keep_their_place(connect, server):
    """Text between blobs stays between them."""
    options = WebSocketOptions.js(use_blob_for_binary=True)
    transport, sink = await connect(server("/echo"), options=options)
    sent = [b"x" * 100_000, "one", b"", b"\x00\xff", "two", bytes(300_000), "three"]
    for data in sent:
        transport.send(data, text=isinstance(data, str))
    assert await sink.until_messages(len(sent)) == sent


async def test_long_text_among_others(connect, server):
    """By way of its bytes or not, each arrives as it was sent."""
    transport, sink = await connect(server("/echo"))
    long, wide = "x" * 5000, "é😀\ufeff\x00" * 2000
    sent = [long, wide, "", long, long, bytes(5000), wide, wide, "undefined", wide]
    sent += ["x" * (2**14 + over) + "😀" for over in range(-9, 3)]
    sent += [long, "[object ArrayBuffer]", bytes(9), long, b"", "é"]
    for data in sent:
        transport.send(data, text=isinstance(data, str))
    assert await sink.until_messages(len(sent)) == sent


async def test_refusal_says_what_is_hidden(connect, server):
    """No status, and words that say why there is none."""
    with pytest.raises(WSHandshakeError) as caught:
        await connect(server("/refuse", status=401))
    assert caught.value.status is None
    assert str(caught.value).startswith("could not connect to ws://")


async def test_no_websocket(connect, server, monkeypatch):
    """A runtime without one says what to do, before anything is opened."""
    monkeypatch.setattr(js, "WebSocket", None)
    with pytest.raises(WSUnsupportedError, match=r"globalThis\.WebSocket"):
        await connect(server("/echo"))


@pytest.mark.parametrize("code", [1000, 3000, 4999])
async def test_close_codes_of_a_page(platform, code):
    """These may be sent."""
    platform.check_close_code(code)


@pytest.mark.parametrize("code", [1001, 1009, 1011, 2999, 5000])
async def test_close_codes_of_others(platform, code):
    """These may not, and the error says which may."""
    with pytest.raises(WSUnsupportedError, match="4000 to 4999"):
        platform.check_close_code(code)


async def test_handlers_are_proxied_four_times(connect, server):
    """Four proxies for a connection, for its whole life, and none after it."""
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
    """Nor does any, however else it ends."""
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
    """A worker has no `window`; what we use is in either."""
    bridge = PyodideBridge.from_runtime()
    assert bridge.js.Blob
    assert bridge.js.Function.prototype


async def test_a_url_that_the_runtime_does_not_take():
    """Each calls it a `SyntaxError`."""
    with pytest.raises(WSInvalidUrlError, match="does not take the URL"):
        PyodideBridge.from_runtime().open_socket("ws://example.org:99999/", [])


async def test_an_error_without_a_stack():
    """WebKit throws such; Pyodide takes it for no error, and quotes it in its own."""
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
    """What the browser hides is asked for, and found."""
    options = WebSocketOptions.js(diagnose=True)
    with pytest.raises(WSHandshakeError, match=str(status)) as caught:
        await connect(server("/refuse", status=status, retry_after=7), options=options)
    assert (caught.value.status, caught.value.retry_after) == (status, 7.0)


async def test_diagnosis_of_an_endpoint_in_good_health(connect, server):
    """What it says to a plain request is not what it said to the handshake."""
    options = WebSocketOptions.js(diagnose=True)
    with pytest.raises(WSHandshakeError, match="the server is there") as caught:
        await connect(server("/half-header"), options=options)
    assert caught.value.status is None


async def test_diagnosis_of_nothing(connect, server):
    """Nobody listens, and nobody answers."""
    options = WebSocketOptions.js(diagnose=True)
    with pytest.raises(WSHandshakeError, match="no answer either") as caught:
        # Nobody listens there, and it is none of the ports that browsers block.
        await connect("ws://127.0.0.1:8/", options=options)
    assert caught.value.status is None


async def test_diagnosis_across_origins(connect, server):
    """What the rules hide is said; outside of a browser there are none."""
    options = WebSocketOptions.js(diagnose=True)
    with pytest.raises(WSHandshakeError) as caught:
        await connect(server("/refuse", status=401, hide=1), options=options)
    if hasattr(js, "location"):
        assert caught.value.status is None
        assert "Access-Control-Allow-Origin" in str(caught.value)
    else:
        assert caught.value.status == 401


async def test_diagnosis_is_cancelled(connect, server):
    """With the attempt."""
    options = WebSocketOptions.js(diagnose=True)
    task = asyncio.ensure_future(connect(server("/hang"), options=options))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_signals(platform):
    """Listened to where there are any; one proxy, and none after it."""
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
