"""The heartbeat where there are no pings: in a browser. And clocks that jump."""

import asyncio
import itertools
import time

import pytest
from looptime import LoopTimeProxy

import ws
from tests.support.driving import URL, begin, causes, driven, opened
from tests.support.fake_transport import FakeConnector, turns
from ws_common import clockwatch

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()


def heartbeat(**how) -> dict[str, object]:
    return {"heartbeat": ws.Heartbeat(interval=2, timeout=1, **how)}


async def test_without_a_message_nothing_happens():
    """A page can send no ping: nothing is asked, and nothing killed."""
    connector = FakeConnector(pings=False)
    async with opened(connector, **heartbeat()) as (client, transport):
        await asyncio.sleep(1000)
        assert client.state.is_open
        assert transport.sent == []
        with pytest.raises(ws.WSUnsupportedError, match="message"):
            await client.ping()


async def test_a_message_is_the_ping():
    """It is sent every `interval`, and silence after it is death."""
    connector = FakeConnector(pings=False)
    async with opened(connector, **heartbeat(message="ping?")) as (client, transport):
        await asyncio.sleep(2)
        transport.message("anything at all")
        await asyncio.sleep(2.5)
        assert transport.sent == ["ping?", "ping?"]
        assert await client.recv() == "anything at all"
        await client.state_changes.closed.first()
        assert clock == 5
        assert causes(client)[-1] == "heartbeat_timeout"


async def test_the_message_is_made_anew():
    """A function is asked each time."""
    numbers = itertools.count()
    connector = FakeConnector(pings=False)
    options = heartbeat(message=lambda: f"ping {next(numbers)}")
    async with opened(connector, **options) as (_, transport):
        for _ in range(3):
            await asyncio.sleep(2)
            await turns()
            transport.byte()
        assert transport.sent == ["ping 0", "ping 1", "ping 2"]


async def test_replies():
    """No stream has them; they measure the latency and confirm what was sent."""
    connector = FakeConnector(pings=False)
    options = heartbeat(message="ping", is_reply=lambda message: message == "pong")
    async with opened(connector, **options) as (client, transport):
        await client.add("before")
        await asyncio.sleep(2)
        await client.add("after")
        await asyncio.sleep(0.25)
        transport.message("pong")
        transport.message("a message")
        assert await client.recv() == "a message"
        assert client.latency == pytest.approx(0.25)
        assert client.metrics.unconfirmed_count == 1
        transport.message("pong")  # that nobody asked for
        assert client.latency == pytest.approx(0.25)
        assert client.metrics.received_count == 3
        transport.closed()
        assert client.state.error.unconfirmed == 1


async def test_replies_are_taken_out_where_there_are_pings():
    """A program says the same on every platform; natively there is nothing to take."""
    connector = FakeConnector()
    options = heartbeat(message="ping", is_reply=lambda message: message == "pong")
    async with opened(connector, **options) as (client, transport):
        await asyncio.sleep(2)
        assert (transport.pings, transport.sent) == ([2], [])
        transport.message("pong")
        transport.message("a message")
        assert await client.recv() == "a message"


async def test_without_is_reply_nothing_stands_in_the_way():
    """What is not asked for costs nothing: messages go straight to the buffer."""
    connector = FakeConnector(pings=False)
    async with opened(connector, **heartbeat(message="ping")) as (client, _):
        assert client._behind.connection._target is client._behind.flow.messages


@pytest.mark.parametrize("wrong", ["message", "is_reply"])
async def test_the_application_raises(wrong):
    """It is reported, and it kills nothing: a ping that was not sent proves nothing."""
    events = []

    def fail(*_: object) -> str:
        raise LookupError(wrong)

    given = {"message": "ping", wrong: fail}
    connector = FakeConnector(pings=False)
    options = {**heartbeat(**given), "on_event": events.append}
    async with opened(connector, **options) as (client, transport):
        await asyncio.sleep(2.5)
        transport.message("kept")
        assert await client.recv() == "kept"
        names = {event.name for event in events} - {"state_changed"}
        expected = {"message": "heartbeat_failed", "is_reply": "is_reply_raised"}
        assert names == {expected[wrong]}
        if wrong == "message":
            await asyncio.sleep(100)
            assert client.state.is_open


class Wall:
    """A wall clock that follows the loop's, and can be put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._start = time.time()

    def __call__(self) -> float:
        return self._start + float(clock) + self.ahead


@pytest.fixture
def wall(monkeypatch):
    """The wall clock that the client sees."""
    fake = Wall()
    monkeypatch.setattr(clockwatch, "time", fake)
    return fake


@pytest.mark.parametrize("heart", [ws.Heartbeat(20, 3), None])
@pytest.mark.parametrize("alive", [True, False])
async def test_a_sleep_is_followed_by_a_probe(wall, heart, alive):
    """Heartbeat or not, a connection is asked at once, and is dead if it is silent."""
    connector = FakeConnector()
    async with opened(connector, heartbeat=heart) as (client, transport):
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
            timeout = 20 if heart is None else 3
            await client.state_changes.closed.first()
            assert clock == asked + timeout
    assert asked <= 6


async def test_probes_are_single():
    """Where the heartbeat is off, one probe is all that is sent."""
    connector = FakeConnector()
    async with opened(connector, heartbeat=None) as (client, transport):
        client._behind.connection.probe()
        transport.pong()
        await asyncio.sleep(1000)
        assert transport.pings == [0]
        assert client.state.is_open


async def test_a_sleep_ends_the_wait_for_a_retry(wall):
    """The attempt is made now: the world is another one."""
    connector = FakeConnector()
    options = {"connection_retry_interval": (1000, 1000)}
    async with driven(connector, **options) as client:
        asked = begin(client.connect(URL))
        (await connector.next()).refuse()
        await turns()
        assert isinstance(client.state, ws.Reconnecting)
        wall.ahead = 600
        await connector.opened()
        await asked
        assert clock <= 5
        assert causes(client)[-2:] == ["retry_due", "opened"]


async def test_no_alarm_without_a_jump(wall):
    """A clock that runs as it should, or is put back, leads to nothing."""
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
