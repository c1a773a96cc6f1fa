"""100,000 numbered messages through 50 cut connections, in each direction."""

import asyncio
import json
from itertools import pairwise

import ws
from tests.support.client_helpers import Told

MESSAGES = 100_000
CUTS = 50
AFTER = 1400
"""Messages after which the server cuts."""

IN_FLIGHT = 400
"""Messages between two round trips: fewer are lost than are left for all cuts."""

AGAIN = ws.ConnectionRetryInterval(min=0.001, max=0.002, min_uptime=0)


def options(told: Told) -> ws.WebSocketOptions:
    return ws.WebSocketOptions.vm(
        connection_retry_interval=AGAIN, on_event=told, heartbeat=None
    )


async def stored(server, key: str, which: str) -> list[list[int]]:
    """Return what the server has sent or received, connection by connection."""
    async with ws.connect(server("/stored-numbers", key=key)) as client:
        return json.loads(await client.recv())[which]


def is_increasing(numbers: list[int]) -> bool:
    return all(before < after for before, after in pairwise(numbers))


async def test_sent(far_server, key):
    """Messages arrive once and in order; the lost ones are reported as unconfirmed."""
    told, unsent = Told(), 0
    url = far_server("/store-numbers", key=key, after=AFTER, cuts=CUTS)
    async with ws.connect(url, options(told)) as client:
        for number in range(MESSAGES):
            try:
                await client.add(str(number))
            except ws.WSConnectionClosedError:
                unsent += 1
            if number % IN_FLIGHT == 0:
                await round_trip(client)
        while not await round_trip(client):
            pass
        assert client.metrics.disconnects == CUTS
        assert client.metrics.transferred_count == MESSAGES
    arrived = [
        number
        for numbers in await stored(far_server, key, "stored")
        for number in numbers
    ]
    unconfirmed = sum(loss["count"] for loss in told.named("messages_unconfirmed"))
    assert is_increasing(arrived)
    assert len(arrived) < MESSAGES, "the cuts have cost something"
    assert len(arrived) + unsent + unconfirmed >= MESSAGES
    assert unconfirmed <= CUTS * (AFTER + IN_FLIGHT)


async def test_received(far_server, key):
    """Messages are received once and in order; only cuts lose any."""
    url = far_server("/count-up", key=key, upto=MESSAGES, after=AFTER, cuts=CUTS)
    async with ws.connect(url, options(Told())) as client:
        received = []
        async for message in client:
            received.append(int(message))
            if received[-1] == MESSAGES - 1:
                break
        assert client.metrics.received_count == len(received)
    sent = await stored(far_server, key, "sent")
    assert len(sent) == CUTS + 1
    assert is_increasing(received)
    got = set(received)
    for numbers in sent:
        arrived = [number for number in numbers if number in got]
        assert arrived == numbers[: len(arrived)], "a gap that no cut explains"
    assert sum(map(len, sent)) == MESSAGES
    assert set(sent[-1]) <= got


async def round_trip(client: ws.WebSocketClient) -> bool:
    """Wait for a Pong, so that everything sent before it has arrived."""
    try:
        await client.ping()
    except ws.WSNotConnectedError:
        await asyncio.sleep(0)
        return False
    return True
