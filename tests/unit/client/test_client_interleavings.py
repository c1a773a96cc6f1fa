"""Any interleaving of what an application and a network may do keeps the promises.

Messages arrive at most once and in order, in both directions. What is not known to have
arrived is reported: by `add()`, by a receipt, or in an event. The tests use the public
fake and virtual time.
"""

import asyncio
from itertools import pairwise
from typing import Any

import looptime
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

import ws
from tests.support.client_helpers import Told
from tests.support.idle import turns, until_idle
from ws.testing import WebSocketClientFake

RETRY = ws.ConnectionRetryInterval(min=1, max=2, min_uptime=0)
END = "the end"

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["add"] * 6
            + ["add_nowait"] * 3
            + ["cancel_add"] * 2
            + ["send_from_peer"] * 6
            + ["recv", "recv", "cancel_recv"]
            + ["subscribe", "read", "leave"]
            + ["drop", "drop", "close", "refuse", "reconnect"]
            + ["turns"] * 3
            + ["wait"] * 2
        ),
        st.integers(0, 5),
    ),
    max_size=60,
)


def is_increasing(numbers: list[int]) -> bool:
    return all(before < after for before, after in pairwise(numbers))


class Late(ws.WSInterceptor):
    """Takes its time over some messages, in both directions."""

    def on_send(self, data, next):
        return self._later(data, next) if data[-1] in "147" else next(data)

    def on_message(self, data, next):
        return self._later(data, next) if data[-1] in "258" else next(data)

    async def _later(self, data, next):
        await turns(2)
        await next(data)


class Piped(WebSocketClientFake):
    """What is sent takes a turn of the loop to arrive, and may be lost meanwhile."""

    add_nowait = None  # type: ignore[assignment]

    async def add(self, data: ws.Data) -> None:
        WebSocketClientFake.add_nowait(self, data)


