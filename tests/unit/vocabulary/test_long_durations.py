"""Durations that are too long for a timer of a browser: above 2**31 - 1 ms, 24.8 days.

`setTimeout()` takes 32 bits, and fires at once above that. The loop of Pyodide handles
it only since 0.29. So no option may lead to a timer that is longer.
"""

import asyncio
import contextlib
from datetime import timedelta

import pytest

import ws
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle
from tests.unit.fake_page import open_client

pytestmark = pytest.mark.looptime

LONGEST = (2**31 - 1) / 1000
"""The seconds that `setTimeout()` can wait."""

MONTHS = timedelta(days=100)
URL = "ws://host/"
HOUR = 3600


class TimerDelays(list[float]):
    """The delays of all timers that were started, in seconds."""

    def assert_long_and_possible(self) -> None:
        """Assert that a timer waits for weeks, and none longer than a browser can."""
        assert max(self) > LONGEST / 2, "nothing here waits for long"
        assert max(self) <= LONGEST


@pytest.fixture
async def timer_delays(monkeypatch):
    """Record the timers that are started in the loop of the test from now on."""
    loop = asyncio.get_running_loop()
    delays = TimerDelays()
    call_at, call_later = loop.call_at, loop.call_later

    def at(when, *args, **how):
        delays.append(when - loop.time())
        return call_at(when, *args, **how)

    def later(delay, *args, **how):
        delays.append(delay)
        return call_later(delay, *args, **how)

    monkeypatch.setattr(loop, "call_at", at)
    monkeypatch.setattr(loop, "call_later", later)
    return delays


@contextlib.asynccontextmanager
async def connecting(**options):
    """Yield a client whose attempt waits, and the connector that the test plays."""
    connector = FakeConnector()
    client = ws.WebSocketClient(connector.options(**options))
    asking = asyncio.ensure_future(client.connect(URL))
    await until_idle()
    try:
        yield client, connector
    finally:
        closing = asyncio.ensure_future(client.close())
        await until_idle()
        for socket in connector.sockets:
            socket.closed(1000, initiator="local")
        await closing
        await asyncio.gather(asking, return_exceptions=True)


@contextlib.asynccontextmanager
async def opened(**options):
    """Yield a client with an open connection, and its transport."""
    async with connecting(**options) as (client, connector):
        yield client, await connector.opened()


async def test_timeout(timer_delays):
    """`timeout` may be months."""
    async with connecting(timeout=MONTHS) as (client, _):
        timer_delays.assert_long_and_possible()
        await asyncio.sleep(HOUR)
        assert isinstance(client.state, ws.Connecting)


async def test_close_timeout(timer_delays):
    """`close_timeout` may be months."""
    async with opened(close_timeout=MONTHS) as (client, transport):
        closing = asyncio.ensure_future(client.disconnect())
        await until_idle()
        timer_delays.assert_long_and_possible()
        await asyncio.sleep(HOUR)
        assert isinstance(client.state, ws.Disconnecting)
        transport.closed(1000, initiator="local")
        await closing


async def test_heartbeat_interval(timer_delays):
    """The interval of the heartbeat may be months."""
    async with opened(heartbeat=ws.Heartbeat(interval=MONTHS)) as (_, transport):
        timer_delays.assert_long_and_possible()
        await asyncio.sleep(HOUR)
        assert [] == transport.pings


@pytest.mark.parametrize("message", [None, "are you there?"], ids=["ping", "message"])
async def test_heartbeat_timeout(timer_delays, message):
    """The timeout of the heartbeat may be months."""
    heartbeat = ws.Heartbeat(interval=1, timeout=MONTHS, message=message)
    async with opened(heartbeat=heartbeat) as (client, _):
        await asyncio.sleep(HOUR)
        timer_delays.assert_long_and_possible()
        assert client.state.is_open


async def test_probe_of_a_page_that_is_looked_at(js, timer_delays):
    """It may be months too for the probe of a page that is shown again."""
    document = js.as_page("https://example.org")
    heartbeat = ws.Heartbeat(interval=3600, timeout=MONTHS, message="are you there?")
    async with open_client(js, heartbeat=heartbeat) as (client, socket):
        document.play("visibilitychange")
        timer_delays.assert_long_and_possible()
        await asyncio.sleep(60)
        assert ["are you there?"] == socket.sent
        assert client.state.is_open


async def test_retry_interval(timer_delays):
    """The retry interval may be months."""
    async with opened(connection_retry_interval=(MONTHS, MONTHS)) as (client, one):
        one.closed(1006)
        timer_delays.assert_long_and_possible()
        await asyncio.sleep(HOUR)
        assert isinstance(client.state, ws.Reconnecting)


async def test_what_retry_if_says(timer_delays):
    """`retry_if` may return months."""
    interval = ws.ConnectionRetryInterval(retry_if=lambda _: MONTHS.total_seconds())
    async with opened(connection_retry_interval=interval) as (client, one):
        one.closed(1006)
        timer_delays.assert_long_and_possible()
        await asyncio.sleep(HOUR)
        assert isinstance(client.state, ws.Reconnecting)


async def test_min_uptime(timer_delays):
    """`min_uptime` may be months."""
    interval = ws.ConnectionRetryInterval(min_uptime=MONTHS, max_attempts=1)
    async with opened(connection_retry_interval=interval) as (client, one):
        timer_delays.assert_long_and_possible()
        await asyncio.sleep(HOUR)
        one.closed(1006)
        assert isinstance(client.state, ws.Closed)
        assert isinstance(client.state.error, ws.WSRetriesExhaustedError)


async def test_outbox_ttl(timer_delays):
    """The `ttl` of a message may be months."""
    async with connecting(timeout=None, outbox=ws.Outbox(ttl=MONTHS)) as (client, _):
        receipt = client.add_nowait("not urgent")
        timer_delays.assert_long_and_possible()
        await asyncio.sleep(HOUR)
        assert "queued" == receipt.status
