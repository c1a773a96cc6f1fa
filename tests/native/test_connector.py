"""The connector: headers, options, secrets, and what a cancellation leaves."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.support.recording_sink import Recording
from tests.support.seen_headers import seen_headers
from ws_common.options.options import (
    CompressionOptions,
    ConnectRequest,
    WebSocketOptions,
)
from ws_common.vocabulary.errors import WSNotConnectedError

vm = WebSocketOptions.vm


async def test_headers(connect, server):
    """Headers arrive, with all their values; the user agent and the origin too."""
    headers = {"X-One": ("1",), "X-Many": ("a", "b"), "x-plain": "text"}
    options = vm(user_agent="example/1.0", origin="https://example.org")
    seen = await seen_headers(
        connect, server("/headers"), headers=headers, options=options
    )
    expected = {
        ("x-one", "1"),
        ("x-many", "a"),
        ("x-many", "b"),
        ("x-plain", "text"),
        ("user-agent", "example/1.0"),
        ("origin", "https://example.org"),
    }
    assert expected <= set(seen)


async def test_owned_headers(connect, platform, server, caplog):
    """Headers that the handshake owns are ignored."""
    headers = {"Sec-WebSocket-Key": "mine", "HOST": "evil.example", "X-Mine": "1"}
    seen = await seen_headers(connect, server("/headers"), headers=headers)
    assert ("x-mine", "1") in seen
    hosts = [value for name, value in seen if name == "host"]
    assert hosts == [server.base.removeprefix("ws://")]
    assert "mine" not in dict(seen)["sec-websocket-key"]


async def test_owned_headers_are_warned_of(platform, server, caplog):
    """There is one warning for each name, however often the client connects."""
    options = vm()
    connector = platform.connector(options)
    for name in ("Sec-WebSocket-Key", "sec-websocket-key"):
        headers = {name: "s3cr3t", "Upgrade": "h2c"}
        request = ConnectRequest(url=server("/echo"), headers=headers, options=options)
        transport = await connector(request, Recording())
        transport.abort()
    await asyncio.sleep(0)
    warned = [record.getMessage() for record in caplog.records]
    assert len(warned) == 2
    assert "Sec-WebSocket-Key" in warned[0]
    assert "s3cr3t" not in caplog.text


def test_options_are_checked_early(platform):
    """What only this platform understands is checked when the connector is made."""
    with pytest.raises(TypeError, match="ssl must be"):
        platform.connector(vm(ssl=True))
    options = vm(compression=CompressionOptions(client_max_window_bits=8))
    with pytest.raises(ValueError, match="client_max_window_bits"):
        platform.connector(options)


FDS = Path("/proc/self/fd")


def open_files() -> int:
    return len(os.listdir(FDS))  # noqa: PTH208 - a path object would do more


@pytest.mark.skipif(not FDS.exists(), reason="open files are counted on Linux alone")
@pytest.mark.parametrize("stage", ["tcp", "tls", "http", "open", "refused"])
async def test_nothing_is_left(connect, server, tls_server, trusting, stage):
    """Cancelled at any stage, or refused, the connector leaves no socket behind."""

    async def silent(reader, writer):
        await reader.read()
        writer.close()

    quiet = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = quiet.sockets[0].getsockname()[1]
    url, options = {
        # RFC 5737: nobody is there.
        "tcp": ("ws://192.0.2.1/", vm(proxy=None)),
        "tls": (f"wss://127.0.0.1:{port}/", vm()),
        "http": (tls_server("/hang"), vm(ssl=trusting)),
        "open": (server("/greeting"), vm()),
        "refused": (server("/refuse"), vm()),
    }[stage]
    before = open_files()
    sink = Recording()
    task = asyncio.ensure_future(connect(url, sink=sink, options=options))
    if stage == "open":
        sink.react = lambda _: task.cancel()
    await asyncio.wait([task], timeout=0.1)
    task.cancel()
    with pytest.raises((asyncio.CancelledError, WSNotConnectedError)):
        await task
    quiet.close()
    for _ in range(200):
        await asyncio.sleep(0.01)
        if open_files() <= before - 1:  # the listening socket is closed
            break
    assert open_files() <= before - 1
    assert "closed" not in sink.log


async def test_no_secrets_in_logs(connect, server, caplog):
    """Even at DEBUG neither a header nor a query value is logged."""
    caplog.set_level("DEBUG", logger="ws")
    headers = {"Authorization": "Bearer s3cr3t"}
    transport, sink = await connect(server("/headers", q="s3cr3t"), headers=headers)
    await sink.until_messages(1)
    transport.send("s3cr3t", text=True)
    await sink.until_messages(2)
    assert "connected to" in caplog.text
    assert "s3cr3t" not in caplog.text
