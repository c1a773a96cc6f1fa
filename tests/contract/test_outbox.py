"""`add_nowait()`: the outbox, its bounds, and what its receipts say.

Runs unchanged inside Pyodide: no plug-ins, no threads, no sockets here.
"""

import asyncio
from datetime import timedelta

import pytest

import ws
from tests.support.client_helpers import LATER, Told, go_away
from tests.support.idle import until_idle
from tests.support.internals import set_wall_clock

pytestmark = pytest.mark.usefixtures("sockets")


def options(**outbox) -> ws.WebSocketOptions:
    """A client with this outbox, which does not connect."""
    return ws.WebSocketOptions.common(
        connection_retry_interval=LATER, outbox=ws.Outbox(**outbox)
    )


@pytest.fixture
def wall(monkeypatch):
    """A wall clock that the test moves: `wall[0] += 60`."""
    now = [1_000_000.0]
    set_wall_clock(monkeypatch, lambda: now[0])
    return now


async def test_sent_at_once(server):
    """While a connection is open, the receipt is `sent` when the call returns."""
    async with ws.connect(server("/echo")) as client:
        receipt = client.add_nowait("now")
        assert receipt.status == "sent"
        for _ in range(3):
            await receipt
        assert await client.recv() == "now"
        assert repr(receipt) == "Receipt(status='sent')"


async def test_queued_then_sent(server):
    """Many may wait for one receipt, and one may be cancelled."""
    async with ws.connect(server("/echo"), options()) as client:
        await go_away(client)
        receipt = client.add_nowait("later")

        async def wait() -> str:
            await receipt
            return receipt.status

        waiting = [asyncio.ensure_future(wait()) for _ in range(3)]
        await until_idle()
        assert receipt.status == "queued"
        waiting[0].cancel()
        await client.reconnect()
        assert await asyncio.gather(*waiting[1:]) == ["sent", "sent"]
        assert await client.recv() == "later"
        assert waiting[0].cancelled()


async def test_receipts_need_not_be_awaited(server):
    """A failure that nobody awaits is not an unhandled error."""
    client = await ws.connect(server("/echo"), options(max_messages=1))
    await go_away(client)
    client.add_nowait("never asked for")
    await client.close()


@pytest.mark.parametrize(
    ("bounds", "fits"),
    [({"max_messages": 3}, 3), ({"max_bytes": 9}, 3), ({"max_messages": 0}, 0)],
    ids=str,
)
async def test_error(server, bounds, fits):
    """Above the limits the call raises; messages stay. Text counts as UTF-8."""
    async with ws.connect(server("/echo"), options(**bounds)) as client:
        await go_away(client)
        receipts = [client.add_nowait("aü") for _ in range(fits)]
        for _ in range(2):
            with pytest.raises(ws.WSOutboxFullError):
                client.add_nowait("b")
        assert client.metrics.dropped_count == 0
        await client.reconnect()
        assert {receipt.status for receipt in receipts} <= {"sent"}
        await client.add("end")
        assert [await client.recv() for _ in range(fits + 1)] == ["aü"] * fits + ["end"]
        client.add_nowait("room again")


async def test_drop_oldest(server):
    """The oldest messages are dropped; their receipts and an event say so."""
    told = Told()
    chosen = options(max_bytes=10, overflow="drop_oldest").replace(on_event=told)
    async with ws.connect(server("/echo"), chosen) as client:
        await go_away(client)
        receipts = [client.add_nowait(text * 4) for text in "abc"]
        assert [one.status for one in receipts] == ["dropped", "queued", "queued"]
        big = client.add_nowait("d" * 10)
        with pytest.raises(ws.WSMessageDroppedError):
            await receipts[0]
        with pytest.raises(ws.WSOutboxFullError):
            client.add_nowait("e" * 11)
        assert (big.status, client.metrics.dropped_count) == ("queued", 3)
        events = told.named("message_dropped")
        assert {("out", "dropped")} == {(e["direction"], e["why"]) for e in events}
        assert [event["size"] for event in events] == [4, 4, 4]
        fits = client.add_nowait("f")
        assert (big.status, fits.status) == ("dropped", "queued")
        await client.reconnect()
        assert await client.recv() == "f"


async def test_drop_newest(server):
    """A message above the limits is dropped, and the call does not raise."""
    told = Told()
    chosen = options(max_messages=2, overflow="drop_newest").replace(on_event=told)
    async with ws.connect(server("/echo"), chosen) as client:
        await go_away(client)
        receipts = [client.add_nowait(text) for text in "abcd"]
        statuses = ["queued", "queued", "dropped", "dropped"]
        assert statuses == [receipt.status for receipt in receipts]
        with pytest.raises(ws.WSMessageDroppedError):
            await receipts[3]
        assert client.metrics.dropped_count == len(told.named("message_dropped")) == 2
        await client.reconnect()
        assert [await client.recv() for _ in range(2)] == ["a", "b"]


async def test_add_is_not_bounded_and_not_dropped(server):
    """A waiting `add()` takes no room in the outbox, and is never dropped."""
    chosen = options(max_messages=1, overflow="drop_oldest")
    async with ws.connect(server("/echo"), chosen) as client:
        await go_away(client)
        adding = [asyncio.ensure_future(client.add(f"add {n}")) for n in range(5)]
        await until_idle()
        receipts = [client.add_nowait(text) for text in "abc"]
        statuses = ["dropped", "dropped", "queued"]
        assert statuses == [receipt.status for receipt in receipts]
        await client.reconnect()
        await asyncio.gather(*adding)
        received = [await client.recv() for _ in range(6)]
        assert received == [*(f"add {n}" for n in range(5)), "c"]


@pytest.mark.parametrize("ttl", [60, timedelta(minutes=1)], ids=str)
async def test_time_to_live(server, wall, ttl):
    """Messages that have expired by the wall clock are not sent; others are."""
    told = Told()
    chosen = options(ttl=ttl).replace(on_event=told)
    async with ws.connect(server("/echo"), chosen) as client:
        await go_away(client)
        old = client.add_nowait("old")
        wall[0] += 59.5
        new = client.add_nowait("new")
        wall[0] += 1
        await client.reconnect()
        assert (old.status, new.status) == ("expired", "sent")
        with pytest.raises(ws.WSMessageDroppedError):
            await old
        assert await client.recv() == "new"
        assert [event["why"] for event in told.named("message_dropped")] == ["expired"]
        assert client.metrics.dropped_count == 1


async def test_what_is_too_old_makes_room(server, wall):
    """Expired messages take no room in the outbox."""
    async with ws.connect(server("/echo"), options(max_messages=2, ttl=60)) as client:
        await go_away(client)
        old = [client.add_nowait(text) for text in "ab"]
        with pytest.raises(ws.WSOutboxFullError):
            client.add_nowait("c")
        wall[0] += 61
        client.add_nowait("d")
        assert {"expired"} == {receipt.status for receipt in old}


async def test_a_receipt_hears_of_its_age(server):
    """That works without a connection."""
    async with ws.connect(server("/echo"), options(ttl=0.01)) as client:
        await go_away(client)
        receipt = client.add_nowait("soon of no use")
        async with asyncio.timeout(10):
            with pytest.raises(ws.WSMessageDroppedError):
                await receipt
        assert receipt.status == "expired"
