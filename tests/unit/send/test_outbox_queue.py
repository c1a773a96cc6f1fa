"""The queue of messages that wait: its order, its limits, and what expires."""

import asyncio
from datetime import timedelta

import pytest

from tests.support.client_driver import leftovers
from tests.support.internals import set_wall_clock
from ws_common.options.outbox import Outbox
from ws_common.send.outbox_queue import OutboxQueue
from ws_common.send.queued_message import QueuedMessage
from ws_common.vocabulary.clock import Clock
from ws_common.vocabulary.errors import WSMessageDroppedError, WSOutboxFullError

pytestmark = pytest.mark.looptime


class Queue:
    """A queue, and what it has dropped.

    Attributes:
        queue: The queue.
        dropped: The payload of each dropped message, and the reason.
    """

    def __init__(self, **outbox) -> None:
        self.dropped = []
        # A dropped message no longer has its payload.
        self._names: dict[QueuedMessage, str] = {}
        self.queue = OutboxQueue(Outbox(**outbox), Clock(), self._on_drop)

    def put(self, text: str, *, bounded: bool = True, via=None) -> QueuedMessage:
        message = QueuedMessage(via=via, bounded=bounded)
        message.fill(text, text=True)
        self._names[message] = text
        self.queue.put(message)
        return message

    def _on_drop(self, message: QueuedMessage, why: str) -> None:
        self.dropped.append((self._names[message], why))

    def drain(self) -> list[str]:
        """Take out all that can be sent, in order."""
        taken = []
        while len(self.queue):
            if (message := self.queue.pop()) is not None:
                taken.append(message.data)
        return taken


async def test_the_order_is_that_of_the_calls():
    """Whether somebody waits for a message or not."""
    queue = Queue()
    for number, text in enumerate("abcd"):
        queue.put(text, bounded=number % 2 == 0)

    assert list("abcd") == queue.drain()


async def test_any_message_can_be_taken_out():
    """The others keep their order."""
    queue = Queue()
    messages = [queue.put(text) for text in "abc"]

    messages[1].resolve("failed", WSMessageDroppedError("cancelled"))

    assert ["a", "c"] == queue.drain()


async def test_a_message_is_put_back_in_front():
    """It is sent first, and it is the oldest of the outbox again."""
    queue = Queue(max_messages=2, overflow="drop_oldest")
    for text in "ab":
        queue.put(text)
    message = queue.queue.pop()
    assert message is not None

    queue.queue.put_back(message)

    assert message is queue.queue.pop()
    queue.queue.put_back(message)
    queue.put("c")
    assert [("a", "dropped")] == queue.dropped
    assert ["b", "c"] == queue.drain()


@pytest.mark.parametrize(
    ("overflow", "dropped", "left"),
    [("drop_oldest", "ab", "cd"), ("drop_newest", "cd", "ab")],
)
async def test_overflow(overflow, dropped, left):
    """What is dropped is resolved and reported; nobody waits for it."""
    queue = Queue(max_messages=2, overflow=overflow)
    messages = {text: queue.put(text) for text in "abcd"}

    assert [(text, "dropped") for text in dropped] == queue.dropped
    assert ["dropped"] * 2 == [messages[text].status for text in dropped]
    with pytest.raises(WSMessageDroppedError, match="was dropped from the outbox"):
        await messages[dropped[0]]
    assert list(left) == queue.drain()


@pytest.mark.parametrize("limits", [{"max_messages": 2}, {"max_bytes": 2}])
async def test_a_full_outbox_says_what_can_be_done(limits):
    """Messages whose callers wait do not count."""
    queue = Queue(**limits)
    queue.put("waits in add()", bounded=False)
    for text in "ab":
        queue.put(text)

    with pytest.raises(WSOutboxFullError, match=r"raise outbox\.max_messages"):
        queue.put("c")

    assert ["waits in add()", "a", "b"] == queue.drain()


async def test_a_message_larger_than_the_outbox():
    """Nothing is dropped for it, as that would not make room."""
    queue = Queue(max_bytes=2, overflow="drop_oldest")
    queue.put("a")

    with pytest.raises(WSOutboxFullError):
        queue.put("abc")

    assert ([], ["a"]) == (queue.dropped, queue.drain())


async def test_messages_expire_while_they_wait(monkeypatch):
    """A timer drops them, also where no connection ever comes."""
    loop = asyncio.get_running_loop()
    set_wall_clock(monkeypatch, loop.time)
    queue = Queue(ttl=timedelta(seconds=10))
    old = queue.put("old")
    await asyncio.sleep(6)
    queue.put("new")
    await asyncio.sleep(5)

    assert ([("old", "expired")], "expired") == (queue.dropped, old.status)
    with pytest.raises(WSMessageDroppedError, match="grew too old"):
        await old
    assert ["new"] == queue.drain()


async def test_a_late_timer_sends_nothing_old(monkeypatch):
    """A machine that slept has an old queue when it wakes, before any timer fires."""
    now = [1_000_000.0]
    set_wall_clock(monkeypatch, lambda: now[0])
    queue = Queue(ttl=10)
    queue.put("old")
    now[0] += 3600

    assert queue.queue.pop() is None
    assert [("old", "expired")] == queue.dropped


async def test_messages_of_one_connection():
    """They are found wherever they stand."""
    queue, target = Queue(), object()
    mine = [queue.put(text, via=target) for text in "ab"]
    queue.put("c")

    assert mine == queue.queue.messages_via(target)


async def test_clearing_stops_the_timer():
    """Nothing is left in the loop."""
    queue = Queue(ttl=10)
    messages = [queue.put(text) for text in "ab"]

    assert messages == queue.queue.clear()

    assert ([], 0) == (queue.dropped, len(queue.queue))
    assert [] == leftovers()
