"""Fixtures for connections to a peer that the test controls, on its own loop."""

import asyncio

import pytest

from tests.support.raw_peer import Peer
from tests.support.recording_sink import PATIENCE
from ws_common.options.heartbeat import Heartbeat
from ws_common.options.options import WebSocketOptions

INTERVAL = 0.02
HEARTBEAT = Heartbeat(interval=INTERVAL, timeout=PATIENCE)


@pytest.fixture
async def listen():
    """Waits for clients: the URL to connect to, and what gives the next peer."""
    servers, writers = [], []

    async def listen(ssl=None):
        arrived: asyncio.Queue[Peer] = asyncio.Queue()

        async def serve(reader, writer):
            writers.append(writer)
            peer = Peer(reader, writer)
            assert await peer.read_request()
            peer.accept()
            await peer.flush()
            arrived.put_nowait(peer)

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=ssl)
        servers.append(server)
        port = server.sockets[0].getsockname()[1]
        url = f"wss://localhost:{port}/" if ssl else f"ws://127.0.0.1:{port}/"
        return url, arrived.get

    yield listen
    for server in servers:
        server.close()
    for writer in writers:
        writer.transport.abort()
    await asyncio.sleep(0)


@pytest.fixture
def dial(connect, listen, serving_tls, trusting):
    """Connects; gives the transport, its sink, and the peer."""

    async def dial(over="plain", heartbeat=HEARTBEAT):
        how = {"heartbeat": heartbeat, "proxy": None}
        if over == "tls":
            how["ssl"] = trusting
        url, arrival = await listen(serving_tls("localhost") if over == "tls" else None)
        transport, sink = await connect(
            f"{url}?compress={int(over == 'deflate')}",
            options=WebSocketOptions.vm(**how),
        )
        return transport, sink, await arrival()

    return dial


async def received(peer, opcode) -> bytes:
    """Wait for a frame of this kind from the client."""
    async with asyncio.timeout(PATIENCE):
        async for frame in peer.frames():
            if frame.opcode is opcode:
                return bytes(frame.data)
    raise AssertionError("the client is gone")
