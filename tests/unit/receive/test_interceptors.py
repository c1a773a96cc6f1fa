"""The chain of interceptors in both directions, whatever they do."""

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.call_counter import calls_of
from tests.support.client_driver import abort, begin, opened_anywhere
from tests.support.client_helpers import Told
from tests.support.fake_transport import FakeConnector
from tests.support.holding_interceptor import HoldingInterceptor
from tests.support.idle import turns, until_idle
from tests.support.read_available import at_hand
from ws_common.options.interceptors import WSInterceptor
from ws_common.vocabulary.errors import WSUnsupportedDataError


class InterceptorChain:
    """A client with these interceptors, its transport and a reader."""

    def __init__(self, *interceptors: WSInterceptor, **options: Any) -> None:
        self._interceptors = interceptors
        self._options = options
        self._stack = contextlib.AsyncExitStack()
        self.events = Told()
        self.connector = FakeConnector()

    async def __aenter__(self) -> Self:
        options = {"interceptors": self._interceptors, "on_event": self.events}
        opening = opened_anywhere(self.connector, **options, **self._options)
        self.client, self.transport = await self._stack.enter_async_context(opening)
        self.reader = self.client.stream.subscribe(capacity=100)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    @property
    def sent(self) -> list[object]:
        """What was sent to the peer."""
        return self.transport.sent

    def received(self) -> list[object]:
        """What was received since this was last called."""
        return at_hand(self.reader)

    @property
    def errors(self) -> list[str]:
        """The errors that were reported."""
        raised = [event for event in self.events if "error" in event.details]
        return [f"{event.name}: {event.details['error']}" for event in raised]


def tag(letter: str) -> WSInterceptor:
    """An interceptor that adds a letter without waiting."""
    return WSInterceptor.handlers(
        on_send=lambda data, pass_on: pass_on(data + letter),
        on_message=lambda data, pass_on: pass_on(data + letter),
    )


def slow_tag(letter: str, steps: int = 1) -> WSInterceptor:
    """An interceptor that adds a letter after some turns of the loop."""

    async def handler(data, next):
        await turns(steps)
        result = next(data + letter)
        if isinstance(result, Awaitable):
            await result

    return WSInterceptor.handlers(on_send=handler, on_message=handler)


async def test_first_is_nearest_the_application():
    """Sent messages pass from the first to the last, received ones the other way."""
    layers = [tag("a"), slow_tag("b"), tag("c")]
    async with InterceptorChain(*layers) as chain:
        await chain.client.add("out ")
        chain.transport.message("in ")
        await until_idle()

        assert ["out abc"] == chain.sent
        assert ["in cba"] == chain.received()


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_next_as_often_as_you_like(count):
    """A message is passed on as often as `next` is called."""

    def handler(data, next):
        for number in range(count):
            next(f"{data}{number}")

    layer = WSInterceptor.handlers(on_send=handler, on_message=handler)
    async with InterceptorChain(layer) as chain:
        await chain.client.add("m")
        receipt = chain.client.add_nowait("n")
        chain.transport.message("m")

        expected = [f"m{number}" for number in range(count)]
        assert expected == chain.received()
        assert [*expected, *(f"n{number}" for number in range(count))] == chain.sent
        assert "queued" != receipt.status
        assert [] == chain.errors


async def test_next_may_be_called_late():
    """A message arrives when `next` is called, even if that is later."""
    held = []
    hold = WSInterceptor.handlers(
        on_send=lambda data, pass_on: held.append((pass_on, data)),
        on_message=lambda data, pass_on: held.append((pass_on, data)),
    )
    async with InterceptorChain(tag("a"), hold) as chain:
        await chain.client.add("out ")
        chain.transport.message("in ")
        assert ([], []) == (chain.sent, chain.received())
        for pass_on, data in held:
            pass_on(data)

        assert ["out a"] == chain.sent
        assert ["in a"] == chain.received()


async def test_result_of_next_may_be_ignored():
    """A synchronous interceptor need not return the result of `next`."""

    def handler(data, next):
        next(data)

    layer = WSInterceptor.handlers(on_send=handler, on_message=handler)
    async with InterceptorChain(layer, tag("a")) as chain:
        await chain.client.add("m")
        assert ["ma"] == chain.sent
    async with InterceptorChain(tag("a"), layer) as chain:
        chain.transport.message("m")
        assert ["ma"] == chain.received()


MIX = st.lists(
    st.lists(st.sampled_from([None, 0, 1, 3]), min_size=2, max_size=2), max_size=12
)
"""For each message and layer: handled at once, or after so many turns of the loop."""


