"""Listeners: called back for each message, until cancelled or the client is closed.

Runs unchanged inside Pyodide: no plug-ins, no threads, no sockets here.
"""

import asyncio
import logging

import pytest

import ws
from tests.support.client_helpers import SOON, Told, go_away, until
from tests.support.idle import turns, until_idle

pytestmark = pytest.mark.usefixtures("sockets")


async def test_functions_and_coroutines(server):
    """Both are called in order; an async one finishes with a message first."""
    heard, slowly, running = [], [], []

    async def hear(message: ws.Data) -> None:
        assert not running
        running.append(message)
        await turns(2)
        running.clear()
        slowly.append(message)

    async with ws.connect(server("/echo")) as client:
        client.stream.listen(heard.append)
        client.stream.listen(hear)
        sent = [str(number) for number in range(20)]
        for text in sent:
            await client.add(text)
        await until(lambda: len(slowly) == len(sent))
        assert (heard, slowly) == (sent, sent)


async def test_what_a_listener_raises(server, caplog):
    """The error is logged and reported, and all listeners go on."""
    told, heard, others = Told(), [], []

    def hear(message: ws.Data) -> None:
        heard.append(message)
        if message == "bad":
            raise ValueError(message)

    async def hear_too(message: ws.Data) -> None:
        others.append(message)
        await turns(1)
        if message == "bad":
            raise KeyError(message)

    options = ws.WebSocketOptions.common(on_event=told)
    with caplog.at_level(logging.WARNING, "ws.client"):
        async with ws.connect(server("/echo"), options) as client:
            client.stream.listen(hear)
            client.stream.listen(hear_too)
            for text in ("good", "bad", "good"):
                await client.add(text)
            await until(lambda: len(heard) == len(others) == 3)
            await until_idle()
    errors = [details["error"] for details in told.named("listener_raised")]
    assert {ValueError, KeyError} == {type(error) for error in errors}
    assert {"listener_raised"} == {r.message.partition(":")[0] for r in caplog.records}


async def test_a_listener_that_awaits_what_was_cancelled(server):
    """The error does not end the listener."""
    told, heard = Told(), []

    async def hear(message: ws.Data) -> None:
        heard.append(message)
        never = asyncio.get_running_loop().create_future()
        never.cancel()
        await never

    options = ws.WebSocketOptions.common(on_event=told)
    async with ws.connect(server("/echo"), options) as client:
        client.stream.listen(hear)
        await client.add("one")
        await client.add("two")
        await until(lambda: len(heard) == 2)
        await until_idle()
    assert len(told.named("listener_raised")) == 2


async def test_cancel(server):
    """A cancelled listener is not called, however it was cancelled."""
    heard, briefly = [], []
    async with ws.connect(server("/echo")) as client:
        subscription = client.stream.listen(heard.append)
        with client.stream.listen(briefly.append):
            await client.add("one")
            await until(lambda: heard == briefly == ["one"])
        subscription.cancel()
        subscription.cancel()
        await client.add("two")
        assert await client.stream.first(lambda message: message == "two")
        await until_idle()
        assert heard == briefly == ["one"]


async def test_cancelled_from_inside(server):
    """A callback may cancel its own subscription."""
    heard = []
    async with ws.connect(server("/echo")) as client:

        def hear(message: ws.Data) -> None:
            heard.append(message)
            subscription.cancel()

        subscription = client.stream.listen(hear)
        await client.add("one")
        await client.add("two")
        reader = client.stream.subscribe()
        await client.add("three")
        while await anext(reader) != "three":
            pass
        await until_idle()
        assert heard == ["one"]


async def test_cancelling_cancels_a_callback_that_waits(server):
    """No task of it is left running."""
    outcomes = []
    began = asyncio.Event()

    async def hear(_message: ws.Data) -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            outcomes.append("cancelled")
            raise

    async with ws.connect(server("/echo")) as client:
        subscription = client.stream.listen(hear)
        await client.add("one")
        await began.wait()
        subscription.cancel()
        await until_idle()
        assert outcomes == ["cancelled"]


async def test_it_lives_across_connections(server):
    """Losses, reconnections, `disconnect()` and `connect()` do not end it."""
    heard = []
    options = ws.WebSocketOptions.common(connection_retry_interval=SOON)
    async with ws.connect(server("/echo"), options) as client:
        client.stream.listen(heard.append)
        await client.add("first")
        await until(lambda: heard == ["first"])
        await go_away(client)
        await client.add("second")
        await until(lambda: heard == ["first", "second"])
        await client.disconnect()
        await client.connect(server("/echo"))
        await client.add("third")
        await until(lambda: heard == ["first", "second", "third"])


async def test_it_ends_with_the_client(server):
    """After `close()` no task of a listener is left, also of a later one."""
    client = await ws.connect(server("/echo"))
    client.stream.listen(print)
    client.state_changes.listen(str)
    await client.close()
    client.stream.listen(print)
    await until_idle()
    here = asyncio.current_task()
    names = [repr(task) for task in asyncio.all_tasks() if task is not here]
    assert not [name for name in names if "Subscription" in name]


async def test_listening_before_there_is_a_connection(server):
    """A listener may be added before the connection."""
    heard = []
    client = ws.WebSocketClient()
    client.stream.listen(heard.append)
    async with client:
        await client.connect(server("/greeting"))
        await until(lambda: len(heard) == 2)
    assert heard == ["hello", b"\x00\x01\xfe\xff"]


async def test_overflow_of_a_listener(server):
    """It has the limits that are given."""
    heard = []
    async with ws.connect(server("/echo")) as client:
        gate = asyncio.Event()

        async def hear(message: ws.Data) -> None:
            await gate.wait()
            heard.append(message)

        client.stream.listen(hear, capacity=2, overflow="drop_newest")
        reader = client.stream.subscribe()
        for number in range(10):
            await client.add(str(number))
            assert await anext(reader) == str(number)
            await until_idle()
        gate.set()
        await until_idle()
        assert heard == ["0", "1", "2"]
        assert client.metrics.dropped_count == 7
