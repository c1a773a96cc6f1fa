"""Our client with other projects' servers."""

import asyncio
import os

import pytest

from ws_common.client import WebSocketClient
from ws_common.lifecycle.retry import ConnectionRetryInterval
from ws_common.lifecycle.states import Open
from ws_common.options.options import CompressionOptions
from ws_common.vocabulary.errors import WSConnectionClosedError

MIB = 2**20

SOON = ConnectionRetryInterval(min=0.05, max=0.1)


@pytest.mark.parametrize("compression", [True, False])
async def test_echo(platform, real, compression):
    """Text, binary data and a mebibyte are echoed unchanged, compressed or not."""
    messages = ["grüße €", b"\x00\xff", "", b"", "x" * MIB, os.urandom(MIB)]
    options = real.options(compression=compression)
    async with WebSocketClient(options) as client:
        await client.connect(real.url)
        assert ("permessage-deflate" in client.handshake.extensions) is compression
        for message in messages:
            await client.add(message)
            assert await client.recv() == message


async def test_no_context_takeover(platform, real):
    """Compression of each message by itself, where both have to agree on it."""
    compression = CompressionOptions(
        client_no_context_takeover=True, server_no_context_takeover=True
    )
    async with WebSocketClient(real.options(compression=compression)) as client:
        await client.connect(real.url)
        for message in ["again and again " * 100] * 3:
            await client.add(message)
            assert await client.recv() == message


async def test_subprotocol(platform, real):
    """The server picks the one of ours that it knows."""
    async with WebSocketClient(real.options(protocols=["one", "two"])) as client:
        await client.connect(real.url)
        assert client.protocol == "two"


async def test_server_closes(platform, real):
    """The server's code and reason arrive."""
    async with WebSocketClient(real.options()) as client:
        await client.connect(real.url)
        await client.add("close:4001:enough")
        with pytest.raises(WSConnectionClosedError) as caught:
            await client.recv()
        error = caught.value
        assert (error.close_code, error.close_reason) == (4001, "enough")
        assert error.was_clean


async def test_client_closes(platform, real):
    """Our code arrives at the server."""
    async with WebSocketClient(real.options(close_timeout=5)) as client:
        await client.connect(real.url)
        await client.disconnect(4002, "done")
        # The server may take a moment to note it.
        for _ in range(100):
            await client.connect(real.url)
            await client.add("last")
            if (last := await client.recv()) == "4002":
                break
            await client.disconnect(4002)
            await asyncio.sleep(0.01)
        assert last == "4002"


async def test_ping(platform, real):
    """The server answers a Ping."""
    async with WebSocketClient(real.options()) as client:
        await client.connect(real.url)
        assert 0 < await client.ping() < 5
        assert client.latency > 0


@pytest.mark.parametrize("kill", [True, False])
async def test_restart(platform, real, kill):
    """After a restart of the server, clean or not, the client reconnects."""
    options = real.options(connection_retry_interval=SOON)
    async with WebSocketClient(options) as client:
        await client.connect(real.url)
        async with asyncio.timeout(30):
            with client.state_changes.subscribe() as states:
                await asyncio.to_thread(real.program.stop, kill=kill)
                await asyncio.to_thread(real.program.start)
                async for state in states:
                    if isinstance(state, Open):
                        break
            assert state.connection >= 2
            await client.add("still there?")
            assert await client.recv() == "still there?"
