"""A queued message and its receipt: one outcome, and the queue that it leaves."""

import asyncio

import pytest

from tests.support.idle import until_idle
from ws_common.send.queued_message import QueuedMessage
from ws_common.vocabulary.errors import WSMessageDroppedError


class Queue:
    """Records which messages were taken out."""

    def __init__(self) -> None:
        self.taken_out = []

    def discard(self, message: QueuedMessage) -> None:
        message.waits_in = None
        self.taken_out.append(message)


def queued() -> tuple[Queue, QueuedMessage]:
    """A message that waits in a queue."""
    queue, message = Queue(), QueuedMessage()
    message.fill(b"payload", text=False)
    message.waits_in = queue
    return queue, message


def test_its_size_is_that_of_the_payload():
    """`to_wire()` has encoded all text that is not ASCII."""
    _, message = queued()

    assert (7, False, "queued") == (message.size, message.text, message.status)


def test_an_outcome_takes_it_out_of_the_queue():
    """A program that keeps the receipt does not keep the payload."""
    queue, message = queued()

    message.resolve("sent")

    assert [message] == queue.taken_out
    assert ("sent", b"") == (message.status, message.data)


async def test_the_first_outcome_counts():
    """A message that was sent cannot fail afterwards."""
    queue, message = queued()
    message.resolve("sent")

    message.resolve("failed", WSMessageDroppedError("too late"))

    await message
    assert ("sent", 1) == (message.status, len(queue.taken_out))


async def test_every_waiter_hears_of_a_failure():
    """One that was cancelled meanwhile disturbs nobody."""
    _, message = queued()
    cancelled, *waiting = [
        asyncio.ensure_future(asyncio.wait_for(message, 10)) for _ in range(3)
    ]
    await until_idle()
    cancelled.cancel()

    message.resolve("dropped", WSMessageDroppedError("no room"))

    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [WSMessageDroppedError] * 2 == [type(result) for result in results]
    with pytest.raises(asyncio.CancelledError):
        await cancelled
