"""The send queue: errors of transports, the cost of a send, and what it keeps."""

import asyncio
import gc
import sys
from collections import deque
from types import FrameType

import pytest

import ws
from tests.support.call_counter import calls_of
from tests.support.client_driver import opened_anywhere
from tests.support.client_helpers import Told
from tests.support.fake_network import URL, begin, connected, playing
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle
from tests.support.internals import send_queue_of, set_wall_clock

pytestmark = pytest.mark.looptime

RETRY = {"connection_retry_interval": (1, 1)}


class OddError(Exception):
    """An error of a transport that this package does not know."""


# What transports raise


def refusing(wire, *bad):
    """Have a transport raise for these messages."""
    send = wire.send

    def refuse(data, *, text: bool) -> None:
        if data in bad:
            raise OddError(data)
        send(data, text=text)

    wire.send = refuse


@pytest.mark.parametrize("method", ["add", "add_nowait"])
async def test_a_transport_that_raises(method):
    """Its error fails that message alone, and is the cause of ours."""
    connector = FakeConnector()
    async with connected(connector) as (client, wire):
        refusing(wire, "bad")
        with pytest.raises(ws.WSSendError, match="OddError") as caught:
            await getattr(client, method)("bad")
        assert isinstance(caught.value.__cause__, OddError)
        await client.add("good")
        assert (wire.sent, client.state.is_open) == (["good"], True)


async def test_what_waits_behind_a_message_that_the_transport_refuses():
    """Later messages are sent, in order."""
    connector = FakeConnector()
    async with playing(connector) as client:
        asked = begin(client.connect(URL))
        attempt = await connector.next()
        adding = [begin(client.add(text)) for text in ("a", "bad", "b")]
        await until_idle()
        receipts = [client.add_nowait(text) for text in ("bad", "c")]
        refusing(attempt.early(), "bad")
        wire = attempt.open()
        await asked
        await until_idle()
        assert wire.sent == ["a", "b", "c"]
        assert [type(add.exception()) for add in adding] == [
            type(None),
            ws.WSMessageDroppedError,
            type(None),
        ]
        assert [one.status for one in receipts] == ["failed", "sent"]


async def test_a_connection_that_ends_in_the_middle_of_what_waits():
    """The rest is sent over the next connection, in order."""
    connector = FakeConnector()
    async with playing(connector, **RETRY) as client:
        asked = begin(client.connect(URL))
        attempt = await connector.next()
        receipts = [client.add_nowait(text) for text in "abc"]
        wire = attempt.early()
        send = wire.send

        def end_at_b(data, *, text: bool) -> None:
            if data == "b":
                wire.closed()
            send(data, text=text)

        wire.send = end_at_b
        attempt.open()
        again = await connector.opened()
        assert (wire.sent, again.sent) == (["a"], ["b", "c"])
        assert [one.status for one in receipts] == ["sent"] * 3
        await asked


async def test_the_last_connection_ends_in_the_middle_of_what_waits():
    """All that is left fails, and the message that was being sent, too."""
    connector = FakeConnector()
    async with playing(connector) as client:
        begin(client.connect(URL))
        attempt = await connector.next()
        receipts = [client.add_nowait(text) for text in "abc"]
        wire = attempt.early()
        send = wire.send

        def end_at_b(data, *, text: bool) -> None:
            if data == "b":
                wire.closed()
            send(data, text=text)

        wire.send = end_at_b
        attempt.open()
        await until_idle()
        assert [one.status for one in receipts] == ["sent", "failed", "failed"]


async def test_a_transport_that_drains_while_it_is_sent_to():
    """Each message is sent once, in order."""
    connector = FakeConnector()
    async with playing(connector) as client:
        asked = begin(client.connect(URL))
        attempt = await connector.next()
        for text in "abc":
            client.add_nowait(text)
        wire = attempt.early()
        send = wire.send

        def drain(data, *, text: bool) -> None:
            send(data, text=text)
            wire.drain()

        wire.send = drain
        attempt.open()
        await asked
        assert wire.sent == ["a", "b", "c"]


@pytest.mark.parametrize("how", ["disconnect", "close", "connect", "reconnect", "lost"])
async def test_on_event_that_sends_as_the_connection_goes(how):
    """No message is sent over the old connection, whatever ends it."""
    clients, sent, errors = [], [], []

    def send(event) -> None:
        for client in clients:
            try:
                sent.append(client.add_nowait("late").status)
            except ws.WSError as error:
                errors.append(error)

    connector = FakeConnector()
    async with connected(connector, on_event=send, **RETRY) as (client, wire):
        clients.append(client)
        match how:
            case "lost":
                wire.closed()
            case "connect":
                begin(client.connect("ws://other/"))
            case _:
                begin(getattr(client, how)())
        await until_idle()
        assert wire.sent == []
        assert sent or errors
        assert set(sent) <= {"queued"}


