"""Streams: their subscribers, and how these end."""

import asyncio
import gc
import json
import weakref

import pytest

from tests.support.idle import turns, until_idle
from tests.support.stream_source import collect
from ws_common.lifecycle.states import (
    Closed,
    Connecting,
    Disconnecting,
    Open,
)
from ws_common.vocabulary.errors import (
    WSConnectionClosedError,
    WSHandshakeError,
    WSStreamOverflowError,
)

# Subscribers


async def test_every_subscriber_gets_everything(source):
    """Subscribers are independent of each other."""
    first, second = source.stream.subscribe(), source.stream.subscribe()
    source.say("a", b"b", "c")
    await source.end()

    assert ["a", b"b", "c"] == await collect(first)
    assert ["a", b"b", "c"] == await collect(second)


async def test_first_subscriber_gets_what_came_before(source):
    """A greeting that is sent at once is kept for the first subscriber only."""
    source.say("greeting")
    first, second = source.stream.subscribe(), source.stream.subscribe()
    source.say("next")
    await source.end()

    assert ["greeting", "next"] == await collect(first)
    assert ["next"] == await collect(second)


async def test_states_are_not_kept(source):
    """A subscriber gets the states from its subscription on."""
    before = [type(entry.state) for entry in source.client.history]
    subscriber = source.client.state_changes.subscribe()
    await source.end(final=True)

    assert [Connecting, Open] == before
    after = [type(state) for state in await collect(subscriber)]
    assert [Disconnecting, Closed] == after


async def test_subscriber_has_its_own_limits(source):
    """A subscriber may have a capacity and an overflow of its own."""
    dropping = source.stream.subscribe(capacity=2, overflow="drop_oldest")
    failing = source.stream.subscribe(capacity=1, overflow="error")
    normal = source.stream.subscribe()
    source.say("a", "b", "c")
    await source.end()

    assert ["b", "c"] == await collect(dropping)
    assert 1 == dropping.dropped
    assert "a" == await anext(failing)
    with pytest.raises(WSStreamOverflowError):
        await anext(failing)
    assert ["a", "b", "c"] == await collect(normal)


@pytest.mark.parametrize("bad", [{"capacity": -1}, {"overflow": "explode"}])
async def test_bad_limits(source, bad):
    """Bad limits raise at once, and make no subscriber."""
    source.say("kept")
    with pytest.raises(ValueError, match=next(iter(bad))):
        source.stream.subscribe(**bad)

    with source.stream.subscribe() as subscriber:
        assert "kept" == await anext(subscriber), "nobody else has got it"
        with pytest.raises(ValueError, match=next(iter(bad))):
            source.stream.subscribe(**bad)
    assert not await source.is_held_up()


async def test_slowest_subscriber_pauses(source):
    """The socket is paused while any buffer is full."""
    slow = source.stream.subscribe(capacity=1)
    slower = source.stream.subscribe(capacity=1)
    source.say("a", "b")
    assert [True] == source.pauses
    assert ["a", "b"] == [await anext(slow), await anext(slow)]
    assert [True] == source.pauses
    slower.close()

    assert [True, False] == source.pauses


async def test_two_readers_share_a_subscriber(source):
    """Each item goes to one of them."""
    subscriber = source.stream.subscribe()
    readers = [asyncio.ensure_future(anext(subscriber)) for _ in range(4)]
    await until_idle()
    source.say("a", "b", "c", "d")

    assert ["a", "b", "c", "d"] == sorted(await asyncio.gather(*readers))


# Leaving


async def test_close_ends_it(source):
    """Buffered items are discarded, and iteration ends at once."""
    with source.stream.subscribe() as subscriber:
        source.say("a")
    assert [] == await collect(subscriber)
    assert not await source.is_held_up()
    subscriber.close()


async def test_dropping_the_last_reference_detaches(source):
    """A subscriber that is collected does not pause the socket."""
    for make in (
        source.stream.subscribe,
        source.stream.text.subscribe,
        source.stream.json.subscribe,
        source.stream.where(bool).map(str).subscribe,
        lambda: aiter(source.stream),
    ):
        subscriber = make()
        reference = weakref.ref(subscriber)
        assert await source.is_held_up()
        del subscriber
        gc.collect()
        assert reference() is None
        await until_idle()
        assert not source.transport.paused
        assert not await source.is_held_up()


async def test_leaving_a_loop_detaches(source):
    """Leaving a loop with `break` ends its subscriber."""
    source.say("a", "b")
    async for _ in source.stream.text:
        break
    gc.collect()
    await until_idle()

    assert not source.transport.paused
    assert not await source.is_held_up()


async def test_forgotten_full_subscriber_lets_the_socket_go_on(source):
    """Reading is resumed when the subscriber that paused it is collected."""
    subscriber = source.stream.subscribe(capacity=1)
    source.say("a", "b")
    assert [True] == source.pauses
    del subscriber
    gc.collect()
    await until_idle()

    assert [True, False] == source.pauses


async def test_derived_streams_hold_nobody(source):
    """A derived stream has no buffer, and can be collected."""
    derived = source.stream.where(lambda _: True).map(len)
    reference = weakref.ref(derived)
    source.say("kept")
    assert "kept" == await anext(source.stream.subscribe()), "it has not taken it"
    gc.collect()
    assert not await source.is_held_up()
    del derived
    gc.collect()

    assert reference() is None


