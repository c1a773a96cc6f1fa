"""The keepalive: what counts as an answer, and when the connection is ended."""

import asyncio

import pytest
from looptime import LoopTimeProxy

import ws
from tests.support.client_driver import begin, causes, opened
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()

TIMES = [(20, 20), (1, 0.5), (1, 5), (30, 1)]
"""Pairs of interval and timeout, the longer one first and last."""


async def until_lost(client) -> float:
    """Wait for the end of the connection, and return its time."""
    await client.state_changes.closed.first()
    return float(clock)


@pytest.mark.parametrize(("interval", "limit"), TIMES)
async def test_dead_from_the_start(interval, limit):
    """A peer that sends nothing is given up after `interval + timeout`."""
    connector = FakeConnector()
    heartbeat = ws.Heartbeat(interval=interval, timeout=limit)
    async with opened(connector, heartbeat=heartbeat) as (client, transport):
        assert await until_lost(client) == pytest.approx(interval + limit)
        assert transport.aborted
        assert transport.closes == []
        assert transport.pings[0] == pytest.approx(interval)
        assert causes(client)[-1] == "heartbeat_timeout"
        assert client.state.error.close_code == 1006
        assert isinstance(client.state.error.__cause__, TimeoutError)


async def test_dead_where_not_even_a_ping_can_be_sent(monkeypatch):
    """A transport that refuses the ping and reports no end is ended in time."""

    def refuse():
        raise ws.WSConnectionClosedError

    connector = FakeConnector()
    async with opened(connector, heartbeat=ws.Heartbeat(2, 1)) as (client, transport):
        monkeypatch.setattr(transport, "ping", refuse)
        assert await until_lost(client) == pytest.approx(3)
        assert causes(client)[-1] == "heartbeat_timeout"


@pytest.mark.parametrize(("interval", "limit"), TIMES)
@pytest.mark.parametrize("last", [0.3, 0.999, 1.7, 7.31])
async def test_dead_after_the_last_byte(interval, limit, last):
    """The end comes exactly that long after the last byte, with a ping between."""
    connector = FakeConnector()
    heartbeat = ws.Heartbeat(interval=interval, timeout=limit)
    async with opened(connector, heartbeat=heartbeat) as (client, transport):
        while clock < last - 0.1:
            await asyncio.sleep(0.1)
            transport.byte()
        await asyncio.sleep(last - float(clock))
        transport.byte()
        expected = last + interval + limit
        assert await until_lost(client) == pytest.approx(expected, abs=0.002)
        asked = [at for at in transport.pings if last < at <= expected - limit]
        assert asked


@pytest.mark.parametrize(("interval", "limit"), TIMES)
async def test_answers_keep_it_alive(interval, limit):
    """A peer that answers in time is pinged every `interval`, without an end."""
    connector = FakeConnector()
    heartbeat = ws.Heartbeat(interval=interval, timeout=limit)
    async with opened(connector, heartbeat=heartbeat) as (client, transport):
        for count in range(1, 21):
            await asyncio.sleep(count * interval - float(clock))
            await asyncio.sleep(min(interval, limit) * 0.9)
            transport.pong()
        assert client.state.is_open
        asked = [at / interval for at in transport.pings]
        assert asked == pytest.approx(list(range(1, 21)))


async def test_half_a_message_is_life():
    """Bytes of an incomplete message count as an answer, without any Pong."""
    connector = FakeConnector()
    async with opened(connector, heartbeat=ws.Heartbeat(2, 1)) as (client, transport):
        for _ in range(50):
            await asyncio.sleep(0.7)
            transport.byte()
        assert client.state.is_open
        assert client.latency is None


async def test_a_draining_buffer_is_life():
    """A send buffer that drains counts as an answer; one that is stuck does not."""
    connector = FakeConnector()
    async with opened(connector, heartbeat=ws.Heartbeat(2, 1)) as (client, transport):
        transport.buffered_amount = 1000
        for _ in range(20):
            await asyncio.sleep(1)
            transport.buffered_amount -= 10
        await asyncio.sleep(0)
        assert client.state.is_open
        stopped = float(clock)
        assert stopped < await until_lost(client) <= stopped + 2 + 3


async def test_room_in_the_buffer_is_life():
    """A buffer that drains and fills up again between two checks counts, too."""
    connector = FakeConnector()
    async with opened(connector, heartbeat=ws.Heartbeat(2, 1)) as (client, transport):
        transport.buffered_amount = 1000
        for _ in range(20):
            await asyncio.sleep(1)
            transport.drain()
            transport.buffered_amount = 1000
        last = float(clock)
        assert await until_lost(client) == pytest.approx(last + 3)


@pytest.mark.parametrize(("begin_at", "asked"), [(1.9, []), (2.5, [2])])
async def test_our_own_pause_is_no_silence(begin_at, asked):
    """While reading is paused, no ping is sent and no silence is counted."""
    connector = FakeConnector()
    options = {"heartbeat": ws.Heartbeat(2, 1), "stream_capacity": 4}
    async with opened(connector, **options) as (client, transport):
        subscriber = client.stream.subscribe()
        heard = transport.last_activity
        await asyncio.sleep(begin_at)
        for number in range(6):
            transport.message(str(number))
        assert transport.paused
        await asyncio.sleep(100)
        assert (client.state.is_open, transport.pings) == (True, asked)
        transport.last_activity = heard  # the pause alone must do
        for _ in range(6):
            await anext(subscriber)
        assert not transport.paused
        assert await until_lost(client) == pytest.approx(begin_at + 100 + 3)


async def test_latency():
    """The latency is the round trip of the last answered ping."""
    connector = FakeConnector()
    async with opened(connector, heartbeat=ws.Heartbeat(2, 1)) as (client, transport):
        assert client.latency is None
        await asyncio.sleep(2.25)
        transport.pong()
        await until_idle()
        assert client.latency == client.metrics.latency == pytest.approx(0.25)
        asked = begin(client.ping())
        await asyncio.sleep(0.125)
        transport.pong()
        assert await asked == pytest.approx(0.125)
        assert client.latency == pytest.approx(0.125)


async def test_off():
    """Without a heartbeat no ping is sent, and the connection stays open."""
    connector = FakeConnector()
    async with opened(connector, heartbeat=None) as (client, transport):
        await asyncio.sleep(10_000)
        assert client.state.is_open
        assert transport.pings == transport.sent == []


async def test_events():
    """A missed heartbeat is reported with the duration of the silence."""
    events = []
    connector = FakeConnector()
    options = {"heartbeat": ws.Heartbeat(2, 1), "on_event": events.append}
    async with opened(connector, **options) as (client, _):
        await until_lost(client)
    missed = next(event for event in events if event.name == "heartbeat_missed")
    assert missed.details["silent_for"] == pytest.approx(3)


async def test_it_ends_with_the_connection():
    """A closing stops the keepalive: only `close_timeout` bounds it."""
    connector = FakeConnector()
    options = {"heartbeat": ws.Heartbeat(2, 1), "close_timeout": 30}
    async with opened(connector, **options) as (client, transport):
        transport.closing(1000)
        assert await until_lost(client) == 30
        assert transport.pings == []
