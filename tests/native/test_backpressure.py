"""A reader that is slower than the server: memory stays bounded, and nothing is lost.

The server runs in a process of its own, and so does the program whose memory counts.
"""

import asyncio
import gc
import json
import logging
import sys
from pathlib import Path

import pytest

import ws
from tests.support import slow_reader
from tests.support.client_helpers import LATER, Told, until
from tests.support.internals import set_patience

MIB = 2**20
PATIENCE = 0.05
"""Seconds after which a subscriber that holds the socket is named, in these tests."""


@pytest.fixture
def impatient(monkeypatch):
    set_patience(monkeypatch, PATIENCE)


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="resident memory is read from /proc"
)
@pytest.mark.parametrize(
    ("size", "total", "compress"),
    [
        (64, 32 * MIB, 0),
        (64 * 1024, 256 * MIB, 0),
        (MIB, 1024 * MIB, 0),
        (MIB, 1024 * MIB, 1),
    ],
    ids=["64 B", "64 KiB", "1 MiB", "1 MiB deflated"],
)
async def test_flood(far_server, size, total, compress):
    """Memory grows by less than 32 MiB, order is kept, and no heartbeat fails."""
    count = total // size
    url = far_server("/flood", size=size, count=count, compress=compress)
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", slow_reader.__name__),
        *(url, str(count), str(compress)),
        stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
    )
    written, _ = await program.communicate()
    seen = json.loads(written)
    grown = seen.pop("grown_kib")
    assert seen == {
        "in_order": count,
        "held_back": True,
        "received": count,
        "size": total,
        "dropped": 0,
        "disconnects": 0,
    }
    assert grown < 32 * 1024


async def test_a_subscriber_that_is_never_read(server, impatient, caplog):
    """A warning, an event and `explain()` name it. Once dropped, it stops nobody."""
    told = Told()
    options = ws.WebSocketOptions.vm(on_event=told, stream_capacity=4)
    with caplog.at_level(logging.WARNING, "ws.client"):
        async with ws.connect(server("/flood", count=5000, wait=1), options) as client:
            reader = client.stream.subscribe()
            forgotten = client.stream.subscribe()
            await client.add("go")
            reading = asyncio.ensure_future(read(reader, 5000))
            await until(lambda: told.named("subscriber_stuck"))
            (event,) = told.named("subscriber_stuck")
            assert Path(__file__).name in event["who"]
            assert event["waiting"] >= 4
            assert event["who"] in client.explain()
            assert [event["who"] in record.getMessage() for record in caplog.records]
            assert not reading.done()
            del forgotten
            gc.collect()
            assert await reading == list(range(5000))
            assert event["who"] not in client.explain()


async def test_nobody_has_subscribed(server, impatient):
    """Messages that are kept for a first subscriber that never comes are reported."""
    told = Told()
    options = ws.WebSocketOptions.vm(on_event=told, stream_capacity=4)
    async with ws.connect(server("/flood", count=50), options) as client:
        await until(lambda: told.named("subscriber_stuck"))
        assert "nobody has subscribed" in client.explain()
        assert await read(client.stream.subscribe(), 50) == list(range(50))


async def test_a_slow_subscriber_is_not_called_stuck(server, monkeypatch):
    """A subscriber that reads from time to time pauses the socket without a warning."""
    set_patience(monkeypatch, 0.2)
    told = Told()
    options = ws.WebSocketOptions.vm(on_event=told, stream_capacity=4)
    async with ws.connect(server("/flood", count=20), options) as client:
        numbers = []
        for _ in range(20):
            await asyncio.sleep(0.02)
            numbers.append(number(await client.recv()))
        assert numbers == list(range(20))
        assert told.named("subscriber_stuck") == []


async def test_a_pause_outlives_a_connection(server):
    """The heartbeat waits while a new connection is paused from the start."""
    options = ws.WebSocketOptions.vm(
        stream_capacity=1,
        heartbeat=ws.Heartbeat(0.02, 0.02),
        connection_retry_interval=LATER,
    )
    async with ws.connect(server("/flood", count=3), options) as client:
        reader = client.stream.subscribe()
        await until(lambda: client.metrics.received_count >= 2)
        await client.reconnect()
        await asyncio.sleep(0.2)  # five deadlines
        assert isinstance(client.state, ws.Open)
        assert client.state.connection == 2
        numbers = await read(reader, 4)
        while numbers[-1] != 2:
            numbers += await read(reader, 1)
        assert numbers in ([0, 1, 0, 1, 2], [0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize("compress", [0, 1])
async def test_disconnect_while_paused(server, compress):
    """Closing reads the messages before the Close, and is clean."""
    options = ws.WebSocketOptions.vm(stream_capacity=4, close_timeout=20)
    url = server("/flood", count=2000, size=1000, compress=compress)
    async with ws.connect(url, options) as client:
        await until(lambda: client.metrics.received_count > 4)
        async with asyncio.timeout(10):
            await client.disconnect()
        assert isinstance(client.state, ws.Closed)
        assert client.state.close_code == 1000
        assert client.history[-1].cause == "closed"


async def test_what_disconnecting_discards_is_counted(server):
    """Every received message is delivered, or counted and reported as dropped."""
    told = Told()
    options = ws.WebSocketOptions.vm(stream_capacity=4, on_event=told)
    url = server("/flood", count=2000, size=1000)
    async with ws.connect(url, options) as client:
        reader = client.stream.subscribe()
        await until(lambda: client.metrics.received_count > 4)
        delivered = client.metrics.received_count
        await client.disconnect()
        assert await read(reader, delivered) == list(range(delivered))
        metrics = client.metrics
    assert metrics.dropped_count > 0
    assert metrics.received_count == delivered + metrics.dropped_count
    assert told.named("messages_discarded") == [{"count": metrics.dropped_count}]


async def test_what_reconnecting_discards_is_counted(server):
    """The same holds if the old connection is closed in the background."""
    told = Told()
    options = ws.WebSocketOptions.vm(
        stream_capacity=4, on_event=told, connection_retry_interval=LATER
    )
    url = server("/flood", count=2000, size=1000)
    async with ws.connect(url, options) as client:
        reader = client.stream.subscribe()
        await until(lambda: client.metrics.received_count > 4)
        await client.reconnect()
        await until(lambda: told.named("messages_discarded"))
        seen = [0]
        while seen[-1] != 1999:
            seen += await read(reader, 1)
        (discarded,) = told.named("messages_discarded")
        metrics = client.metrics
    assert discarded["count"] == metrics.dropped_count
    assert metrics.received_count == len(seen) - 1 + metrics.dropped_count


async def read(subscriber, count: int) -> list[int]:
    """Read this many messages, and return their numbers."""
    return [number(await anext(subscriber)) for _ in range(count)]


def number(message: ws.Data) -> int:
    return int(str(message)[:12].partition(":")[0])