class World:
    """A client, its server, and what each has done so far."""

    def __init__(self, interceptors, capacity: int) -> None:
        self.events = Told()
        self.fake = Piped()
        options = ws.WebSocketOptions.common(
            connection_retry_interval=RETRY,
            interceptors=interceptors,
            stream_capacity=capacity,
            stream_overflow="pause",
            outbox=ws.Outbox(max_messages=3, overflow="drop_oldest"),
            on_event=self.events,
            heartbeat=None,
        )
        self.client = ws.WebSocketClient.from_client(self.fake, options)
        self.given = 0
        self.adding: dict[int, asyncio.Task[None]] = {}
        self.receipts: dict[int, ws.Receipt] = {}
        self.sent_by_peer = 0
        self.receiving: list[asyncio.Task[ws.Data]] = []
        self.received: list[int] = []
        self.subscribers: list[tuple[Any, list[int]]] = []
        self.background: list[asyncio.Task[None]] = []

    # What the application does

    async def add(self, _index: int) -> None:
        task = asyncio.ensure_future(self.client.add(str(self.given)))
        self.adding[self.given] = task
        self.given += 1
        await turns(1)  # the order of the calls is that in which they begin

    async def add_nowait(self, _index: int) -> None:
        self.receipts[self.given] = self.client.add_nowait(str(self.given))
        self.given += 1

    async def cancel_add(self, index: int) -> None:
        waiting = [task for task in self.adding.values() if not task.done()]
        if waiting:
            waiting[index % len(waiting)].cancel()

    async def recv(self, _index: int) -> None:
        self.receiving.append(asyncio.ensure_future(self._recv()))
        await turns(1)

    async def _recv(self) -> ws.Data:
        message = await self.client.recv()
        self.received.append(int(message))
        return message

    async def cancel_recv(self, index: int) -> None:
        waiting = [task for task in self.receiving if not task.done()]
        if waiting:
            waiting[index % len(waiting)].cancel()

    async def subscribe(self, _index: int) -> None:
        self.subscribers.append((self.client.stream.subscribe(), []))

    async def read(self, index: int) -> None:
        """Read from one, giving up when nothing is there."""
        if not self.subscribers:
            return
        subscriber, seen = self.subscribers[index % len(self.subscribers)]
        reading = asyncio.ensure_future(anext(subscriber))
        await turns(index)
        reading.cancel()
        outcome = await asyncio.gather(reading, return_exceptions=True)
        seen.extend(int(one) for one in outcome if isinstance(one, str))

    async def leave(self, index: int) -> None:
        if self.subscribers:
            self.subscribers.pop(index % len(self.subscribers))[0].close()

    async def reconnect(self, _index: int) -> None:
        self.background.append(asyncio.ensure_future(self.client.reconnect()))
        await turns(1)

    # What the network does

    async def send_from_peer(self, _index: int) -> None:
        if self.fake.state.is_open:
            self.fake.loop_back(str(self.sent_by_peer))
            self.sent_by_peer += 1

    async def drop(self, _index: int) -> None:
        if self.fake.state.is_open:
            self.fake.drop()

    async def close(self, _index: int) -> None:
        if self.fake.state.is_open:
            self.fake.drop(1001, "going away")

    async def refuse(self, _index: int) -> None:
        self.fake.refuse(503)

    async def turns(self, index: int) -> None:
        await turns(index)

    async def wait(self, index: int) -> None:
        await asyncio.sleep(index)

    # The end, and what must hold then

    @property
    def discarded(self) -> int:
        """How many messages were received and reported as discarded."""
        return sum(
            details["count"] for details in self.events.named("messages_discarded")
        )

    async def finish_everything(self) -> None:
        """Let everything end: the network works, and all subscribers read."""
        for task in self.receiving:
            task.cancel()
        await asyncio.gather(*self.receiving, return_exceptions=True)
        await asyncio.gather(*self.background, return_exceptions=True)
        reading = [self._read_up(*one) for one in self.subscribers]
        reading.append(self._receive_up())
        everybody = [asyncio.ensure_future(one) for one in reading]
        await asyncio.sleep(100)
        assert isinstance(self.client.state, ws.Open)
        await asyncio.gather(*self.adding.values(), return_exceptions=True)
        await until_idle()
        self.fake.loop_back(END)
        await asyncio.gather(*everybody)

    async def _read_up(self, subscriber, seen: list[int]) -> None:
        while (message := await anext(subscriber)) != END:
            seen.append(int(message))

    async def _receive_up(self) -> None:
        while (message := await self.client.recv()) != END:
            self.received.append(int(message))

    def check_sent(self) -> None:
        sent = [int(data) for data in self.fake.sent]
        assert is_increasing(sent), "in order, at most once"
        arrived, promised, unknown = set(sent), set[int](), set[int]()
        for number, task in self.adding.items():
            if task.cancelled():
                unknown.add(number)  # it may have gone in the very same turn
            elif task.exception() is None:
                promised.add(number)
            else:
                assert isinstance(task.exception(), ws.WSConnectionClosedError)
                unknown.add(number)
        for number, receipt in self.receipts.items():
            assert receipt.status in {"sent", "dropped"}
            if receipt.status == "sent":
                promised.add(number)
        assert arrived <= promised | unknown, "what is said to be dropped is not sent"
        lost = promised - arrived
        reported = sum(e["count"] for e in self.events.named("messages_unconfirmed"))
        assert len(lost) <= reported, "nothing is lost without a word"
        event(f"lost: {min(len(lost), 3)}")
        statuses = [receipt.status for receipt in self.receipts.values()]
        dropped = statuses.count("dropped") + self.discarded
        assert self.client.metrics.dropped_count == dropped

    def check_received(self) -> None:
        assert is_increasing(self.received)
        came = self.client.metrics.received_count - 1  # END came too
        assert len(self.received) + self.discarded == came, "delivered, or told"
        if not self.background:  # `reconnect()` discards what it has not delivered
            everything = list(range(self.sent_by_peer))
            assert self.received == everything, "the first subscriber gets it"
        for _, seen in self.subscribers:
            assert seen == self.received[len(self.received) - len(seen) :]


async def live(steps, interceptors, capacity: int) -> None:
    world = World(interceptors, capacity)
    async with world.client as client:
        await client.connect("ws://anywhere/")
        client.__aiter__()  # the first subscriber
        for name, index in steps:
            await getattr(world, name)(index)
        await world.finish_everything()
        world.check_sent()
        world.check_received()


@pytest.mark.parametrize("interceptors", [(), (Late(),)], ids=["bare", "late"])
@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, capacity=st.sampled_from([1, 3, 1000]))
def test_interleavings(interceptors, steps, capacity):
    """Order is kept, and nothing is lost or doubled that nobody is told of."""
    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        runner.run(live(steps, interceptors, capacity))
