"""Interceptors: an onion in both directions, whatever its layers do."""

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
from tests.support.idle import turns, until_idle
from tests.support.read_available import at_hand
from ws_common.options.interceptors import WSInterceptor
from ws_common.vocabulary.errors import WSUnsupportedDataError


class Onion:
    """A client with these interceptors, the wire below it and a reader above."""

    def __init__(self, *interceptors: WSInterceptor, **options: Any) -> None:
        self._interceptors = interceptors
        self._options = options
        self._stack = contextlib.AsyncExitStack()
        self.told = Told()
        self.connector = FakeConnector()

    async def __aenter__(self) -> Self:
        options = {"interceptors": self._interceptors, "on_event": self.told}
        opening = opened_anywhere(self.connector, **options, **self._options)
        self.client, self.transport = await self._stack.enter_async_context(opening)
        self.reader = self.client.stream.subscribe(capacity=100)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    @property
    def sent(self) -> list[object]:
        """What has come out on the wire."""
        return self.transport.sent

    def received(self) -> list[object]:
        """What has come out to the application since this was last asked."""
        return at_hand(self.reader)

    @property
    def faults(self) -> list[str]:
        """What was raised by whom."""
        raised = [event for event in self.told if "error" in event.details]
        return [f"{event.name}: {event.details['error']}" for event in raised]


def tag(letter: str) -> WSInterceptor:
    """Adds a letter as a message passes, without waiting."""
    return WSInterceptor.handlers(
        on_send=lambda data, go: go(data + letter),
        on_message=lambda data, go: go(data + letter),
    )


def slow_tag(letter: str, steps: int = 1) -> WSInterceptor:
    """Adds a letter after a while."""

    async def handler(data, next):
        await turns(steps)
        result = next(data + letter)
        if isinstance(result, Awaitable):
            await result

    return WSInterceptor.handlers(on_send=handler, on_message=handler)


async def test_first_is_nearest_the_application():
    """Out: first to last. In: last to first."""
    layers = [tag("a"), slow_tag("b"), tag("c")]
    async with Onion(*layers) as onion:
        await onion.client.add("out ")
        onion.transport.message("in ")
        await until_idle()

        assert ["out abc"] == onion.sent
        assert ["in cba"] == onion.received()


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_next_as_often_as_you_like(count):
    """Not calling `next` drops a message; calling it more often multiplies it."""

    def handler(data, next):
        for number in range(count):
            next(f"{data}{number}")

    layer = WSInterceptor.handlers(on_send=handler, on_message=handler)
    async with Onion(layer) as onion:
        await onion.client.add("m")
        receipt = onion.client.add_nowait("n")
        onion.transport.message("m")

        expected = [f"m{number}" for number in range(count)]
        assert expected == onion.received()
        assert [*expected, *(f"n{number}" for number in range(count))] == onion.sent
        assert "queued" != receipt.status
        assert [] == onion.faults


async def test_next_may_be_called_late():
    """A message that is held and let go later arrives then."""
    held = []
    hold = WSInterceptor.handlers(
        on_send=lambda data, go: held.append((go, data)),
        on_message=lambda data, go: held.append((go, data)),
    )
    async with Onion(tag("a"), hold) as onion:
        await onion.client.add("out ")
        onion.transport.message("in ")
        assert ([], []) == (onion.sent, onion.received())
        for go, data in held:
            go(data)

        assert ["out a"] == onion.sent
        assert ["in a"] == onion.received()


async def test_result_of_next_may_be_ignored():
    """A synchronous layer around a synchronous one need not return anything."""

    def handler(data, next):
        next(data)

    layer = WSInterceptor.handlers(on_send=handler, on_message=handler)
    async with Onion(layer, tag("a")) as onion:
        await onion.client.add("m")
        assert ["ma"] == onion.sent
    async with Onion(tag("a"), layer) as onion:
        onion.transport.message("m")
        assert ["ma"] == onion.received()


MIX = st.lists(
    st.lists(st.sampled_from([None, 0, 1, 3]), min_size=2, max_size=2), max_size=12
)
"""For each message and layer: handled at once, or after so many turns of the loop."""


