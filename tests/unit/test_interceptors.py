"""Interceptors: an onion in both directions, whatever its layers do."""

import asyncio
from collections.abc import Awaitable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ws_common.buffer import Limits
from ws_common.errors import WSUnsupportedDataError
from ws_common.interceptors import WSInterceptor
from ws_common.messages import payload_size
from ws_common.options import WebSocketOptions
from ws_common.outbound import Outbound
from ws_common.receive_pipeline import Incoming, ReceivePipeline


class Wire:
    """A connection that takes everything."""

    above_limit = False

    def __init__(self) -> None:
        self.sent: list[object] = []

    def send(self, data: object, *, text: bool) -> None:
        self.sent.append(data)


class Application:
    """Where messages come out."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.received: list[object] = []

    def publish(self, batch, _size, _connection) -> None:
        self.received.extend(batch)

    def on_drop(self, _buffer, count: int) -> None:
        pytest.fail(f"{count} messages dropped")

    full = ()


class WayIn:
    """A pipeline, and one open connection that feeds it."""

    def __init__(self, interceptors, capacity: int = 100) -> None:
        self.faults: list[str] = []
        self.lost: list[int] = []
        self.told: list[bool] = []
        limits = Limits(capacity, None, "pause")
        self.pipeline = ReceivePipeline(
            interceptors,
            limits,
            report=self._report,
            count_discarded=self.lost.append,
            on_drop=pytest.fail,
            on_pressure=self._pressed,
        )
        self.application = self.pipeline.messages = Application(limits)
        self.incoming = Incoming(self.pipeline, 1)
        self.incoming.opened()

    def _report(self, name: str, error: Exception) -> None:
        self.faults.append(f"{name}: {error}")

    def _pressed(self) -> None:
        self.told.append(self.incoming.should_pause)

    def publish(self, *items: object) -> None:
        self.incoming.push(items, sum(map(payload_size, items)))

    def call(self, action) -> None:
        self.pipeline.call(action)

    def stop(self) -> None:
        self.pipeline.stop()


def way_out(*interceptors: WSInterceptor) -> tuple[Outbound, Wire]:
    options = WebSocketOptions(interceptors=interceptors)
    outbound = Outbound(options, lambda: None, lambda _entry, _why: None)
    wire = Wire()
    outbound.open(wire)
    return outbound, wire


def way_in(*interceptors: WSInterceptor) -> tuple[WayIn, list[object], list[str]]:
    way = WayIn(interceptors)
    return way, way.application.received, way.faults


async def turns(count: int = 30) -> None:
    """Let everything run that can."""
    for _ in range(count):
        await asyncio.sleep(0)


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
    outbound, wire = way_out(*layers)
    inbound, received, _ = way_in(*layers)

    await outbound.add("out ", text=None)
    inbound.publish("in ")
    await turns()

    assert ["out abc"] == wire.sent
    assert ["in cba"] == received


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_next_as_often_as_you_like(count):
    """Not calling `next` drops a message; calling it more often multiplies it."""

    def handler(data, next):
        for number in range(count):
            next(f"{data}{number}")

    layer = WSInterceptor.handlers(on_send=handler, on_message=handler)
    outbound, wire = way_out(layer)
    inbound, received, faults = way_in(layer)

    await outbound.add("m", text=None)
    receipt = outbound.add_nowait("n", text=None)
    inbound.publish("m")

    expected = [f"m{number}" for number in range(count)]
    assert expected == received
    assert [*expected, *(f"n{number}" for number in range(count))] == wire.sent
    assert "queued" != receipt.status
    assert [] == faults


async def test_next_may_be_called_late():
    """A message that is held and let go later arrives then."""
    held = []
    hold = WSInterceptor.handlers(
        on_send=lambda data, go: held.append((go, data)),
        on_message=lambda data, go: held.append((go, data)),
    )
    outbound, wire = way_out(tag("a"), hold)
    inbound, received, _ = way_in(tag("a"), hold)

    await outbound.add("out ", text=None)
    inbound.publish("in ")
    assert ([], []) == (wire.sent, received)
    for go, data in held:
        go(data)

    assert ["out a"] == wire.sent
    assert ["in a"] == received


async def test_result_of_next_may_be_ignored():
    """A synchronous layer around a synchronous one need not return anything."""

    def handler(data, next):
        next(data)

    layer = WSInterceptor.handlers(on_send=handler, on_message=handler)
    outbound, wire = way_out(layer, tag("a"))
    inbound, received, _ = way_in(tag("a"), layer)

    await outbound.add("m", text=None)
    inbound.publish("m")

    assert ["ma"] == wire.sent == received


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
        inbound, received, faults = way_in(mixed(0, plan), mixed(1, plan))
        for number in range(len(plan)):
            inbound.publish(str(number))
            if number % 3:
                await asyncio.sleep(0)
        await turns(20 * len(plan))
        assert list(map(str, range(len(plan)))) == received
        assert [] == faults

    asyncio.run(main())


@given(plan=MIX, nowait=st.lists(st.booleans(), min_size=12, max_size=12))
def test_order_out(plan, nowait):
    """Whoever calls, add() or add_nowait(), and whatever waits: it is sent in order."""

    async def main():
        outbound, wire = way_out(mixed(0, plan), mixed(1, plan))
        waiting = []
        for number in range(len(plan)):
            if nowait[number]:
                outbound.add_nowait(str(number), text=None)
            else:
                # As a task that has begun: the call has been made.
                add = asyncio.ensure_future(outbound.add(str(number), text=None))
                waiting.append(add)
                await asyncio.sleep(0)
        await asyncio.gather(*waiting)
        await turns(20 * len(plan))
        assert list(map(str, range(len(plan)))) == wire.sent

    asyncio.run(main())


async def test_add_does_not_overtake_add_nowait():
    """The message that was given first goes first, though it has to wait."""
    outbound, wire = way_out(slow_tag("", steps=3))

    receipt = outbound.add_nowait("first", text=None)
    await outbound.add("second", text=None)

    assert ["first", "second"] == wire.sent
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
    outbound, wire = way_out(layer)
    inbound, received, faults = way_in(layer)

    await outbound.add("1", text=None)
    with pytest.raises(LookupError, match="bad"):
        await outbound.add("bad", text=None)
    await outbound.add("2", text=None)
    for data in ("1", "bad", "2"):
        inbound.publish(data)
    await turns()

    assert ["1", "2"] == wire.sent == received
    assert ["interceptor_raised: bad"] == faults


async def test_any_object_may_travel():
    """So long as the last one hands the wire something that can be sent."""
    layer = WSInterceptor.handlers(
        on_send=lambda data, go: go(str(data["n"])),
        on_message=lambda data, go: go({"n": int(data)}),
    )
    outbound, wire = way_out(WSInterceptor(), layer)
    inbound, received, _ = way_in(WSInterceptor(), layer)

    await outbound.add({"n": 7}, text=None)
    inbound.publish("7")

    assert ["7"] == wire.sent
    assert [{"n": 7}] == received


async def test_what_cannot_be_sent_is_refused():
    """The object that reaches the wire is checked, and the next message goes."""
    layer = WSInterceptor.handlers(
        on_send=lambda data, go: go(3.5 if data == "bad" else data)
    )
    outbound, wire = way_out(layer)

    with pytest.raises(WSUnsupportedDataError, match="float cannot be sent"):
        await outbound.add("bad", text=None)
    await outbound.add("good", text=None)

    assert ["good"] == wire.sent


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
    outbound, wire = way_out(*layers)
    inbound, received, _ = way_in(*layers)

    await outbound.add("out", text=None)
    inbound.publish("in")
    await turns()

    assert [("look", "out"), ("watch", "out"), ("watch", "in")] == seen
    assert ["out"] == wire.sent
    assert ["in"] == received


async def test_subclass_may_override_one_method():
    """The other direction passes unchanged."""

    class Shout(WSInterceptor):
        def on_send(self, data, next):
            return next(data.upper())

    outbound, wire = way_out(Shout())
    inbound, received, _ = way_in(Shout())

    await outbound.add("a", text=None)
    inbound.publish("a")

    assert ["A"] == wire.sent
    assert ["a"] == received


async def test_without_interceptors_nothing_is_between():
    """Messages go straight to where they are wanted."""
    inbound, received, _ = way_in()
    inbound.publish("1", "2")

    assert ["1", "2"] == received


async def test_actions_keep_their_place_among_messages():
    """What is done in order with the messages waits for those before it."""
    inbound, received, _ = way_in(slow_tag("", steps=2))
    inbound.publish("1")
    inbound.call(lambda: received.append("between"))
    inbound.publish("2")
    await turns()

    assert ["1", "between", "2"] == received


async def test_discard_forgets_messages_and_keeps_actions():
    """Nothing is delivered after it, not even what an interceptor holds just now."""
    inbound, received, _ = way_in(slow_tag("", steps=2))
    inbound.publish("1")
    inbound.publish("2")
    inbound.call(lambda: received.append("action"))
    inbound.incoming.discard()
    await turns()

    assert ["action"] == received
    assert [1, 1] == inbound.lost, "the one that waited, then the one that was held"


async def test_stop_leaves_nothing_behind():
    """Stopped before, or while, an interceptor waits: no task, and no warning."""
    before = asyncio.all_tasks()
    for wait in (0, 2):
        inbound, received, _ = way_in(slow_tag("", steps=9))
        outbound, wire = way_out(slow_tag("", steps=9))
        inbound.publish("1")
        inbound.publish("2")
        receipt = outbound.add_nowait("1", text=None)
        await turns(wait)
        inbound.stop()
        outbound.stop()
        await turns()

        assert ([], []) == (received, wire.sent)
        assert "failed" == receipt.status
        assert before == asyncio.all_tasks()


async def test_backlog_is_reported():
    """Above its capacity the queue asks for a pause, well below for more."""
    inbound = WayIn((slow_tag(""),), capacity=4)
    for number in range(5):
        inbound.publish(str(number))
    assert [] == inbound.told
    inbound.publish("5")
    assert [True] == inbound.told
    await turns()

    assert [True, False] == inbound.told
