"""Streams: every subscriber gets each message once and in order, or an error.

Runs unchanged inside Pyodide: no plug-ins, no threads, no sockets here.
"""

import asyncio
import gc
import json
from dataclasses import dataclass

import pytest

import ws
from tests.support.client_helpers import Told
from tests.support.idle import turns, until_idle

pytestmark = pytest.mark.usefixtures("sockets")


@dataclass
class Point:
    """What a decoder makes."""

    x: int


async def test_many_subscribers(server):
    """A hundred subscribers see every message, each at its own pace."""
    async with ws.connect(server("/echo")) as client:
        subscribers = [client.stream.subscribe() for _ in range(100)]
        sent = [str(number) for number in range(50)]
        for text in sent:
            await client.add(text)
        for subscriber in subscribers:
            assert sent == [await anext(subscriber) for _ in sent]


async def test_a_subscriber_that_comes_late(server):
    """It gets later messages only, and other subscribers still get all."""
    async with ws.connect(server("/echo")) as client:
        await client.add("before")
        assert await client.recv() == "before"
        late = client.stream.subscribe()
        await client.add("after")
        assert await anext(late) == "after"
        assert await client.recv() == "after"


async def test_subscribe_now_iterate_later(server):
    """Nothing that arrives in between is missed."""
    async with ws.connect(server("/echo")) as client:
        first, second = client.stream.subscribe(), client.stream.subscribe()
        for text in ("a", "b", "c"):
            await client.add(text)
        assert [await anext(first) for _ in range(3)] == ["a", "b", "c"]
        assert [await anext(second) for _ in range(3)] == ["a", "b", "c"]


async def test_a_closed_subscriber(server):
    """`close()` and leaving `with` end it, what it held included; others go on."""
    async with ws.connect(server("/echo")) as client:
        with client.stream.subscribe() as leaving:
            await client.add("one")
            assert await client.stream.first() == "one"
        assert [message async for message in leaving] == []
        await client.add("two")
        assert await client.stream.first() == "two"
        leaving.close()


async def test_closing_ends_a_waiting_iteration(server):
    """A reader that waits in a closed subscriber does not wait any longer."""
    async with ws.connect(server("/echo")) as client:
        subscriber = client.stream.subscribe()
        waiting = asyncio.ensure_future(anext(subscriber, "ended"))
        await until_idle()
        subscriber.close()
        assert await waiting == "ended"


async def test_a_dropped_subscriber_holds_nobody_up(server):
    """Without a reference the subscriber and its full buffer are freed."""
    async with ws.connect(server("/echo")) as client:
        reader = client.stream.subscribe()
        forgotten = client.stream.subscribe(1, "pause")
        sent = [str(number) for number in range(100)]
        for text in sent:
            client.add_nowait(text)
        assert await anext(reader) == "0"
        del forgotten
        gc.collect()
        assert sent[1:] == [await anext(reader) for _ in sent[1:]]


async def test_a_slow_subscriber_gets_everything(server):
    """It pauses the source if that is possible, and no message is lost."""
    async with ws.connect(server("/echo")) as client:
        slow = client.stream.subscribe(2, "pause")
        sent = [str(number) for number in range(200)]
        for text in sent:
            client.add_nowait(text)
        received = []
        for _ in sent:
            await turns(2)
            received.append(await anext(slow))
        assert sent == received


async def test_first(server):
    """The first, the first that suits, and of derived streams too."""
    async with ws.connect(server("/echo")) as client:
        first = asyncio.ensure_future(client.stream.first())
        suits = asyncio.ensure_future(client.stream.first(lambda m: len(m) == 3))
        binary = asyncio.ensure_future(client.stream.bytes.first())
        number = asyncio.ensure_future(client.stream.json.first(lambda v: v == 7))
        await until_idle()
        for data in ("a", "bcd", "5", b"\x01", "7"):
            await client.add(data)
        assert [await first, await suits, await binary, await number] == [
            "a",
            "bcd",
            b"\x01",
            7,
        ]


async def test_derived_streams(server):
    """They can be derived from each other, and are independent."""
    async with ws.connect(server("/echo")) as client:
        lengths = client.stream.text.map(len).where(lambda n: n > 1).subscribe()
        kinds = client.stream.map(type).subscribe()
        points = client.stream.json.where_type(dict).map(lambda d: Point(**d))
        found = points.subscribe()
        for data in ("a", b"bcd", "efgh", '{"x": 1}', "[1]"):
            await client.add(data)
        assert [await anext(lengths) for _ in range(3)] == [4, 8, 3]
        assert [await anext(kinds) for _ in range(5)] == [str, bytes, str, str, str]
        assert await anext(found) == Point(1)


async def test_what_a_step_raises(server):
    """The error is raised to its reader, who may go on; others are not affected."""
    async with ws.connect(server("/echo")) as client:
        texts = client.stream.subscribe()
        numbers = client.stream.map(int).subscribe()
        for text in ("1", "two", "3"):
            await client.add(text)
        assert await anext(numbers) == 1
        with pytest.raises(ValueError, match="two"):
            await anext(numbers)
        assert await anext(numbers) == 3
        assert [await anext(texts) for _ in range(3)] == ["1", "two", "3"]


async def test_decode_raises(server):
    """What cannot be decoded is raised, and the iteration goes on after it."""
    async with ws.connect(server("/echo")) as client:
        points = client.stream.decode(lambda m: Point(**json.loads(m))).subscribe()
        for text in ('{"x": 1}', "{", '{"y": 2}', '{"x": 3}'):
            await client.add(text)
        assert await anext(points) == Point(1)
        with pytest.raises(json.JSONDecodeError):
            await anext(points)
        with pytest.raises(TypeError):
            await anext(points)
        assert await anext(points) == Point(3)


async def test_decode_skips(server):
    """Messages that cannot be decoded are skipped, each with one report."""
    told = Told()
    options = ws.WebSocketOptions.common(on_event=told)
    async with ws.connect(server("/echo"), options) as client:
        numbers = client.stream.decode(int, on_error="skip").subscribe()
        for text in ("1", "two", "three", "4"):
            await client.add(text)
        assert [await anext(numbers) for _ in range(2)] == [1, 4]
        errors = [details["error"] for details in told.named("message_skipped")]
        assert [type(error) for error in errors] == [ValueError, ValueError]


async def test_strict_json(server):
    """Every value that RFC 8259 knows, and no other; no depth breaks anything."""
    told = Told()
    options = ws.WebSocketOptions.common(on_event=told)
    good = ["1", '"a"', "null", "true", "[]", ' {"a": [1.5]} ', b"[2]"]
    bad = ["", "NaN", "[Infinity]", "-Infinity", "{a: 1}", "[1,]", b"\xff", "[" * 10**5]
    async with ws.connect(server("/echo"), options) as client:
        values = client.stream.json.subscribe()
        for data in (*good, *bad, '"the end"'):
            await client.add(data)
        expected = [1, "a", None, True, [], {"a": [1.5]}, [2], "the end"]
        assert expected == [await anext(values) for _ in expected]
        assert len(told.named("message_skipped")) == len(bad)


@pytest.mark.parametrize("capacity", [-1, 1.5, "1", True])
async def test_a_capacity_that_does_not_exist(capacity):
    """It raises in the call, and leaves nothing behind."""
    client = ws.WebSocketClient()
    with pytest.raises(ValueError, match="capacity"):
        client.stream.subscribe(capacity)
    with pytest.raises(ValueError, match="overflow"):
        client.stream.subscribe(overflow="sometimes")