def mixed(layer: int, plan: list[list[int | None]]) -> WSInterceptor:
    """Handles some messages at once and awaits others."""

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
    """Whichever messages are awaited and which not: they arrive in order."""

    async def main():
        async with Onion(mixed(0, plan), mixed(1, plan)) as onion:
            for number in range(len(plan)):
                onion.transport.message(str(number))
                if number % 3:
                    await asyncio.sleep(0)
            await until_idle()
            assert list(map(str, range(len(plan)))) == onion.received()
            assert [] == onion.faults

    asyncio.run(main())


@given(plan=MIX, nowait=st.lists(st.booleans(), min_size=12, max_size=12))
def test_order_out(plan, nowait):
    """Whoever calls, add() or add_nowait(), and whatever waits: it is sent in order."""

    async def main():
        async with Onion(mixed(0, plan), mixed(1, plan)) as onion:
            waiting = []
            for number in range(len(plan)):
                if nowait[number]:
                    onion.client.add_nowait(str(number))
                else:
                    # As a task that has begun: the call has been made.
                    add = asyncio.ensure_future(onion.client.add(str(number)))
                    waiting.append(add)
                    await asyncio.sleep(0)
            await asyncio.gather(*waiting)
            await until_idle()
            assert list(map(str, range(len(plan)))) == onion.sent

    asyncio.run(main())


async def test_add_does_not_overtake_add_nowait():
    """The message that was given first goes first, though it has to wait."""
    async with Onion(slow_tag("", steps=3)) as onion:
        receipt = onion.client.add_nowait("first")
        await onion.client.add("second")

        assert ["first", "second"] == onion.sent
        assert "sent" == receipt.status


@pytest.mark.parametrize("waits", [False, True])
async def test_raising_fails_that_message_only(waits):
    """Out: the error is raised by add(), and stands in the receipt. In: it is told."""

    def handler(data, next):
        if "bad" in data:
            raise LookupError(data)
        return next(data)

    async def slow(data, next):
        await asyncio.sleep(0)
        handler(data, next)

    chosen = slow if waits else handler
    layer = WSInterceptor.handlers(on_send=chosen, on_message=chosen)
    async with Onion(layer) as onion:
        await onion.client.add("1")
        with pytest.raises(LookupError, match="bad"):
            await onion.client.add("bad")
        await onion.client.add("2")
        for data in ("1", "bad", "2"):
            onion.transport.message(data)
        await until_idle()

        assert ["1", "2"] == onion.sent == onion.received()
        assert ["interceptor_raised: bad"] == onion.faults


async def test_any_object_may_travel():
    """So long as the last one hands the wire something that can be sent."""
    layer = WSInterceptor.handlers(
        on_send=lambda data, go: go(str(data["n"])),
        on_message=lambda data, go: go({"n": int(data)}),
    )
    async with Onion(WSInterceptor(), layer) as onion:
        await onion.client.add({"n": 7})
        onion.transport.message("7")

        assert ["7"] == onion.sent
        assert [{"n": 7}] == onion.received()


async def test_what_cannot_be_sent_is_refused():
    """The object that reaches the wire is checked, and the next message goes."""
    layer = WSInterceptor.handlers(
        on_send=lambda data, go: go(3.5 if data == "bad" else data)
    )
    async with Onion(layer) as onion:
        with pytest.raises(WSUnsupportedDataError, match="float cannot be sent"):
            await onion.client.add("bad")
        await onion.client.add("good")

        assert ["good"] == onion.sent


async def test_wrap_observes():
    """Observers, sync or async, are called before the message goes on, unchanged."""
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
    async with Onion(*layers) as onion:
        await onion.client.add("out")
        onion.transport.message("in")
        await until_idle()

        assert [("look", "out"), ("watch", "out"), ("watch", "in")] == seen
        assert ["out"] == onion.sent
        assert ["in"] == onion.received()


async def test_subclass_may_override_one_method():
    """The other direction passes unchanged."""

    class Shout(WSInterceptor):
        def on_send(self, data, next):
            return next(data.upper())

    async with Onion(Shout()) as onion:
        await onion.client.add("a")
        onion.transport.message("a")

        assert ["A"] == onion.sent
        assert ["a"] == onion.received()


