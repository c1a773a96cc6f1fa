"""Subscribers: overflow, kept messages, and what is left when they end."""

import asyncio
import gc
import logging
import sys
import threading
import weakref

import pytest

import ws
from tests.support.client_helpers import Told
from tests.support.fake_network import PATIENCE, URL, begin, connected, drained, ended
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime

MANY = 1100
"""More messages than are kept before somebody subscribes."""


def send_messages(transport, *messages: str) -> None:
    for message in messages:
        transport.message(message)


async def recv(client: ws.WebSocketClient) -> object:
    """Return the next message, or the exception, or "nothing"."""
    receiving = begin(client.recv())
    if not await ended(receiving):
        receiving.cancel()
        return "nothing"
    return receiving.exception() or receiving.result()


async def test_a_subscriber_that_is_dropped_in_another_thread():
    """The socket is resumed in the thread of the loop, wherever the collector runs."""
    connector, resumed = FakeConnector(), []
    async with connected(connector) as (client, transport):
        dropped = [client.stream.subscribe(capacity=1)]
        send_messages(transport, "a", "b", "c")
        assert transport.paused
        resume = transport.resume_reading

        def resume_reading() -> None:
            resumed.append(threading.current_thread())
            resume()

        transport.resume_reading = resume_reading
        thread = threading.Thread(target=lambda: (dropped.clear(), gc.collect()))
        thread.start()
        thread.join()
        await until_idle()
        assert resumed == [threading.current_thread()]
        assert not transport.paused


async def test_a_subscriber_that_is_dropped_there_in_debug_mode(monkeypatch):
    """The debug mode of asyncio finds nothing wrong, and reading is resumed."""
    errors = []
    monkeypatch.setattr(
        sys, "unraisablehook", lambda events: errors.append(repr(events.exc_value))
    )
    asyncio.get_running_loop().set_debug(True)
    connector = FakeConnector()
    async with connected(connector, heartbeat=ws.Heartbeat()) as (client, transport):
        dropped = [client.stream.subscribe(capacity=1)]
        send_messages(transport, "a", "b", "c")
        thread = threading.Thread(target=lambda: (dropped.clear(), gc.collect()))
        thread.start()
        thread.join()
        await until_idle()
        assert errors == []
        assert not transport.paused


async def test_a_listener_that_overflows_is_reported():
    """An event reports that it has ended, and why."""
    connector, events, received = FakeConnector(), Told(), []
    async with connected(connector, on_event=events) as (client, transport):
        client.stream.listen(received.append, capacity=1, overflow="error")
        send_messages(transport, "a", "b", "c")
        await until_idle()
        errors = [event.details.get("error") for event in events]
        assert any(isinstance(error, ws.WSStreamOverflowError) for error in errors)


async def test_a_listener_that_overflows_is_logged(caplog):
    """The log has a warning of it."""
    connector = FakeConnector()
    with caplog.at_level(logging.WARNING, logger="ws"):
        async with connected(connector) as (client, transport):
            client.stream.listen(lambda _: None, capacity=1, overflow="error")
            send_messages(transport, "a", "b", "c")
            await until_idle()
    assert any("listener" in words for words in caplog.messages)


async def test_what_comes_behind_an_overflow_is_counted():
    """All messages that the only subscriber does not get are counted as dropped."""
    connector = FakeConnector()
    async with connected(connector) as (client, transport):
        subscriber = client.stream.subscribe(capacity=1, overflow="error")
        transport.batch("a", "b")
        transport.batch("c", "d")
        transport.batch("e")
        assert await anext(subscriber) == "a"
        assert client.metrics.dropped_count == 4


async def test_what_comes_late_for_a_session_that_is_over_is_counted():
    """A message of an ended connection is not delivered to a later session."""
    connector, late = FakeConnector(), []
    keep = ws.WSInterceptor.handlers(on_message=lambda _, go: late.append(go))
    options = {"interceptors": [keep], "connection_retry_interval": (1, 1)}
    async with connected(connector, **options) as (client, transport):
        sessions = client.sessions()
        await anext(sessions)
        transport.message("held back")
        transport.closed()
        await connector.opened()
        session = await anext(sessions)
        late.pop()("held back")
        assert session.connection == 2
        assert client.metrics.dropped_count == 1


