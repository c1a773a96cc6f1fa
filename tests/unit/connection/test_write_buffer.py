"""The write limit: when senders wait, and what ends the wait."""

import asyncio

import pytest
from looptime import LoopTimeProxy

from tests.support.idle import until_idle
from ws_common.connection.write_buffer import WriteBuffer
from ws_common.vocabulary.clock import Clock
from ws_common.vocabulary.errors import WSConnectionClosedError

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()


class Transport:
    """A transport of which only the send buffer is known.

    Attributes:
        asked: How often the size of the buffer was read.
    """

    def __init__(self, amount: int = 0) -> None:
        self.amount = amount
        self.asked = 0

    @property
    def buffered_amount(self) -> int:
        self.asked += 1
        return self.amount


@pytest.mark.parametrize(("amount", "above"), [(0, False), (100, False), (101, True)])
async def test_the_limit_itself_is_not_above(amount, above):
    """Senders wait only when the buffer holds more than `write_limit`."""
    assert above is WriteBuffer(100).is_above(Transport(amount))


async def test_the_transport_is_asked_only_near_the_limit():
    """In a browser that costs as much as sending a message."""
    buffer, transport = WriteBuffer(1000), Transport()
    assert not buffer.is_above(transport)

    for _ in range(3):
        buffer.add(100)
        assert not buffer.is_above(transport)
    assert 1 == transport.asked

    buffer.add(1000)
    assert not buffer.is_above(transport)
    assert 2 == transport.asked


async def test_below_the_limit_nobody_waits():
    """The awaitable is done before it is awaited."""
    waiting = WriteBuffer(100).wait_below(Transport(100))

    assert waiting.done()
    await waiting


async def test_a_drain_wakes_every_sender():
    """A sender that was cancelled is skipped, and the others go on."""
    buffer, transport = WriteBuffer(100), Transport(101)
    cancelled, *waiting = [
        asyncio.ensure_future(buffer.wait_below(transport)) for _ in range(3)
    ]
    cancelled.cancel()
    await until_idle()
    assert [False, False] == [one.done() for one in waiting]

    buffer.on_drained()

    await asyncio.gather(*waiting)


async def test_the_end_raises_in_every_sender():
    """Each gets an error of its own, as several tasks raise them."""
    buffer, transport = WriteBuffer(100), Transport(101)
    waiting = [buffer.wait_below(transport) for _ in range(2)]

    buffer.fail(WSConnectionClosedError)

    errors = await asyncio.gather(*waiting, return_exceptions=True)
    assert [WSConnectionClosedError] * 2 == [type(error) for error in errors]
    assert errors[0] is not errors[1]


@pytest.mark.parametrize(("empty_after", "returns"), [(0, 0), (1, 1), (None, 3)])
async def test_flushing_is_bounded(empty_after, returns):
    """It returns when the buffer is empty, or after the time that it was given."""
    transport = Transport(0 if empty_after == 0 else 10)
    if empty_after:
        asyncio.get_running_loop().call_later(
            empty_after, setattr, transport, "amount", 0
        )

    await WriteBuffer(100).wait_flushed(transport, Clock(), 3)

    assert float(clock) == pytest.approx(returns, abs=0.01)
