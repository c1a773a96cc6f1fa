"""Buffers: their limits, and reads that are cancelled."""

import asyncio
import gc
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.internals import Buffered, end_reached, end_with
from ws_common.vocabulary.errors import WSStreamOverflowError

Ended = end_reached()


async def read_all(buffer: Buffered) -> list[object]:
    """Read everything up to the end, and return the end as the last item."""
    items: list[object] = []
    try:
        while True:
            items.append(await buffer.get())
    except Ended as ended:
        return [*items, ended.end]


# Overflow


def test_pause_keeps_everything():
    """It asks for a pause once above the limit, and resumes well below it."""
    buffer = Buffered(capacity=4)
    buffer.put(*range(4))
    assert [] == buffer.pauses
    buffer.put(4, 5, 6)
    assert [True] == buffer.pauses
    assert buffer.is_full

    taken = [buffer.take() for _ in range(6)]

    assert [0, 1, 2, 3, 4, 5] == taken
    assert [True, False] == buffer.pauses
    assert 0 == buffer.dropped


def test_hysteresis():
    """A reader at the limit does not make the socket pause and resume in turns."""
    buffer = Buffered(capacity=8)
    buffer.put(*range(9))
    for _ in range(6):
        buffer.take()
        assert [True] == buffer.pauses
    buffer.take()

    assert [True, False] == buffer.pauses


@pytest.mark.parametrize(
    ("overflow", "held"),
    [("drop_oldest", [3, 4, 5]), ("drop_newest", [1, 2, 3])],
)
def test_drop(overflow, held):
    """The oldest or the newest messages are dropped, counted and reported."""
    buffer = Buffered(overflow=overflow)

    buffer.put(1, 2, 3, 4, 5)

    assert held == buffer.held
    assert 2 == buffer.dropped == sum(buffer.drops)
    assert [] == buffer.pauses


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest"])
def test_what_was_dropped_leaves_nothing_behind(overflow):
    """A buffer that nobody reads does not grow, however much it drops."""
    buffer, message = Buffered(overflow=overflow), "x" * 70_000
    buffer.put(*[message] * 10)
    before = sum(type(one) is deque for one in gc.get_objects())
    buffer.put(*[message] * 1000)
    assert sum(type(one) is deque for one in gc.get_objects()) < before + 10
    assert 1007 == buffer.dropped
    assert [message] * 3 == buffer.held


async def test_error():
    """The buffered messages can be read, then the error is raised."""
    buffer = Buffered(overflow="error")
    buffer.put(1, 2, 3, 4, 5)

    *items, end = await read_all(buffer)

    assert [1, 2, 3] == items
    assert isinstance(end.error, WSStreamOverflowError)
    assert "3 messages" in str(end.error)
    assert end.final
    with pytest.raises(Ended):
        await buffer.get()


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest", "error"])
def test_bytes(overflow):
    """Without a capacity, the bytes of messages are limited."""
    buffer = Buffered(capacity=None, overflow=overflow, max_bytes=10)
    buffer.put("abcd", b"efgh")
    assert 8 == buffer.bytes
    buffer.put("ijkl")

    expected = {
        "drop_oldest": [b"efgh", "ijkl"],
        "drop_newest": ["abcd", b"efgh"],
        "error": ["abcd", b"efgh"],
    }
    assert expected[overflow] == buffer.held
    assert 8 == buffer.bytes


def test_one_message_above_the_limit():
    """Only the message that is larger than the whole buffer is dropped."""
    buffer = Buffered(capacity=None, overflow="drop_newest", max_bytes=10)

    buffer.put("abc", "x" * 11, "def")

    assert ["abc", "def"] == buffer.held
    assert 6 == buffer.bytes


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.text(min_size=1, max_size=4)),
        st.tuples(st.just("mark"), st.none()),
        st.tuples(st.just("take"), st.none()),
        st.tuples(st.just("clear"), st.none()),
    ),
    max_size=60,
)