async def test_a_listener_of_a_client_that_is_forgotten():
    """It is collected together with its client, without a complaint."""
    connector, complaints = FakeConnector(), []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    client = ws.WebSocketClient(connector.options())
    begin(client.connect(URL))
    attempt = await connector.next()
    client.stream.listen(print)
    attempt.refuse()
    await until_idle()
    assert client.state.is_closed
    forgotten = weakref.ref(client)
    del client, connector, attempt
    gc.collect()
    await until_idle()
    assert forgotten() is None
    assert complaints == []


OVERFLOWING = {"stream_capacity": 1, "stream_overflow": "error"}


async def test_recv_raises_an_overflow_once():
    """It comes between the messages before the overflow and those after it."""
    connector = FakeConnector()
    async with connected(connector, **OVERFLOWING) as (client, transport):
        receiving = begin(client.recv())
        await until_idle()
        send_messages(transport, "a")
        assert await receiving == "a"
        send_messages(transport, "b", "c")
        assert await recv(client) == "b"
        assert isinstance(await recv(client), ws.WSStreamOverflowError)
        receiving = begin(client.recv())
        await until_idle()
        send_messages(transport, "d")
        assert await ended(receiving)
        assert receiving.exception() is None
        assert receiving.result() == "d"


async def test_recv_forgets_an_overflow_with_its_connection():
    """The overflow of an old connection is not raised on a new one."""
    connector = FakeConnector()
    async with connected(connector, **OVERFLOWING) as (client, old):
        receiving = begin(client.recv())
        await until_idle()
        send_messages(old, "a", "b", "c")
        await receiving
        while not isinstance(await recv(client), ws.WSStreamOverflowError):
            pass
        again = begin(client.reconnect())
        new = await connector.opened()
        await again
        receiving = begin(client.recv())
        await until_idle()
        send_messages(new, "new")
        assert await ended(receiving)
        assert receiving.exception() is None
        assert receiving.result() == "new"


@pytest.mark.parametrize(
    ("overflow", "remaining"), [("drop_oldest", f"{MANY - 1}"), ("drop_newest", "0")]
)
async def test_kept_messages_get_the_limits_of_a_subscriber(overflow, remaining):
    """Its capacity and its overflow are applied at once, and reading is resumed."""
    connector = FakeConnector()
    async with connected(connector) as (client, transport):
        send_messages(transport, *(str(number) for number in range(MANY)))
        assert transport.paused
        with client.stream.subscribe(capacity=1, overflow=overflow) as subscriber:
            await until_idle()
            assert not transport.paused
            assert subscriber.dropped == MANY - 1
            assert client.metrics.dropped_count == MANY - 1
            assert await drained(subscriber) == [remaining]


async def take_first(client: ws.WebSocketClient) -> object:
    return await client.stream.first()


async def break_off(client: ws.WebSocketClient) -> object:
    async for message in client.stream:
        return message
    return None


@pytest.mark.parametrize("take", [take_first, break_off])
async def test_what_a_first_subscriber_leaves(take):
    """Kept messages that it does not take go to the next one, or count as dropped."""
    connector = FakeConnector()
    async with connected(connector) as (client, transport):
        send_messages(transport, "a", "b", "c")
        async with asyncio.timeout(PATIENCE):
            assert await take(client) == "a"
        gc.collect()
        await until_idle()
        with client.stream.subscribe() as subscriber:
            remaining = await drained(subscriber)
        assert len(remaining) + client.metrics.dropped_count == 2


async def test_messages_that_nobody_hears_are_counted():
    """After the last subscriber has ended, messages are counted and reported."""
    connector, events = FakeConnector(), Told()
    async with connected(connector, on_event=events) as (client, transport):
        client.stream.subscribe().close()
        send_messages(transport, "a", "b")
        await until_idle()
        assert client.metrics.dropped_count == 2
    events = events.named("messages_discarded") + events.named("message_dropped")
    assert sum(details["count"] for details in events) == 2
