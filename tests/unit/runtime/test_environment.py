"""The network, the page and the client: when attempts begin, and what is probed."""

import asyncio

import pytest
from looptime import LoopTimeProxy

import ws
from tests.support.client_driver import (
    URL,
    abort,
    begin,
    causes,
    driven,
    every,
    leftovers,
    opened,
)
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle
from tests.support.internals import jitter

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()


async def until_waiting(client, connector):
    """Begin to connect, fail, and wait for the next attempt."""
    asked = begin(client.connect(URL))
    (await connector.next()).refuse()
    await until_idle()
    assert isinstance(client.state, ws.Reconnecting)
    return asked


async def test_online_ends_the_wait(environment_events):
    """The attempt follows within a little jitter, and the cause is named."""
    connector = FakeConnector()
    async with driven(connector, **every(1000)) as client:
        asked = await until_waiting(client, connector)
        environment_events.say("online")
        await connector.opened()
        await asked
        assert 0 < clock <= jitter()
        assert causes(client)[-2:] == ["online", "opened"]


async def test_clients_do_not_come_back_together(environment_events):
    """The jitter differs each time."""
    times = set()
    for _ in range(20):
        connector = FakeConnector()
        async with driven(connector, **every(1000)) as client:
            before = float(clock)
            await until_waiting(client, connector)
            environment_events.say("online")
            await connector.next()
            times.add(float(clock) - before)
            await client.close()
            await until_idle()
    assert len(times) > 10


async def test_no_attempt_while_offline(environment_events):
    """The wait is held, however long it takes, and `explain()` says so."""
    connector = FakeConnector()
    async with driven(connector, **every(1)) as client:
        asked = await until_waiting(client, connector)
        environment_events.say("offline")
        await asyncio.sleep(10_000)
        assert len(connector.attempts) == 1
        assert "offline: waiting for the network" in client.explain()
        environment_events.say("online")
        assert "offline" not in client.explain().splitlines()[-1]
        await connector.opened()
        await asked
        assert clock <= 10_000 + jitter()


async def test_offline_from_the_start(environment_events):
    """The first attempt is made; the next one waits until the network is there."""
    environment_events.is_offline = True
    connector = FakeConnector()
    async with driven(connector, **every(1)) as client:
        await until_waiting(client, connector)
        await asyncio.sleep(1000)
        assert len(connector.attempts) == 1
        again = begin(client.reconnect())
        await connector.opened()
        await again
        assert client.state.is_open


async def test_going_offline_asks_what_is_open(environment_events):
    """The connection is kept and probed: its server may be on this very machine."""
    connector = FakeConnector()
    options = {"heartbeat": ws.Heartbeat(100, 5)}
    async with opened(connector, **options) as (client, transport):
        environment_events.say("offline")
        assert transport.pings == [0]
        transport.pong()
        await asyncio.sleep(50)
        assert client.state.is_open
        environment_events.say("online")
        assert transport.pings == [0, 50]
        await client.state_changes.closed.first()
        assert clock == 55
        assert causes(client)[-1] == "heartbeat_timeout"


async def test_an_attempt_under_way_is_left_alone(environment_events):
    """Either its success or its timeout ends it."""
    connector = FakeConnector()
    async with driven(connector) as client:
        asked = begin(client.connect(URL))
        attempt = await connector.next()
        environment_events.say("offline")
        await until_idle()
        assert not attempt.cancelled
        attempt.open()
        await asked


async def test_back_out_of_the_cache(environment_events):
    """The browser reports the lost socket a moment later; the retry is immediate."""
    connector = FakeConnector()
    options = {"heartbeat": None, **every(1000)}
    async with opened(connector, **options) as (client, transport):
        environment_events.say("page_cached")
        environment_events.say("page_frozen")
        await asyncio.sleep(300)
        environment_events.say("page_resumed")
        environment_events.say("page_visible")
        environment_events.say("page_shown")
        await asyncio.sleep(0.01)
        transport.closed(1006)
        await connector.opened()
        assert clock <= 300.01 + jitter()
        assert causes(client)[-3:] == ["network_lost", "page_shown", "opened"]


async def test_a_release_is_remembered_briefly(environment_events):
    """A loss long after it, and the second loss after it, wait as usual."""
    connector = FakeConnector()
    async with opened(connector, **every(7)) as (client, first):
        environment_events.say("page_shown")
        await asyncio.sleep(3)
        first.closed(1006)
        second = await connector.opened()
        assert clock == 10
        environment_events.say("page_shown")
        second.closed(1006)
        third = await connector.opened()
        assert clock < 11
        third.closed(1006)
        await connector.opened()
        assert clock > 17
        assert client.state.is_open


async def test_no_attempt_in_the_cache(environment_events):
    """A new socket would keep the page out of it, or be closed at once."""
    connector = FakeConnector()
    async with opened(connector, **every(1)) as (client, transport):
        environment_events.say("page_cached")
        transport.closed(1006)
        await asyncio.sleep(100)
        assert len(connector.attempts) == 1
        environment_events.say("page_frozen")
        environment_events.say("page_shown")
        await asyncio.sleep(100)
        assert "the page is frozen" in client.explain()
        environment_events.say("page_resumed")
        await connector.opened()
        assert causes(client)[-2:] == ["page_resumed", "opened"]


async def test_visible_asks_and_does_not_hurry(environment_events):
    """Looking at a page again and again causes no additional attempts."""
    connector = FakeConnector()
    async with opened(connector, **every(10)) as (client, transport):
        environment_events.say("page_visible")
        assert transport.pings == [0]
        transport.closed(1006)
        await until_idle()
        environment_events.say("page_visible")
        await asyncio.sleep(9)
        assert isinstance(client.state, ws.Reconnecting)


async def test_looking_again_does_not_put_off_the_end(environment_events):
    """The first probe counts, until time may have passed unnoticed."""
    connector = FakeConnector()
    options = {"heartbeat": ws.Heartbeat(100, 5)}
    async with opened(connector, **options) as (client, transport):
        ended = begin(client.state_changes.closed.first())
        while not ended.done() and clock < 60:
            environment_events.say("page_visible")
            await asyncio.sleep(1)
        assert clock <= 6
        assert len(transport.pings) >= 5
        await ended


async def test_listening_ends_when_closed(environment_events):
    """Listening begins with the first attempt, and not again with each one."""
    connector = FakeConnector()
    client = ws.WebSocketClient(connector.options(**every(1)))
    assert environment_events.starts == 0
    asked = await until_waiting(client, connector)
    (await connector.next()).open()
    await asked
    assert environment_events.starts == 1
    await_closed = begin(client.disconnect())
    await until_idle()
    connector.sockets[0].closed(1000)
    await await_closed
    assert environment_events.say is None
    asked = begin(client.connect(URL))
    await connector.opened()
    await asked
    assert environment_events.starts == 2
    await abort(client)
    await until_idle()
    assert environment_events.say is None
    assert leftovers() == []


async def test_environment_events_are_reported(environment_events):
    """They are events for `on_event`."""
    events = []
    connector = FakeConnector()
    async with opened(connector, on_event=events.append):
        environment_events.say("page_visible")
    reported = [one.details for one in events if one.name == "environment_changed"]
    assert reported == [{"event": "page_visible"}]


async def test_natively_nothing_is_heard(platform):
    """Only the platform of the browser has environment events."""
    if platform.name == "vm":
        assert platform.environment_events is None
        assert platform.timer_slack == 0