@given(
    operations=OPERATIONS,
    overflow=st.sampled_from(["pause", "drop_oldest", "drop_newest"]),
    limits=st.sampled_from([(1, None), (3, None), (None, 1), (None, 7), (None, None)]),
)
def test_books_are_kept(operations, overflow, limits):
    """The limits hold, ends are never dropped, and every message is counted."""
    capacity, max_bytes = limits
    if overflow == "pause" and max_bytes is not None:
        max_bytes = None
    buffer = Buffered(capacity, overflow, max_bytes)
    put = taken = marked = ended = cleared = 0
    for name, text in operations:
        match name:
            case "put":
                buffer.put(text)
                put += 1
            case "mark":
                buffer.mark(1000 + marked)
                marked += 1
            case "clear":
                cleared += len(buffer.held)
                ended += buffer.ends
                buffer.clear()
            case "take" if buffer.held or buffer.ends:
                try:
                    buffer.take()
                    taken += 1
                except Ended:
                    ended += 1
        held = buffer.held
        assert put == taken + cleared + buffer.dropped + len(held)
        assert marked == ended + buffer.ends
        assert sum(len(text.encode()) for text in held) == buffer.bytes
        if overflow != "pause":
            assert len(held) <= (capacity or put)
            assert len(held) == 1 or buffer.bytes <= (max_bytes or buffer.bytes)
        assert buffer.is_full == (buffer.pauses[-1:] == [True])
        assert buffer.pauses == [i % 2 == 0 for i in range(len(buffer.pauses))]


# Ends


async def test_ends_keep_their_place():
    """An end that is not final is met between the messages before and after it."""
    buffer = Buffered(capacity=None)
    buffer.put(1)
    buffer.mark(1001)
    buffer.put(2)
    buffer.mark(final=True)
    buffer.put(3)

    assert [1, end_with(1001)] == await read_all(buffer)
    assert [2, end_with(final=True)] == await read_all(buffer)
    assert [end_with(final=True)] == await read_all(buffer)


async def test_end_wakes_every_reader():
    """An end wakes all readers that wait."""
    buffer = Buffered()
    readers = [asyncio.ensure_future(read_all(buffer)) for _ in range(3)]
    await asyncio.sleep(0)
    assert buffer.is_awaited

    buffer.mark(1000)

    expected = [[end_with(1000)]] * 3
    assert expected == await asyncio.gather(*readers)


def test_clear_lets_the_socket_go_on():
    """A buffer that was cleared no longer asks for a pause."""
    buffer = Buffered(capacity=1)
    buffer.put(1, 2)
    buffer.clear()

    assert [True, False] == buffer.pauses
    assert [] == buffer.held


def test_drain_takes_everything():
    """Draining returns the messages in order, without the ends."""
    buffer = Buffered(capacity=None)
    buffer.put(1, 2)
    buffer.mark()
    buffer.put(3)

    assert [1, 2, 3] == buffer.drain()
    assert 0 == buffer.bytes


# Reading and cancelling


async def test_cancelled_while_waiting():
    """A reader that is cancelled does not wait any more, and the next one reads."""
    buffer = Buffered()
    reader = asyncio.ensure_future(buffer.get())
    await asyncio.sleep(0)
    reader.cancel()
    await asyncio.wait([reader])

    assert not buffer.is_awaited
    buffer.put("kept")
    assert "kept" == await buffer.get()


async def test_cancelled_as_the_message_comes():
    """If a woken reader is cancelled before it runs, another one gets the message."""
    buffer = Buffered()
    first = asyncio.ensure_future(buffer.get())
    second = asyncio.ensure_future(buffer.get())
    await asyncio.sleep(0)

    buffer.put("kept")
    first.cancel()

    assert "kept" == await asyncio.wait_for(second, 1)
    assert first.cancelled()


@given(
    script=st.lists(
        st.sampled_from(["put", "read", "cancel", "turn"]), min_size=5, max_size=80
    )
)
def test_cancelling_at_every_step_loses_nothing(script):
    """Each message is read once, in order, however reads are cancelled."""

    async def main() -> None:
        buffer = Buffered(capacity=None)
        received: list[object] = []
        readers: list[asyncio.Task[None]] = []

        async def read() -> None:
            received.append(await buffer.get())

        count = 0
        for move in script:
            match move:
                case "put":
                    buffer.put(count)
                    count += 1
                case "read":
                    readers.append(asyncio.ensure_future(read()))
                case "cancel" if readers:
                    readers.pop(0).cancel()
                case "turn":
                    await asyncio.sleep(0)
        for reader in readers:
            reader.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        received += rest_of(buffer)
        assert list(range(count)) == received
        assert not buffer.is_awaited

    asyncio.run(main())


def rest_of(buffer: Buffered) -> list[object]:
    return [buffer.take() for _ in buffer.held]