def mixed(layer: int, plan: list[list[int | None]]) -> WSInterceptor:
    """An interceptor that handles some messages at once and awaits others."""

    def handler(data, next):
        wait = plan[int(data)][layer]
        return next(data) if wait is None else later(wait, data, next)

    async def later(wait, data, next):
        await turns(wait)
        result = next(data)
        if isinstance(result, Awaitable):
            await result

    return WSInterceptor.handlers(on_send=handler, on_message=handler)


@given(plan=MIX)
def test_order_in(plan):
    """Messages arrive in order, whichever of them are awaited."""

    async def main():
        async with InterceptorChain(mixed(0, plan), mixed(1, plan)) as chain:
            for number in range(len(plan)):
                chain.transport.message(str(number))
                if number % 3:
                    await asyncio.sleep(0)
            await until_idle()
            assert list(map(str, range(len(plan)))) == chain.received()
            assert [] == chain.errors

    asyncio.run(main())


@given(plan=MIX, nowait=st.lists(st.booleans(), min_size=12, max_size=12))
def test_order_out(plan, nowait):
    """Messages of add() and add_nowait() are sent in order, whichever are awaited."""

    async def main():
        async with InterceptorChain(mixed(0, plan), mixed(1, plan)) as chain:
            waiting = []
            for number in range(len(plan)):
                if nowait[number]:
                    chain.client.add_nowait(str(number))
                else:
                    # As a task that has begun: the call has been made.
                    add = asyncio.ensure_future(chain.client.add(str(number)))
                    waiting.append(add)
                    await asyncio.sleep(0)
            await asyncio.gather(*waiting)
            await until_idle()
            assert list(map(str, range(len(plan)))) == chain.sent

    asyncio.run(main())


async def test_add_does_not_overtake_add_nowait():
    """The first message is sent first, although it has to wait."""
    async with InterceptorChain(slow_tag("", steps=3)) as chain:
        receipt = chain.client.add_nowait("first")
        await chain.client.add("second")

        assert ["first", "second"] == chain.sent
        assert "sent" == receipt.status


@pytest.mark.parametrize("waits", [False, True])
async def test_raising_fails_that_message_only(waits):
    """add() raises the error of a send; that of a received message is reported."""

    def handler(data, next):
        if "bad" in data:
            raise LookupError(data)
        return next(data)

    async def slow(data, next):
        await asyncio.sleep(0)
        handler(data, next)

    chosen = slow if waits else handler
    layer = WSInterceptor.handlers(on_send=chosen, on_message=chosen)
    async with InterceptorChain(layer) as chain:
        await chain.client.add("1")
        with pytest.raises(LookupError, match="bad"):
            await chain.client.add("bad")
        await chain.client.add("2")
        for data in ("1", "bad", "2"):
            chain.transport.message(data)
        await until_idle()

        assert ["1", "2"] == chain.sent == chain.received()
        assert ["interceptor_raised: bad"] == chain.errors


async def test_any_object_may_travel():
    """The last interceptor has to pass on something that can be sent."""
    layer = WSInterceptor.handlers(
        on_send=lambda data, pass_on: pass_on(str(data["n"])),
        on_message=lambda data, pass_on: pass_on({"n": int(data)}),
    )
    async with InterceptorChain(WSInterceptor(), layer) as chain:
        await chain.client.add({"n": 7})
        chain.transport.message("7")

        assert ["7"] == chain.sent
        assert [{"n": 7}] == chain.received()


async def test_what_cannot_be_sent_is_refused():
    """What the last interceptor passes on is checked, and the next message is sent."""
    layer = WSInterceptor.handlers(
        on_send=lambda data, pass_on: pass_on(3.5 if data == "bad" else data)
    )
    async with InterceptorChain(layer) as chain:
        with pytest.raises(WSUnsupportedDataError, match="float cannot be sent"):
            await chain.client.add("bad")
        await chain.client.add("good")

        assert ["good"] == chain.sent


async def test_wrap_observes():
    """Observers are called before the message is passed on unchanged."""
    seen = []

    async def watch(data):
        await asyncio.sleep(0)
        seen.append(("watch", data))

    def look(data):
        seen.append(("look", data))
        return "ignored"

    layers = [
        WSInterceptor.wrap(on_send=look, on_message=watch),
        WSInterceptor.wrap(on_send=watch),
        WSInterceptor.wrap(),
    ]
    async with InterceptorChain(*layers) as chain:
        await chain.client.add("out")
        chain.transport.message("in")
        await until_idle()

        assert [("look", "out"), ("watch", "out"), ("watch", "in")] == seen
        assert ["out"] == chain.sent
        assert ["in"] == chain.received()


async def test_subclass_may_override_one_method():
    """Messages in the other direction are passed on unchanged."""

    class Shout(WSInterceptor):
        def on_send(self, data, next):
            return next(data.upper())

    async with InterceptorChain(Shout()) as chain:
        await chain.client.add("a")
        chain.transport.message("a")

        assert ["A"] == chain.sent
        assert ["a"] == chain.received()


