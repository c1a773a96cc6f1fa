"""Clocks that jump and timers that are late do not end connections that still work."""

import asyncio
import time

import pytest
from looptime import LoopTimeProxy

import ws
from tests.support.client_driver import URL, begin, causes, driven, opened
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle
from tests.support.internals import set_wall_clock
from ws_common.options import platform as platforms

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()


class WallClock:
    """A wall clock that follows the clock of the loop, until a test puts it forward."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._start = time.time()

    def __call__(self) -> float:
        return self._start + float(clock) + self.ahead


@pytest.fixture
def wall(monkeypatch):
    """The wall clock that the client sees."""
    fake = WallClock()
    set_wall_clock(monkeypatch, fake)
    return fake


@pytest.mark.parametrize("heartbeat", [ws.Heartbeat(20, 3), None])
@pytest.mark.parametrize("alive", [True, False])
async def test_a_sleep_is_followed_by_a_probe(wall, heartbeat, alive):
    """A connection is probed, with or without a heartbeat, and ends if silent."""
    connector = FakeConnector()
    async with opened(connector, heartbeat=heartbeat) as (client, transport):
        await asyncio.sleep(1)
        wall.ahead = 600
        await asyncio.sleep(5)
        assert len(transport.pings) == 1
        asked = transport.pings[0]
        if alive:
            transport.pong()
            await asyncio.sleep(15)
            assert client.state.is_open
        else:
            timeout = 20 if heartbeat is None else 3
            await client.state_changes.closed.first()
            assert clock == asked + timeout
    assert asked <= 6


async def test_a_check_that_comes_late_asks_again(wall):
    """The answer may wait to be read, so a new ping gets the whole `timeout`."""
    connector = FakeConnector()
    async with opened(connector, heartbeat=ws.Heartbeat(1, 2)) as (client, transport):
        await asyncio.sleep(2.5)
        wall.ahead = 3600
        await asyncio.sleep(0.6)
        assert client.state.is_open
        asked = transport.pings[-1]
        assert asked == 3
        await client.state_changes.closed.first()
        assert clock == 5 + 2  # the clock watch sent a ping as well, at 5


@pytest.mark.parametrize("alive", [True, False])
async def test_timers_that_are_always_late(wall, alive):
    """In a hidden page, a peer that answers is kept, and a silent one is detected."""
    connector = FakeConnector()
    async with opened(connector, heartbeat=ws.Heartbeat(1, 2)) as (client, transport):
        ended = begin(client.state_changes.closed.first())
        while not ended.done() and clock < 60:
            wall.ahead += (
                4  # between two checks of the clock watch, which must not help
            )
            await asyncio.sleep(0.5)
            if alive:
                transport.pong()
        assert client.state.is_open is alive
        if not alive:
            assert clock < 12
            await ended
        ended.cancel()


async def test_gaps_without_end(wall):
    """After every gap that no throttling explains, a new ping is sent."""
    connector = FakeConnector()
    async with opened(connector, heartbeat=ws.Heartbeat(1, 2)) as (client, _):
        for _ in range(30):
            await asyncio.sleep(1)
            wall.ahead += 100
        assert client.state.is_open


@pytest.fixture
async def wait_on_time(monkeypatch):
    """Make every timer late, as in a hidden page, but not the returned wait."""
    loop = asyncio.get_running_loop()
    on_time = loop.call_at

    def late(when, *args, **how):
        return on_time(when + 10, *args, **how)

    async def wait_for(seconds):
        over = loop.create_future()
        on_time(loop.time() + seconds, over.set_result, None)
        await over

    monkeypatch.setattr(loop, "call_at", late)
    return wait_for


async def test_a_message_does_the_work_of_a_late_timer(wait_on_time):
    """Arriving messages are not throttled, so they check whether a ping is due."""
    connector = FakeConnector(pings=False, can_pause=False)
    options = {"heartbeat": ws.Heartbeat(2, 1, message="ping")}
    async with opened(connector, **options) as (_, transport):
        await wait_on_time(1.5)
        transport.message("no timer is late")
        assert transport.sent == []
        await wait_on_time(2)
        transport.message("one is")
        assert transport.sent == ["ping"]
        transport.message("and now none is")
        assert transport.sent == ["ping"]


async def test_a_probe_that_cannot_be_asked_kills_nothing(environment_events):
    """A browser cannot probe without a `message`, and keeps the connection."""
    connector = FakeConnector(pings=False, can_pause=False)
    async with opened(connector, heartbeat=ws.Heartbeat(1, 2)) as (client, _):
        await asyncio.sleep(0.5)
        environment_events.say("page_resumed")
        await asyncio.sleep(100)
        assert client.state.is_open


async def test_slack(wall, platform):
    """A platform with late timers does not mistake their delay for a suspension."""
    platforms.bind(platform._replace(timer_slack=60.0))
    events = []
    connector = FakeConnector()
    options = {"heartbeat": None, "on_event": events.append}
    async with opened(connector, **options):
        await asyncio.sleep(1)
        wall.ahead = 60
        await asyncio.sleep(10)
        assert "clock_jumped" not in [event.name for event in events]
        wall.ahead += 70
        await asyncio.sleep(10)
        assert "clock_jumped" in [event.name for event in events]


async def test_probes_are_single(environment_events):
    """With the heartbeat turned off, a single probe is sent."""
    connector = FakeConnector()
    async with opened(connector, heartbeat=None) as (client, transport):
        environment_events.say("page_resumed")
        transport.pong()
        await asyncio.sleep(1000)
        assert transport.pings == [0]
        assert client.state.is_open


async def test_a_sleep_ends_the_wait_for_a_retry(wall):
    """After a suspension the next attempt is made at once."""
    connector = FakeConnector()
    options = {"connection_retry_interval": (1000, 1000)}
    async with driven(connector, **options) as client:
        asked = begin(client.connect(URL))
        (await connector.next()).refuse()
        await until_idle()
        assert isinstance(client.state, ws.Reconnecting)
        wall.ahead = 600
        await connector.opened()
        await asked
        assert clock <= 5
        assert causes(client)[-2:] == ["retry_due", "opened"]


async def test_no_alarm_without_a_jump(wall):
    """A clock that runs normally, or is set back, triggers nothing."""
    events = []
    connector = FakeConnector()
    options = {"heartbeat": None, "on_event": events.append}
    async with opened(connector, **options) as (_, transport):
        await asyncio.sleep(60)
        wall.ahead = 2
        await asyncio.sleep(60)
        wall.ahead = -3600
        await asyncio.sleep(60)
        assert transport.pings == []
        assert "clock_jumped" not in [event.name for event in events]
