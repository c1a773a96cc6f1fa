"""The keepalive by messages of the application: a browser sends no Ping frames."""

import asyncio
import itertools

import pytest
from looptime import LoopTimeProxy

import ws
from tests.support.call_counter import calls_of
from tests.support.client_driver import begin, causes, opened
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()


def heartbeat(**how) -> dict[str, object]:
    return {"heartbeat": ws.Heartbeat(interval=2, timeout=1, **how)}


async def test_without_a_message_nothing_happens():
    """Without `message` a page sends nothing, and the connection stays open."""
    connector = FakeConnector(pings=False)
    async with opened(connector, **heartbeat()) as (client, transport):
        await asyncio.sleep(1000)
        assert client.state.is_open
        assert transport.sent == []
        with pytest.raises(ws.WSUnsupportedError, match="message"):
            await client.ping()


async def test_a_message_is_the_ping():
    """It is sent every `interval`, and silence after it ends the connection."""
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
    """If `message` is a function, it is called for each ping."""
    numbers = itertools.count()
    connector = FakeConnector(pings=False)
    options = heartbeat(message=lambda: f"ping {next(numbers)}")
    async with opened(connector, **options) as (_, transport):
        for _ in range(3):
            await asyncio.sleep(2)
            await until_idle()
            transport.byte()
        assert transport.sent == ["ping 0", "ping 1", "ping 2"]


async def test_a_reply_that_comes_as_we_close():
    """A reply that is discarded is not counted as a dropped message."""
    connector = FakeConnector(pings=False)
    heard = []
    options = heartbeat(message="ping", is_reply=lambda message: message == "pong")
    options["on_event"] = heard.append
    async with opened(connector, **options) as (client, transport):
        await asyncio.sleep(2)
        disconnecting = begin(client.disconnect())
        await until_idle()
        transport.message("pong")
        assert client.metrics.dropped_count == 0
        transport.message("a message")
        assert client.metrics.dropped_count == 1
        transport.closed(1000, initiator="local")
        await disconnecting
    lost = [event for event in heard if event.name == "messages_discarded"]
    assert [dict(event.details)["count"] for event in lost] == [1]


async def test_replies():
    """Replies reach no stream; they measure the latency and confirm messages."""
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
    """Replies are taken out on every platform, so that programs need no switch."""
    connector = FakeConnector()
    options = heartbeat(message="ping", is_reply=lambda message: message == "pong")
    async with opened(connector, **options) as (client, transport):
        await asyncio.sleep(2)
        assert (transport.pings, transport.sent) == ([2], [])
        transport.message("pong")
        transport.message("a message")
        assert await client.recv() == "a message"


async def test_without_is_reply_nothing_stands_in_the_way():
    """Without `is_reply` a received message costs no call more than without one."""

    async def calls_to_receive(**options) -> list[str]:
        connector = FakeConnector(pings=False)
        async with opened(connector, **options) as (_, transport):
            return calls_of(lambda: transport.message("a message"))

    straight = await calls_to_receive(heartbeat=None)
    assert await calls_to_receive(**heartbeat(message="ping")) == straight
    asked = heartbeat(message="ping", is_reply=lambda message: message == "pong")
    assert len(await calls_to_receive(**asked)) > len(straight)


@pytest.mark.parametrize("wrong", ["message", "is_reply"])
async def test_the_application_raises(wrong):
    """An error is reported, and does not end the connection: no ping was sent."""
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