@pytest.mark.parametrize("joined", [False, True])
async def test_a_batch_costs_as_much_as_a_message(joined):
    """A batch takes at most eight Python calls, of one message or a thousand."""

    async def calls(*messages):
        async with InterceptorChain() as chain:
            chain.reader.close()
            reader = chain.client.stream.subscribe(capacity=1100)
            if joined:
                chain.transport.batch("before")
            called = calls_of(lambda: chain.transport.batch(*messages))
            assert len(at_hand(reader)) == len(messages) + joined
            return called

    def ours(called):
        return [name for name in called if name != "size_of"]  # the fake's own

    one, many = ours(await calls("x" * 60)), ours(await calls(*["x" * 60] * 1000))
    assert one == many
    assert len(one) <= 8, one


async def test_connections_keep_their_place_among_messages():
    """Sessions begin and end in order with the messages."""
    holding = HoldingInterceptor()
    retry = {"connection_retry_interval": (60, 60)}
    async with InterceptorChain(holding, **retry) as chain:
        sessions = chain.client.sessions()
        chain.transport.message("1")
        chain.transport.closed(1006)
        again = begin(chain.client.reconnect())
        second = await chain.connector.opened()
        await again
        second.message("2")
        holding.released.set()
        await until_idle()

        first = await anext(sessions)
        assert ["1"] == [message async for message in first]
        assert ["2"] == at_hand(aiter(await anext(sessions)))
        assert ["1", "2"] == chain.received()


async def test_disconnecting_forgets_messages_and_keeps_the_end():
    """Nothing is delivered after it, not even a message that an interceptor holds."""
    holding = HoldingInterceptor()
    async with InterceptorChain(holding) as chain:
        chain.transport.message("1")
        chain.transport.message("2")
        disconnecting = begin(chain.client.disconnect())
        await until_idle()
        lost = [one["count"] for one in chain.events.named("messages_discarded")]
        assert [1] == lost, "the one that waited"
        chain.transport.closed(1000, initiator="local")
        await disconnecting
        holding.released.set()
        await until_idle()

        assert [] == [message async for message in chain.reader]
        lost = [one["count"] for one in chain.events.named("messages_discarded")]
        assert [1, 1] == lost, "and then the one that was held"


async def test_the_end_leaves_nothing_behind():
    """No task and no warning is left, even while an interceptor waits."""
    before = asyncio.all_tasks()
    for wait in (0, 2):
        async with InterceptorChain(slow_tag("", steps=99)) as chain:
            chain.transport.message("1")
            chain.transport.message("2")
            receipt = chain.client.add_nowait("1")
            await turns(wait)
            await abort(chain.client)
            await until_idle()

            assert ([], []) == (chain.received(), chain.sent)
            assert "failed" == receipt.status
            assert before == asyncio.all_tasks()


async def test_backlog_is_reported():
    """The queue asks for a pause above its capacity, and resumes well below it."""
    async with InterceptorChain(slow_tag(""), stream_capacity=4) as chain:
        for number in range(5):
            chain.transport.message(str(number))
        assert [] == chain.transport.pauses
        chain.transport.message("5")
        assert [True] == chain.transport.pauses
        await until_idle()

        assert [True, False] == chain.transport.pauses
        assert list("012345") == chain.received()


async def test_actions_behind_a_backlog_do_not_keep_it_full():
    """Reading is resumed when the queue is empty, even if an action came last."""
    holding = HoldingInterceptor()
    async with InterceptorChain(holding, stream_capacity=1) as chain:
        for number in range(3):
            chain.transport.message(str(number))
        assert chain.transport.paused
        feed = chain.client.sessions()  # asked for behind the backlog
        holding.released.set()
        await until_idle()

        assert not chain.transport.paused
        assert 1 == (await anext(feed)).connection


@pytest.mark.parametrize("how", ["closing", "reconnecting"])
async def test_disconnecting_from_a_connection_that_ends_already(how):
    """Nothing is delivered after the call, though the peer was first to go."""
    holding = HoldingInterceptor()
    async with InterceptorChain(holding, connection_retry_interval=(1, 1)) as chain:
        chain.transport.batch("1", "2")
        if how == "closing":
            chain.transport.closing(1001)
        else:
            chain.transport.closed(1006)
        disconnecting = begin(chain.client.disconnect())
        await until_idle()
        holding.released.set()
        await until_idle()
        if how == "closing":
            chain.transport.closed(1001, initiator="peer", clean=True)
        await disconnecting

        assert [] == chain.received()
        lost = [one["count"] for one in chain.events.named("messages_discarded")]
        assert 2 == sum(lost)
