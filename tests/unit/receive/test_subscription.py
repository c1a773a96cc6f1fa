"""Listeners: what calls them back, and for how long."""

import asyncio
import gc

from tests.support.idle import turns, until_idle
from ws_common.vocabulary.errors import WSHandshakeError

ERROR = WSHandshakeError("no", status=401)


async def test_listener_is_called_in_order(source):
    """Callbacks are called for one item after the other, until they are cancelled."""
    received = []

    async def slowly(item):
        await turns(2)
        received.append(item)

    source.stream.text.listen(received.append)
    with source.stream.listen(slowly):
        source.say("a", "b")
        await until_idle()
        assert sorted(["a", "b", "a", "b"]) == sorted(received)
    source.say("c")
    await until_idle()

    assert ["a", "b", "a", "b", "c"].count("c") == received.count("c")
    assert not await source.is_held_up(), "the other one is gone"
    await source.end(final=True)
    await until_idle()


async def test_listener_that_raises(source):
    """The error is reported, and the next item is delivered."""
    received, other = [], []

    def listener(item):
        received.append(item)
        if item == "bad":
            raise LookupError(item)

    source.stream.listen(listener)
    source.stream.listen(other.append)
    source.say("a", "bad", "b")
    await until_idle()

    assert ["a", "bad", "b"] == received == other
    assert [("listener_raised", "LookupError")] == [
        (name, type(error).__name__) for name, error in source.errors
    ]
    await source.end(final=True)
    await until_idle()


async def test_listener_outlives_ends(source):
    """A listener survives disconnect(), and ends with close()."""
    before, received = asyncio.all_tasks(), []
    source.stream.listen(received.append)
    source.say("a")
    await source.end(ERROR)
    await until_idle()
    await source.connect()
    source.say("b")
    await until_idle()
    assert 1 == len(asyncio.all_tasks() - before)
    await source.end(final=True)
    await until_idle()

    assert ["a", "b"] == received
    assert before == asyncio.all_tasks()
    assert ["attempt_failed"] == [name for name, _ in source.errors], "by the test"


async def test_listener_needs_no_reference(source):
    """A listener goes on if nobody references its subscription."""
    received = []
    source.stream.listen(received.append)
    gc.collect()
    await until_idle()
    gc.collect()
    source.say("a")
    await until_idle()

    assert ["a"] == received
    await source.end(final=True)
    await until_idle()


async def test_cancelled_listener_is_cancelled(source):
    """Cancelling a listener also cancels its callback."""
    before = asyncio.all_tasks()
    cancelled = []

    async def wait_for_ever(_item):
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    subscription = source.stream.listen(wait_for_ever)
    source.say("a")
    await until_idle()
    subscription.cancel()
    subscription.cancel()
    await until_idle()

    assert [True] == cancelled
    assert before == asyncio.all_tasks()
    assert not await source.is_held_up()