async def test_waiting_reader_holds_its_subscriber(source):
    """It gets the next item, although nothing else references it."""
    waiting = asyncio.ensure_future(source.stream.first())
    await until_idle()
    gc.collect()
    source.say("here")

    assert "here" == await asyncio.wait_for(waiting, 1)
    assert not await source.is_held_up()


# Ends

ERROR = WSHandshakeError("no", status=401)


@pytest.mark.parametrize("final", [False, True])
async def test_quiet_end(source, final):
    """Iteration ends quietly, but recv() and first() raise."""
    subscriber, other = source.stream.subscribe(), source.stream.subscribe()
    source.say("a")
    code = 4001 if final else 1001  # what may be sent on every platform
    await source.end(code=code, final=final)

    assert ["a"] == await collect(subscriber)
    assert [] == await collect(subscriber)
    assert "a" == await other.next()
    for _ in range(2):
        with pytest.raises(WSConnectionClosedError) as caught:
            await other.next()
        assert (code, True) == (caught.value.close_code, caught.value.was_clean)


async def test_end_with_an_error(source):
    """The error that ended the client is raised after the buffered items."""
    subscriber = source.stream.subscribe()
    source.say("a")
    await source.end(ERROR)

    assert "a" == await anext(subscriber)
    with pytest.raises(WSHandshakeError) as caught:
        await anext(subscriber)
    assert caught.value is ERROR
    with pytest.raises(WSHandshakeError):
        await source.stream.first()


async def test_ended_while_waited_for(source):
    """Readers that wait meet the end."""
    readers = [asyncio.ensure_future(collect(source.stream)) for _ in range(3)]
    await until_idle()
    await source.end()

    assert [[], [], []] == await asyncio.gather(*readers)


async def test_new_subscriber_after_the_end(source):
    """A new subscriber meets the end too, instead of waiting."""
    await source.end()

    assert [] == await asyncio.wait_for(collect(source.stream), 1)


async def test_subscriber_after_reconnecting(source):
    """After a new connect() the same subscriber reads on."""
    subscriber = source.stream.subscribe()
    source.say("a")
    await source.end()
    await source.connect()
    source.say("b")

    assert ["a"] == await collect(subscriber)
    assert "b" == await anext(subscriber)
    waiting = asyncio.ensure_future(anext(subscriber))
    await until_idle()
    assert not waiting.done()
    source.say("c")
    assert "c" == await waiting


async def test_never_asked_to_connect(unconnected):
    """A subscriber of a client that was never asked to connect waits."""
    waiting = asyncio.ensure_future(collect(unconnected.stream))
    await until_idle()

    assert not waiting.done()
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()


# Deriving


async def test_kinds(source):
    """Derived streams select or convert items."""
    subscribers = [
        source.stream.text.subscribe(),
        source.stream.bytes.subscribe(),
        source.stream.where_type(str).map(len).subscribe(),
        source.stream.where(lambda item: len(item) > 1).subscribe(),
    ]
    source.say("a", b"bb", "ccc")
    await source.end()

    expected = [["a", "ccc"], [b"bb"], [1, 3], [b"bb", "ccc"]]
    assert expected == [await collect(one) for one in subscribers]


async def test_json(source):
    """Strict JSON is decoded, and everything else is skipped and reported."""
    subscriber = source.stream.json.subscribe()
    good = ['{"a": 1}', b"[1, 2]", "7", ' "x"', "null", "true"]
    bad = ["", "{", "NaN", "[Infinity]", "-Infinity", b"\xff", "[" * 100_000]
    bad.append("[" * 501 + "]" * 501)
    flat = [{"a": ['["{']}] * 1000
    source.say(*good, *bad, json.dumps(flat))
    await source.end()

    expected = [{"a": 1}, [1, 2], 7, "x", None, True, flat]
    assert expected == await collect(subscriber)
    assert ["message_skipped"] * len(bad) == [name for name, _ in source.errors]


async def test_decoder_raises_to_who_iterates(source):
    """It may go on iterating, and other subscribers do not notice."""
    numbers, all_of_it = (
        source.stream.decode(int).subscribe(),
        source.stream.subscribe(),
    )
    source.say("1", "x", "3")
    await source.end()

    assert 1 == await anext(numbers)
    with pytest.raises(ValueError, match="'x'"):
        await anext(numbers)
    assert [3] == await collect(numbers)
    assert ["1", "x", "3"] == await collect(all_of_it)
    assert [] == source.errors


async def test_decoder_skips(source):
    """With "skip" the message is left out and reported."""
    numbers = source.stream.decode(int, on_error="skip").subscribe()
    source.say("1", "x", "3")
    await source.end()

    assert [1, 3] == await collect(numbers)
    assert ["message_skipped"] == [name for name, _ in source.errors]


async def test_first(source):
    """It returns the first item, or the first that satisfies a condition."""
    source.say("a", "bb", "ccc")
    waiting = asyncio.ensure_future(source.stream.first(lambda item: len(item) == 3))

    assert "ccc" == await waiting
    assert not await source.is_held_up()


# Cancelling


async def test_cancelling_loses_nothing(source):
    """A message that a cancelled read would have returned is not lost."""
    subscriber = source.stream.text.subscribe()
    received = []
    for number in range(60):
        reader = asyncio.ensure_future(anext(subscriber))
        await turns(number % 4)
        source.say(str(number), b"not text")
        await turns(number // 4 % 3)
        reader.cancel()
        await asyncio.wait([reader])
        if not reader.cancelled():
            received.append(reader.result())
    await source.end()
    received += await collect(subscriber)

    assert list(map(str, range(60))) == received
