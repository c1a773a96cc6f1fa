"""The order of sends: that of the calls, also when some are cancelled or fail."""

import asyncio

import pytest

from tests.support.idle import until_idle
from ws_common.send.intercepted_send import InterceptedSend
from ws_common.send.send_order import SendOrder
from ws_common.vocabulary.errors import WSNotConnectedError


class Line:
    """Sends through one interceptor, which the test releases one by one.

    Attributes:
        log: The messages that have begun to pass.
    """

    def __init__(self) -> None:
        self.log: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._released: dict[str, asyncio.Event] = {}
        self._order = SendOrder([self._pass], pytest.fail, set())

    def enter(self, names: str) -> dict[str, InterceptedSend]:
        """Take a place in the order for each name."""
        self._released |= {name: asyncio.Event() for name in names}
        return {name: self._send(name) for name in names}

    def finish(self, sends: dict[str, InterceptedSend]) -> None:
        """Begin to wait, in the order of the given sends."""
        self.tasks = {
            name: asyncio.ensure_future(send.finish()) for name, send in sends.items()
        }

    async def release(self, name: str) -> None:
        """Release one send, so that the next one begins."""
        self._released[name].set()
        await until_idle()

    async def cancel(self, name: str) -> None:
        self.tasks[name].cancel()
        await until_idle()

    def fail(self) -> None:
        self._order.fail(lambda: WSNotConnectedError("it was closed"))

    def _send(self, name: str) -> InterceptedSend:
        return InterceptedSend(self._order, name, pytest.fail)

    async def _pass(self, name: str, _next: object) -> None:
        self.log.append(name)
        await self._released[name].wait()


async def test_in_the_order_of_asking():
    """Sends pass in the order of the calls, not in that of their tasks."""
    line = Line()
    sends = line.enter("abc")
    line.finish({name: sends[name] for name in "cab"})
    for name in "abc":
        await line.release(name)
    await asyncio.gather(*line.tasks.values())
    assert line.log == ["a", "b", "c"]


async def test_leaving():
    """A send may leave from anywhere; the next one waits for all before it."""
    line = Line()
    line.finish(line.enter("abc"))
    await until_idle()
    await line.cancel("b")
    assert line.log == ["a"]
    await line.release("a")
    assert line.log == ["a", "c"]
    await line.release("c")
    await line.tasks["c"]
    line.finish(line.enter("d"))
    await until_idle()
    assert line.log == ["a", "c", "d"]


async def test_cancelled_while_it_waits():
    """A cancelled send lets the next one pass."""
    line = Line()
    line.finish(line.enter("abc"))
    await until_idle()
    await line.cancel("b")
    assert not line.tasks["c"].done()
    await line.cancel("a")
    assert line.log == ["a", "c"]


async def test_failing():
    """All sends that wait raise; the one inside an interceptor goes on."""
    line = Line()
    line.finish(line.enter("abcd"))
    await until_idle()
    line.fail()
    first, *others = line.tasks.values()
    errors = await asyncio.gather(*others, return_exceptions=True)
    assert [type(error) for error in errors] == [WSNotConnectedError] * 3
    assert not first.done()
    await line.release("a")
    await first


async def test_failing_before_anybody_waits():
    """A send that has a place and did not wait yet raises at once."""
    line = Line()
    sends = line.enter("ab")
    line.fail()
    line.finish({"b": sends["b"]})
    with pytest.raises(WSNotConnectedError):
        await line.tasks["b"]
