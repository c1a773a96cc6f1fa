"""Floods in a page: the browser collects messages, and Python fetches them."""

import asyncio
import itertools
from collections.abc import Iterator

import pytest
from looptime import LoopTimeProxy

from tests.unit.fake_js import Buffer
from ws_js.coalescer import (
    BACKLOG_PER_BATCH,
    BATCH_SIZE,
    COUNTING_TIME,
    FETCH_INTERVAL,
    MAX_COLLECTED_SIZE,
    MIN_MESSAGES,
    MIN_RATE,
)

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()

GAP = 0.5 / MIN_RATE
"""Seconds between two messages of a flood."""


def is_collecting(js, socket) -> bool:
    """Whether messages are collected without calling Python."""
    return socket.onmessage is not None and socket.onmessage not in js.live


async def flood(js, socket, messages) -> list[object]:
    """Send messages until they are collected, and return them."""
    sent = []
    while not is_collecting(js, socket):
        await asyncio.sleep(GAP)
        sent.append(next(messages))
        socket.play_message(sent[-1])
        assert len(sent) < 10 * MIN_RATE * COUNTING_TIME, "this is never collected"
    return sent


def numbers() -> Iterator[str]:
    return map(str, itertools.count())


async def test_a_flood(js, open_one):
    """It is collected after a while, and is delivered completely, in order and soon."""
    _, socket, sink = await open_one()
    messages = numbers()
    sent = await flood(js, socket, messages)
    assert clock >= COUNTING_TIME
    assert sink.messages == sent
    for _ in range(1000):
        await asyncio.sleep(GAP)
        sent.append(next(messages))
        socket.play_message(sent[-1])
        behind = len(sent) - len(sink.messages)
        assert behind <= 1.5 * FETCH_INTERVAL / GAP
        assert sink.messages == sent[: len(sent) - behind]
    await asyncio.sleep(2 * FETCH_INTERVAL)
    assert sink.messages == sent
    assert not is_collecting(js, socket)
    socket.play_message("at once again")
    assert sink.messages[-1] == "at once again"


async def test_what_is_no_flood(js, open_one):
    """A burst every second is none, nor is a constant lower rate."""
    _, socket, sink = await open_one()
    at_once = round(2 * MIN_RATE * COUNTING_TIME)
    for _ in range(10):
        await asyncio.sleep(1)
        for number in range(at_once):
            socket.play_message(str(number))
            assert not is_collecting(js, socket)
    await asyncio.sleep(1)
    for number in range(1000):
        await asyncio.sleep(1.2 / MIN_RATE)
        socket.play_message(str(number))
        assert not is_collecting(js, socket)
    assert len(sink.messages) == 10 * at_once + 1000


@pytest.fixture
async def working(monkeypatch):
    """A function that keeps the loop busy for some seconds."""
    loop, worked = asyncio.get_running_loop(), [0.0]
    now = loop.time
    monkeypatch.setattr(loop, "time", lambda: now() + sum(worked))
    return worked.append


async def test_a_slow_program(js, open_one, working):
    """Messages are collected at any rate if the loop runs nothing in between."""
    _, socket, sink = await open_one()
    sink.react = lambda _: working(10 / MIN_RATE)
    sent = [str(number) for number in range(500)]
    collected = 0
    for text in sent:
        socket.play_message(text)
        collected += is_collecting(js, socket)
    assert len(sent) - collected <= 2 * COUNTING_TIME * MIN_RATE / 10 + 2
    await asyncio.sleep(1)
    assert sink.messages == sent
    assert not is_collecting(js, socket)


async def test_large_messages(js, open_one, working):
    """They are not collected: the cost of a call matters little beside them."""
    _, socket, sink = await open_one()
    sink.react = lambda _: working(10 / MIN_RATE)
    data = Buffer(bytes(MAX_COLLECTED_SIZE + 1))
    for _ in range(200):
        socket.play_message(data)
        assert not is_collecting(js, socket)


async def test_a_slow_program_that_keeps_up(js, open_one, working):
    """Messages are not collected if the loop runs other things in between."""
    _, socket, sink = await open_one()
    sink.react = lambda _: working(10 / MIN_RATE)
    for number in range(500):
        socket.play_message(str(number))
        await asyncio.sleep(0)
        assert not is_collecting(js, socket)


