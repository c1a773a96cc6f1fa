"""In which order the commands of the table take effect, as `on_event` sees it."""

import pytest

import ws
from tests.support.client_driver import URL, begin, driven, every, opened
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime


def on_state(kind, action):
    """Call something when a state of this kind is reported."""

    def on_event(event):
        if isinstance(event.details.get("state"), kind):
            action()

    return on_event


async def test_messages_follow_the_state():
    """`Open` is reported before anything is sent, and connect() returns after that."""
    connector, sent = FakeConnector(), []

    def look():
        sent.append(list(connector.attempts[0].transport.sent))

    async with driven(connector, on_event=on_state(ws.Open, look)) as client:
        asked = begin(client.connect(URL))
        await connector.next()
        adding = begin(client.add("hello"))
        await until_idle()
        asked.add_done_callback(lambda _: look())
        connector.attempts[0].open()
        await until_idle()
        await adding
    assert sent == [[], ["hello"]]


async def test_metrics_agree_with_the_state_that_is_reported():
    """A loss is counted before its state is reported."""
    connector, counts = FakeConnector(), []

    def look():
        metrics = client.metrics
        counts.append((metrics.disconnects, metrics.last_disconnect_code))

    on_event = on_state(ws.Reconnecting, look)
    async with opened(connector, on_event=on_event, **every()) as (client, transport):
        transport.closed(1001)
    assert counts == [(1, 1001)]


async def test_what_is_sent_as_the_end_is_reported_waits():
    """It goes over the next connection, and not over the one that is closing."""
    connector, receipts = FakeConnector(), []

    def send():
        receipts.append(client.add_nowait("next"))

    on_event = on_state(ws.Disconnecting, send)
    async with opened(connector, on_event=on_event, **every()) as (client, first):
        first.closing(1001)
        first.closed(1001)
        second = await connector.opened()
        assert (first.sent, second.sent) == ([], ["next"])
        assert receipts[0].status == "sent"


@pytest.mark.parametrize("call", ["close", "disconnect"])
async def test_streams_have_ended_when_the_call_returns(call):
    """A program that goes on finds every stream ended."""
    connector = FakeConnector()
    async with opened(connector) as (client, transport):
        messages = client.stream.subscribe()
        closing = begin(getattr(client, call)())
        await until_idle()
        transport.closed(1000, initiator="local")
        await closing
        with pytest.raises(StopAsyncIteration):
            await anext(messages)