async def test_a_session_whose_connection_ends_while_it_waits():
    """Its message fails; other messages are sent over the next connection."""
    connector = FakeConnector()
    async with connected(connector, write_limit=10, **RETRY) as (client, wire):
        session = await anext(client.sessions())
        wire.buffered_amount = 100
        adds = (client.add("a"), session.add("of the session"), client.add("b"))
        adding = [begin(add) for add in adds]
        await until_idle()
        wire.closed()
        again = await connector.opened()
        results = await asyncio.gather(*adding, return_exceptions=True)
        kinds = [type(result) for result in results]
        assert kinds == [type(None), ws.WSConnectionClosedError, type(None)]
        assert (wire.sent, again.sent) == ([], ["a", "b"])


# What grows old


async def test_all_that_waits_is_too_old_when_the_connection_opens(monkeypatch):
    """The expired messages are not sent, and the next message is sent at once."""
    now = [1_000_000.0]
    set_wall_clock(monkeypatch, lambda: now[0])
    connector = FakeConnector()
    async with playing(connector, outbox=ws.Outbox(ttl=60)) as client:
        asked = begin(client.connect(URL))
        attempt = await connector.next()
        receipts = [client.add_nowait(text) for text in "ab"]
        now[0] += 61
        wire = attempt.open()
        await asked
        assert [one.status for one in receipts] == ["expired"] * 2
        assert client.add_nowait("c").status == "sent"
        assert wire.sent == ["c"]


async def test_bytes_that_are_no_text():
    """Bytes that are not UTF-8 are refused as text; others are sent as text."""
    connector = FakeConnector()
    async with connected(connector) as (client, wire):
        for send in (client.add, client.add_nowait):
            with pytest.raises(ws.WSUnsupportedDataError, match="byte 1 of 2"):
                await send(b"a\xff", text=True)
        for data in ("grün".encode(), b"ascii"):
            await client.add(data, text=True)
        assert wire.sent == ["grün", "ascii"]


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest", "error"])
async def test_on_event_that_always_sends_another(overflow):
    """Its own messages may be dropped, too, without an endless recursion."""

    def again(event) -> None:
        if event.name == "message_dropped":
            client.add_nowait("again")

    options = {"outbox": ws.Outbox(max_messages=2, overflow=overflow), **RETRY}
    connector = FakeConnector()
    async with connected(connector, on_event=again, **options) as (client, wire):
        wire.closed()
        statuses = []
        for text in "abcd":
            try:
                statuses.append(client.add_nowait(text).status)
            except ws.WSOutboxFullError:
                statuses.append("full")
        assert len(statuses) == 4
        assert len((await connector.opened()).sent) == 2


# What a send costs


class Text(str):
    """Counts how often it is encoded."""

    __slots__ = ()
    encoded = 0

    def encode(self, *arguments) -> bytes:
        Text.encoded += 1
        return str.encode(self, *arguments)


@pytest.mark.parametrize(("text", "times"), [("hello", 0), ("hällo", 1)])
async def test_text_is_encoded_once(monkeypatch, text, times):
    """Only the transport encodes ASCII; other text is encoded once before it."""
    monkeypatch.setattr(Text, "encoded", 0)
    handed = []
    connector = FakeConnector()
    async with connected(connector) as (client, wire):
        wire.send = lambda data, *, text: handed.append((data, text))
        await client.add(Text(text))
        assert Text.encoded == times
        client.add_nowait(Text(text))
        assert Text.encoded == 2 * times
        payload = text.encode() if times else text
        assert handed == [(payload, True)] * 2
        assert client.metrics.transferred_size == 2 * len(text.encode())


async def test_add_on_an_open_connection():
    """It costs one coroutine, no task, and the same few calls each time."""
    connector = FakeConnector()
    async with opened_anywhere(connector) as (client, wire):
        await client.add("before")

        def add() -> None:
            with pytest.raises(StopIteration):
                client.add("x").send(None)

        tasks = asyncio.all_tasks()
        called = calls_of(add)
        assert called == calls_of(add)
        assert len([name for name in called if "Fake" not in name]) <= 16, called
        assert asyncio.all_tasks() == tasks
        assert wire.sent == ["before", "x", "x"]


async def test_an_idle_client_holds_one_object():
    """Its send queue has no container before and after messages have waited."""
    connector = FakeConnector()
    async with connected(connector, **RETRY) as (client, wire):
        queue = send_queue_of(client)
        kinds = (deque, dict, list, set)

        def containers():
            referents = gc.get_referents(queue)
            return [one for one in referents if isinstance(one, kinds)]

        assert not hasattr(queue, "__dict__")
        assert containers() == []
        before = gc.get_referents(queue)
        wire.closed()
        adding = [begin(client.add(text)) for text in "abc"]
        receipts = [client.add_nowait(text) for text in "abc"]
        await until_idle()
        assert len(gc.get_referents(queue)) == len(before)
        await connector.opened()
        await asyncio.gather(*adding, *receipts)
        assert containers() == []
        assert [type(one) for one in gc.get_referents(queue)] == list(map(type, before))