@pytest.mark.parametrize("joined", [False, True])
async def test_a_batch_costs_as_much_as_a_message(joined):
    """From the seam into a buffer: at most eight calls, for one or for a thousand."""

    async def calls(*messages):
        async with Onion() as onion:
            onion.reader.close()
            reader = onion.client.stream.subscribe(capacity=1100)
            if joined:
                onion.transport.batch("before")
            called = calls_of(lambda: onion.transport.batch(*messages))
            assert len(at_hand(reader)) == len(messages) + joined
            return called

    def ours(called):
        return [name for name in called if name != "size_of"]  # the fake's own

    one, many = ours(await calls("x" * 60)), ours(await calls(*["x" * 60] * 1000))
    assert one == many
    assert len(one) <= 8, one


class Gate(WSInterceptor):
    """Lets nothing in before it is opened."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()

    async def on_message(self, data, next):
        await self.opened.wait()
        next(data)


async def test_connections_keep_their_place_among_messages():
    """What is done in order with the messages waits for those before it."""
    gate = Gate()
    retry = {"connection_retry_interval": (60, 60)}
    async with Onion(gate, **retry) as onion:
        sessions = onion.client.sessions()
        onion.transport.message("1")
        onion.transport.closed(1006)
        again = begin(onion.client.reconnect())
        second = await onion.connector.opened()
        await again
        second.message("2")
        gate.opened.set()
        await until_idle()

        first = await anext(sessions)
        assert ["1"] == [message async for message in first]
        assert ["2"] == at_hand(aiter(await anext(sessions)))
        assert ["1", "2"] == onion.received()


async def test_disconnecting_forgets_messages_and_keeps_the_end():
    """Nothing is delivered after it, not even what an interceptor holds just now."""
    gate = Gate()
    async with Onion(gate) as onion:
        onion.transport.message("1")
        onion.transport.message("2")
        leaving = begin(onion.client.disconnect())
        await until_idle()
        lost = [one["count"] for one in onion.told.named("messages_discarded")]
        assert [1] == lost, "the one that waited"
        onion.transport.closed(1000, initiator="local")
        await leaving
        gate.opened.set()
        await until_idle()

        assert [] == [message async for message in onion.reader]
        lost = [one["count"] for one in onion.told.named("messages_discarded")]
        assert [1, 1] == lost, "and then the one that was held"


async def test_the_end_leaves_nothing_behind():
    """Before, or while, an interceptor waits: no task, and no warning."""
    before = asyncio.all_tasks()
    for wait in (0, 2):
        async with Onion(slow_tag("", steps=99)) as onion:
            onion.transport.message("1")
            onion.transport.message("2")
            receipt = onion.client.add_nowait("1")
            await turns(wait)
            await abort(onion.client)
            await until_idle()

            assert ([], []) == (onion.received(), onion.sent)
            assert "failed" == receipt.status
            assert before == asyncio.all_tasks()


async def test_backlog_is_reported():
    """Above its capacity the queue asks for a pause, well below for more."""
    async with Onion(slow_tag(""), stream_capacity=4) as onion:
        for number in range(5):
            onion.transport.message(str(number))
        assert [] == onion.transport.pauses
        onion.transport.message("5")
        assert [True] == onion.transport.pauses
        await until_idle()

        assert [True, False] == onion.transport.pauses
        assert list("012345") == onion.received()


async def test_actions_behind_a_backlog_do_not_keep_it_full():
    """Reading goes on when the queue is empty, whatever was the last to leave it."""
    gate = Gate()
    async with Onion(gate, stream_capacity=1) as onion:
        for number in range(3):
            onion.transport.message(str(number))
        assert onion.transport.paused
        feed = onion.client.sessions()  # asked for behind the backlog
        gate.opened.set()
        await until_idle()

        assert not onion.transport.paused
        assert 1 == (await anext(feed)).connection


@pytest.mark.parametrize("how", ["closing", "reconnecting"])
async def test_disconnecting_from_a_connection_that_ends_already(how):
    """Nothing is delivered after the call, though the peer was first to go."""
    gate = Gate()
    async with Onion(gate, connection_retry_interval=(1, 1)) as onion:
        onion.transport.batch("1", "2")
        if how == "closing":
            onion.transport.closing(1001)
        else:
            onion.transport.closed(1006)
        leaving = begin(onion.client.disconnect())
        await until_idle()
        gate.opened.set()
        await until_idle()
        if how == "closing":
            onion.transport.closed(1001, initiator="peer", clean=True)
        await leaving

        assert [] == onion.received()
        lost = [one["count"] for one in onion.told.named("messages_discarded")]
        assert 2 == sum(lost)
