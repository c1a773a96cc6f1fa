"""Broadcasts: which buffers get an item, and when nobody gets it."""

import asyncio

import pytest

from ws_common.receive.broadcast import Broadcast
from ws_common.receive.end_marker import End, Ended
from ws_common.receive.limits import Limits


@pytest.fixture
def discarded():
    """How many items had no subscriber, each time."""
    return []


@pytest.fixture
def broadcast(discarded):
    """A broadcast whose buffers have room for two items."""
    made: Broadcast = Broadcast(Limits(2, None, "pause"), keep=True)
    made.on_discarded = discarded.append
    return made


def test_the_first_subscriber_gets_the_items_that_were_kept(broadcast, discarded):
    """Later ones do not."""
    broadcast.publish_one("a")
    first, second = broadcast.attach(), broadcast.attach()
    broadcast.publish_one("b")
    assert (["a", "b"], ["b"]) == (first.drain(), second.drain())
    assert [] == discarded


def test_items_without_a_subscriber_are_discarded(broadcast, discarded):
    """Both what the last subscriber leaves, and what comes after it."""
    buffer = broadcast.attach()
    broadcast.publish(("a", "b"), 2)
    broadcast.detach(buffer)
    broadcast.publish(("c",), 1)
    assert [2, 1] == discarded


def test_a_buffer_of_one_connection(broadcast, discarded):
    """It gets no items of other connections, and ends with its own."""
    buffer = broadcast.attach(connection=2)
    broadcast.publish(("a",), 1, 1)
    broadcast.publish(("b",), 1, 2)
    broadcast.end_connection(2, End(final=True))
    broadcast.publish(("c",), 1, 2)
    assert ["b"] == buffer.drain()
    assert [1, 1] == discarded


def test_full_buffers(broadcast):
    """Only buffers that ask for a pause are listed."""
    full, _ = broadcast.attach(), broadcast.attach(capacity=9)
    broadcast.publish(tuple("abc"), 3)
    assert [full] == broadcast.full_buffers


async def test_a_final_end_is_for_later_subscribers_too(broadcast):
    """An end that is not final is for those who are there."""
    broadcast.attach()
    broadcast.end_all(End(close_code=1001))
    assert not broadcast.attach().has_next
    broadcast.end_all(End(final=True))
    with pytest.raises(Ended):
        await asyncio.wait_for(broadcast.attach().get(), 1)


@pytest.mark.parametrize("bad", [{"capacity": -1}, {"overflow": "explode"}])
def test_limits_that_make_no_sense(broadcast, bad):
    """They raise, and leave the kept items to the next subscriber."""
    broadcast.publish_one("a")
    with pytest.raises(ValueError, match=next(iter(bad))):
        broadcast.attach(**bad)
    assert ["a"] == broadcast.attach().drain()


async def test_listeners_are_kept_until_they_are_done(broadcast):
    """A loop refers to its tasks weakly."""
    task = asyncio.ensure_future(asyncio.sleep(0))
    broadcast.add_listener(task)
    assert (task,) == broadcast.listeners
    await task
    await asyncio.sleep(0)
    assert () == broadcast.listeners