class Work:
    """Count the byte-code instructions of our code."""

    def __init__(self) -> None:
        self.done = 0

    def trace(self, frame: FrameType, event: str, _: object):
        if not frame.f_globals.get("__name__", "").startswith("ws"):
            return None
        frame.f_trace_opcodes = True
        self.done += event == "opcode"
        return self.trace

    def __enter__(self):
        gc.collect()
        gc.disable()  # else finalizers of earlier tests are counted
        self._before = sys.gettrace()
        # Python 3.12 counts only where a frame has asked for it before this call.
        sys._getframe().f_trace_opcodes = True
        sys.settrace(self.trace)
        return self

    def __exit__(self, *exc: object) -> None:
        sys.settrace(self._before)
        gc.enable()


@pytest.fixture
def comparisons(monkeypatch):
    """Count how often a waiting message or send is compared with another one."""
    from ws_common.send.intercepted_send import InterceptedSend  # noqa: PLC0415
    from ws_common.send.queued_message import QueuedMessage  # noqa: PLC0415

    counted = [0]

    def equal(one: object, other: object) -> bool:
        counted[0] += 1
        return one is other

    for kind in (QueuedMessage, InterceptedSend):
        monkeypatch.setattr(kind, "__eq__", equal)
        monkeypatch.setattr(kind, "__hash__", object.__hash__)
    return counted


async def work_with(count: int, act, comparisons, **options) -> tuple[int, int]:
    """Measure what `act` costs while so many messages wait for a connection."""
    connector, told = FakeConnector(), Told()
    options = {"on_event": told, **RETRY, **options}
    async with connected(connector, **options) as (client, wire):
        wire.closed()
        adding = [begin(client.add("add")) for _ in range(count)]
        await until_idle()
        for _ in range(count):
            client.add_nowait("add_nowait")
        comparisons[0] = 0
        with Work() as work:
            await act(client, adding)
        costs = work.done, comparisons[0]
        for add in adding:
            add.cancel()
        await until_idle()
        return costs


async def nowait(client, adding) -> None:
    client.add_nowait("one more")


async def cancel_in_the_middle(client, adding) -> None:
    adding[len(adding) // 2].cancel()
    await until_idle()


async def cancel_a_wait_for_a_receipt(client, adding) -> None:
    receipt = client.add_nowait("one more")
    waiting = [begin(asyncio.wait_for(receipt, 1000)) for _ in range(10)]
    await until_idle()
    waiting[5].cancel()
    await until_idle()
    for one in waiting:
        one.cancel()
    await until_idle()


@pytest.mark.parametrize(
    "act", [nowait, cancel_in_the_middle, cancel_a_wait_for_a_receipt]
)
@pytest.mark.parametrize(
    "outbox",
    [
        {"max_messages": 10**6},
        {"max_messages": 10**6, "ttl": 1000},
        {"overflow": "drop_oldest", "max_messages": 20},
    ],
    ids=["plain", "ttl", "drop_oldest"],
)
async def test_work_does_not_grow_with_what_waits(act, outbox, comparisons):
    """One more send, or one fewer, costs the same behind 20 messages and behind 800."""
    options = {"outbox": ws.Outbox(**outbox)}
    few = await work_with(20, act, comparisons, **options)
    many = await work_with(800, act, comparisons, **options)
    assert many[0] <= few[0] * 1.1
    assert many[1] <= few[1] + 8  # two hashes may happen to be the same


async def test_work_in_line_does_not_grow(comparisons):
    """The same for sends that wait until an interceptor has handled another."""
    costs = []
    for count in (20, 800):

        class Slow(ws.WSInterceptor):
            async def on_send(self, data, next, until=asyncio.Event()):  # noqa: B008
                await until.wait()

        connector = FakeConnector()
        async with connected(connector, interceptors=[Slow()]) as (client, _):
            adding = [begin(client.add("x")) for _ in range(count)]
            await until_idle()
            comparisons[0] = 0
            with Work() as work:
                await cancel_in_the_middle(client, adding)
                adding.append(begin(client.add("x")))
                await until_idle()
            costs.append((work.done, comparisons[0]))
            for add in adding:
                add.cancel()
            await until_idle()
    (few, fewer), (many, more) = costs
    assert many <= few * 1.1
    assert more <= fewer + 8


async def test_all_of_a_long_queue_costs_the_same_each(comparisons):
    """The cost of sending a long queue is linear in the number of messages."""
    costs = []
    for count in (50, 500):
        connector = FakeConnector()
        box = ws.Outbox(max_messages=10**6, ttl=10_000)
        async with connected(connector, outbox=box, **RETRY) as (client, wire):
            wire.closed()
            for _ in range(count):
                client.add_nowait("x")
            with Work() as work:
                again = await connector.opened()
            assert len(again.sent) == count
            costs.append(work.done / count)
    assert costs[1] <= costs[0] * 1.1
