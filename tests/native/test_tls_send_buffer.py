"""The send buffer below TLS is counted, and senders wait for it."""

import asyncio

import pytest

import ws
from tests.support.fake_network import begin
from tests.support.tcp_proxy import Direction, TcpProxy

SIZE = 16 * 2**20
"""Bytes, more than the operating system takes from one side and holds for the other."""

AT_LEAST = 2 * 2**20
"""Bytes of these that must be somewhere in this process."""

HEARTBEAT = ws.Heartbeat(0.4, 0.4)

UPLOAD, RATE = 12 * 2**20, 8 * 2**20
"""Bytes, and bytes a second of a slow line: longer than the heartbeat waits."""

WINDOW = 256 * 1024
"""Bytes that the line holds."""


def options(trusting, **more) -> ws.WebSocketOptions:
    common = {"heartbeat": None, "compression": False, "close_timeout": 0.1}
    return ws.WebSocketOptions.vm(ssl=trusting, proxy=None, **{**common, **more})


async def release(urls, key: str, trusting) -> None:
    """Let a server that reads nothing read on."""
    async with ws.connect(urls("/release", key=key), options(trusting)):
        pass


@pytest.fixture(params=["ws", "wss"])
def urls(request, server, tls_server):
    """The URLs of a server, without TLS (where all is well) and with it."""
    return server if request.param == "ws" else tls_server


async def test_the_amount_that_waits(urls, key, trusting):
    """`buffered_amount` says what the network has not taken."""
    async with ws.connect(urls("/stall", key=key), options(trusting)) as client:
        client.add_nowait(bytes(SIZE))
        await asyncio.sleep(0)
        amount = client.metrics.buffered_amount
        await release(urls, key, trusting)
        assert AT_LEAST <= amount <= SIZE + 2**20


async def test_add_waits(urls, key, trusting):
    """add() returns when the network has taken it, and not while megabytes wait."""
    async with ws.connect(urls("/stall", key=key), options(trusting)) as client:
        adding = begin(client.add(bytes(SIZE)))
        done, _ = await asyncio.wait({adding}, timeout=0.2)
        waited = not done
        await release(urls, key, trusting)
        async with asyncio.timeout(5):
            await adding
            assert await client.recv() == str(SIZE)
        assert waited


async def test_add_nowait_keeps_to_the_limit(urls, key, trusting):
    """Above `write_limit` messages wait in the outbox, where it bounds them."""
    async with ws.connect(urls("/stall", key=key), options(trusting)) as client:
        client.add_nowait(bytes(SIZE))
        receipts = [client.add_nowait(bytes(1000)) for _ in range(3)]
        statuses = [receipt.status for receipt in receipts]
        await release(urls, key, trusting)
        assert statuses == ["queued"] * 3


async def test_a_slow_upload_is_not_dead(urls, key, trusting):
    """A send buffer that drains keeps the heartbeat satisfied, over TLS too."""
    scheme, _, port = urls.base.rpartition(":")
    chosen = options(trusting, heartbeat=HEARTBEAT, write_limit=2 * UPLOAD)
    async with TcpProxy(int(port), up=Direction(rate=RATE), window=WINDOW) as proxy:
        url = f"{scheme}:{proxy.port}/stall?key={key}"
        await release(urls, key, trusting)
        async with ws.connect(url, chosen) as client:
            client.add_nowait(bytes(UPLOAD))
            async with asyncio.timeout(10):
                try:
                    answer = await client.recv()
                except ws.WSConnectionClosedError:
                    answer = "the connection was lost"
            assert answer == str(UPLOAD)
            causes = [entry.cause for entry in client.history]
            assert "heartbeat_timeout" not in causes