async def test_a_busy_page_that_is_sent_little(js, open_one, working):
    """Few messages are not collected, even if the loop is busy."""
    _, socket, _ = await open_one()
    for number in range(200):
        working(1.5 * COUNTING_TIME / MIN_MESSAGES)
        socket.play_message(str(number))
        assert not is_collecting(js, socket)


async def test_the_more_wait_the_more_come_at_once(js, open_one):
    """The number of waiting messages stays bounded in an endless flood."""
    _, socket, sink = await open_one()
    await flood(js, socket, numbers())
    fetched, most = asyncio.Event(), 0
    sink.react = lambda _: fetched.set()
    for _ in range(100):
        for number in range(BACKLOG_PER_BATCH):  # in each turn, and more than a slice
            socket.play_message(str(number))
        most = max(most, len(socket.onmessage.__self__))
        await (asyncio.sleep(0) if fetched.is_set() else fetched.wait())
    assert most <= BACKLOG_PER_BATCH * BACKLOG_PER_BATCH / BATCH_SIZE
    assert len(sink.messages) > 50 * BACKLOG_PER_BATCH


async def test_a_program_that_answers(js, open_one):
    """Collecting does not begin, or ends, since each answer would wait for a fetch."""
    transport, socket, sink = await open_one()
    for number in range(1000):
        await asyncio.sleep(GAP)
        if number % 10 == 0:
            transport.send("ask", text=True)
        socket.play_message("answer")
        assert not is_collecting(js, socket)
    await flood(js, socket, numbers())
    for number in range(100):
        socket.play_message(str(number))
    transport.send("ask", text=True)
    await asyncio.sleep(1.5 * FETCH_INTERVAL)
    assert not is_collecting(js, socket)
    assert sink.messages[-1] == "99"


async def test_others_have_their_turn(js, open_one):
    """A fetch delivers messages in batches, and readers run in between."""
    _, socket, sink = await open_one()
    sent = len(await flood(js, socket, numbers()))
    for number in range(5 * BATCH_SIZE):
        socket.play_message(str(number))
    woken = asyncio.Event()
    sink.react = lambda _: woken.set()
    await woken.wait()
    assert len(sink.messages) == sent + BATCH_SIZE


async def test_a_hidden_page(js, open_one):
    """Its timers are late by a second or a minute, so that nothing is collected."""
    document = js.as_page("https://example.org")
    document.visibilityState = "hidden"
    _, socket, sink = await open_one()
    for number in range(1000):
        await asyncio.sleep(GAP)
        socket.play_message(str(number))
        assert not is_collecting(js, socket)
    document.visibilityState = "visible"
    await flood(js, socket, numbers())
    for number in range(100):
        socket.play_message(str(number))
    document.visibilityState = "hidden"
    await asyncio.sleep(1.5 * FETCH_INTERVAL)
    assert not is_collecting(js, socket)
    assert sink.messages[-1] == "99"


@pytest.mark.parametrize("clean", [True, False])
async def test_the_end(js, open_one, clean):
    """Collected messages are delivered before the end."""
    _, socket, sink = await open_one()
    await flood(js, socket, numbers())
    for number in range(100):
        socket.play_message(str(number))
    socket.play_close(1000 if clean else 1006, clean=clean)
    assert sink.messages[-100:] == [str(number) for number in range(100)]
    assert sink.log[-1] == "closed"
    assert js.live == set()


@pytest.mark.parametrize("inside", [True, False])
async def test_abort(js, open_one, inside):
    """Nothing is delivered after it, except for the rest of the batch."""
    transport, socket, sink = await open_one()
    await flood(js, socket, numbers())
    before = len(sink.messages)
    for number in range(100):
        socket.play_message(str(number))
    if inside:
        sink.react = lambda _: transport.abort()
    else:
        transport.abort()
    await asyncio.sleep(1)
    assert len(sink.messages) == before + BATCH_SIZE * inside
    assert js.live == set()


async def test_abort_as_it_ends(js, open_one):
    """Then no end is reported to the sink."""
    transport, socket, sink = await open_one()
    await flood(js, socket, numbers())
    socket.play_message("collected")
    sink.react = lambda _: transport.abort()
    log = len(sink.log)
    socket.play_close(1000)
    assert sink.log[log:] == ["message"]


async def test_a_sink_that_raises_in_between(js, open_one):
    """The exception is reported to the loop, and later messages are delivered."""
    _, socket, sink = await open_one()
    told = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    await flood(js, socket, numbers())

    def fail(_):
        sink.react = None
        raise RuntimeError

    sink.react = fail
    for number in range(BATCH_SIZE):  # so many that more is looked for
        socket.play_message(str(number))
    await asyncio.sleep(FETCH_INTERVAL)
    socket.play_message("later")
    await asyncio.sleep(2 * FETCH_INTERVAL)
    assert [type(error) for error in told] == [RuntimeError]
    assert sink.messages[-1] == "later"


async def test_a_sink_that_raises(js, open_one):
    """At the end, everything is released, and the end is reported."""
    _, socket, sink = await open_one()
    await flood(js, socket, numbers())

    def interrupt(_):
        sink.react = None
        raise KeyboardInterrupt

    sink.react = interrupt
    socket.play_message("collected")
    with pytest.raises(KeyboardInterrupt):
        socket.play_close(1000)
    assert sink.log[-1] == "closed"
    assert js.live == set()


async def test_a_capacity_of_ones_own(js, open_one):
    """With a capacity, messages are delivered one by one."""
    _, socket, sink = await open_one(stream_capacity=1000)
    for number in range(1000):
        await asyncio.sleep(GAP)
        socket.play_message(str(number))
        assert not is_collecting(js, socket)
    assert len(sink.messages) == 1000


async def test_what_waits_is_a_sign_of_life(js, open_one):
    """Collected messages count as activity before they are fetched."""
    transport, socket, _ = await open_one()
    await flood(js, socket, numbers())
    loop = asyncio.get_running_loop()
    await asyncio.sleep(FETCH_INTERVAL / 4)
    assert transport.last_activity < loop.time()
    socket.play_message("x")
    await asyncio.sleep(FETCH_INTERVAL / 4)
    assert transport.last_activity == loop.time()


async def test_one_that_is_too_big(js, open_one):
    """Messages before it are delivered, those behind it are not, and it closes."""
    _, socket, sink = await open_one(max_size=1000)
    await flood(js, socket, numbers())
    before = len(sink.messages)
    for data in ("a", "b", "x" * 1001, "c"):
        socket.play_message(data)
    await asyncio.sleep(1)
    assert sink.messages[before:] == ["a", "b"]
    assert socket.closes == [(4009, sink.closings[0].reason)]


@pytest.mark.parametrize(
    "among",
    [
        "\0",
        "a\0b",
        "[object Buffer]",
        "é😀\ufeff",
        "",
        "x" * 100_000,
        Buffer(b"binary"),
        Buffer(b""),
    ],
    ids=["nul", "nul inside", "object", "wide", "empty", "long", "binary", "no byte"],
)
async def test_whatever_comes(js, open_one, among):
    """Short texts are read all at once, other messages one by one."""
    _, socket, sink = await open_one()
    await flood(js, socket, numbers())
    before = len(sink.messages)
    sent = ["a", "b", among, "c", "", "d"] * 3
    for data in sent:
        socket.play_message(data)
    await asyncio.sleep(FETCH_INTERVAL)
    plain = among.to_bytes() if isinstance(among, Buffer) else among
    assert sink.messages[before:] == ["a", "b", plain, "c", "", "d"] * 3


async def test_short_text_is_not_touched_one_by_one(js, open_one):
    """Joined texts are read without asking each event for its data."""
    _, socket, sink = await open_one()
    await flood(js, socket, numbers())
    before = len(sink.messages)
    events = [socket.play_message(str(number)) for number in range(20)]
    await asyncio.sleep(FETCH_INTERVAL)
    assert len(sink.messages) - before == 20
    assert [event.touched for event in events] == [0] * 20
