"""Sends through interceptors: outcomes of receipts, cancellation, calls from inside."""

import asyncio
import threading

import pytest

import ws
from tests.support.client_helpers import Told
from tests.support.fake_network import URL, abort, begin, connected, ended, playing
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle
from tests.support.interceptors import Keeping

pytestmark = pytest.mark.looptime

RETRY = {"connection_retry_interval": (1, 1)}


class Stuck(ws.WSInterceptor):
    """Hold the message "stuck" until the test releases it."""

    def __init__(self) -> None:
        self.released = asyncio.Event()
        self.errors = []

    async def on_send(self, data, next):
        if data == "stuck":
            await self.released.wait()
        try:
            await next(data)
        except ws.WSError as error:
            self.errors.append(error)
            raise


def on_send(function) -> ws.WSInterceptor:
    return ws.WSInterceptor.handlers(on_send=function)


# What a receipt says


async def test_the_first_of_several_counts():
    """The receipt shows the outcome of the first message that is handed on."""

    def twice(data, next):
        next(data + "1")
        next(data + "2")

    options = {"outbox": ws.Outbox(max_messages=1, overflow="drop_newest"), **RETRY}
    connector = FakeConnector()
    async with connected(connector, interceptors=[on_send(twice)], **options) as (
        client,
        wire,
    ):
        wire.closed()
        receipt = client.add_nowait("m")
        assert (receipt.status, client.metrics.dropped_count) == ("queued", 1)
        again = await connector.opened()
        assert (receipt.status, again.sent) == ("sent", ["m1"])


async def test_let_go_later():
    """The message is dropped as soon as nobody can call `next` any more."""
    keeping, connector = Keeping(), FakeConnector()
    async with connected(connector, interceptors=[keeping]) as (client, wire):
        receipts = [client.add_nowait(text) for text in "ab"]
        assert [one.status for one in receipts] == ["queued", "queued"]
        del keeping.kept[0]
        assert [one.status for one in receipts] == ["dropped", "queued"]
        with pytest.raises(ws.WSMessageDroppedError, match="did not hand"):
            await receipts[0]
        keeping.kept.pop()("b")
        assert (receipts[1].status, wire.sent) == ("sent", ["b"])


async def test_let_go_in_another_thread():
    """The receipt is resolved in the client's loop, not in the other thread."""
    keeping, connector = Keeping(), FakeConnector()
    async with connected(connector, interceptors=[keeping]) as (client, _):
        receipt = client.add_nowait("a")
        waiting = begin(asyncio.wait_for(receipt, 10))
        await until_idle()
        thread = threading.Thread(target=keeping.kept.clear)
        thread.start()
        thread.join()
        assert receipt.status == "queued"
        await asyncio.wait({waiting})
        assert receipt.status == "dropped"


def test_let_go_after_the_loop():
    """A finalizer after the end of the loop raises nothing."""
    keeping, connector = Keeping(), FakeConnector()

    async def main() -> None:
        client = ws.WebSocketClient(connector.options(interceptors=[keeping]))
        begin(client.connect(URL))
        await connector.opened()
        client.add_nowait("a")

    asyncio.run(main())
    thread = threading.Thread(target=keeping.kept.clear)
    thread.start()
    thread.join()
    assert keeping.kept == []


@pytest.mark.parametrize("how", ["disconnect", "close", "connect"])
async def test_given_up_while_an_interceptor_keeps_it(how):
    """The receipt has failed, and `next` sends nothing to another server."""
    keeping, connector = Keeping(), FakeConnector()
    async with connected(connector, interceptors=[keeping]) as (client, wire):
        receipt = client.add_nowait("a")
        wires = [wire]
        if how == "connect":
            begin(client.connect("ws://other/"))
            wires.append(await connector.opened())
        else:
            asked = begin(getattr(client, how)())
            await until_idle()
            wire.closed(1000, initiator="local")
            await asked
        assert receipt.status == "failed"
        with pytest.raises(ws.WSError):
            await receipt
        with pytest.raises(ws.WSError):
            keeping.kept.pop()("a")
        assert [one.sent for one in wires] == [[]] * len(wires)


@pytest.mark.parametrize("waits", [False, True], ids=["sync", "async"])
async def test_raising_after_next(waits):
    """A message that was sent stays sent; one that waits fails with the error."""
    told = Told()

    async def later(data, next):
        await asyncio.sleep(0)
        next(data)
        await asyncio.sleep(0)
        raise LookupError(data)

    def at_once(data, next):
        next(data)
        raise LookupError(data)

    connector = FakeConnector()
    chosen = on_send(later if waits else at_once)
    options = {"interceptors": [chosen], "on_event": told, **RETRY}
    async with connected(connector, **options) as (client, wire):
        with pytest.raises(LookupError):
            await client.add("a")
        if waits:
            receipt = client.add_nowait("b")
            await until_idle()
            assert receipt.status == "sent"
            assert len(told.named("interceptor_raised")) == 1
        wire.closed()
        with pytest.raises(LookupError):
            await client.add("c")
        if waits:
            receipt = client.add_nowait("d")
            await until_idle()
            assert receipt.status == "failed"
            with pytest.raises(ws.WSMessageDroppedError, match="LookupError"):
                await receipt
        else:
            with pytest.raises(LookupError):
                client.add_nowait("d")
        assert len(told.named("interceptor_raised")) == waits
        again = await connector.opened()
        assert again.sent == []
        assert wire.sent == (["a", "b"] if waits else ["a"])


async def test_next_after_raising():
    """A message that has failed is not sent afterwards."""
    kept = []

    def bad(data, next):
        kept.append(next)
        raise LookupError(data)

    connector = FakeConnector()
    async with connected(connector, interceptors=[on_send(bad)]) as (client, wire):
        with pytest.raises(LookupError):
            await client.add("a")
        with pytest.raises(LookupError):
            client.add_nowait("b")
        for hand_on in kept:
            with pytest.raises(ws.WSMessageDroppedError):
                hand_on("late")
        assert wire.sent == []


async def test_what_comes_late_takes_room_in_the_outbox():
    """A message handed on late counts in the outbox, as no caller waits for it."""
    keeping, connector = Keeping(), FakeConnector()
    options = {"interceptors": [keeping], "outbox": ws.Outbox(max_messages=1), **RETRY}
    async with connected(connector, **options) as (client, wire):
        for text in "ab":
            await client.add(text)
        wire.closed()
        keeping.kept[0]("a")
        with pytest.raises(ws.WSOutboxFullError):
            keeping.kept[1]("b")
        assert (await connector.opened()).sent == ["a"]


async def test_an_unsendable_object_may_be_followed_by_another():
    """A refused message does not count; the receipt is that of the next one."""

    def careful(data, next):
        try:
            next(object())
        except ws.WSUnsupportedDataError:
            next(data)

    connector = FakeConnector()
    async with connected(connector, interceptors=[on_send(careful)]) as (client, wire):
        assert client.add_nowait("a").status == "sent"
        assert wire.sent == ["a"]


# Cancellation


async def test_what_was_cancelled_says_so():
    """The error names `on_send`, and its cause is the cancellation."""

    def asks_for_the_result(data, next):
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        future.result()

    connector = FakeConnector()
    asking = on_send(asks_for_the_result)
    async with connected(connector, interceptors=[asking]) as (client, _):
        for send in (client.add, client.add_nowait):
            with pytest.raises(ws.WSSendError, match="on_send") as caught:
                await send("a")
            assert isinstance(caught.value.__cause__, asyncio.CancelledError)


@pytest.mark.parametrize("where", ["interceptor", "line"])
async def test_a_cancelled_add_is_cancelled(where):
    """A call that is cancelled raises CancelledError; the others go on."""
    stuck, connector = Stuck(), FakeConnector()
    async with connected(connector, interceptors=[stuck]) as (client, wire):
        adding = [begin(client.add(text)) for text in ("stuck", "a", "b")]
        await until_idle()
        cancelled = adding.pop(0 if where == "interceptor" else 1)
        cancelled.cancel()
        await until_idle()
        assert cancelled.cancelled()
        stuck.released.set()
        await asyncio.gather(*adding)
        expected = ["a", "b"] if where == "interceptor" else ["stuck", "b"]
        assert wire.sent == expected


async def test_a_timeout_around_add():
    """`asyncio.timeout()`, which uses cancellation, works as usual."""
    connector = FakeConnector()
    async with connected(connector, interceptors=[Stuck()]) as (client, wire):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await client.add("stuck")
        await client.add("a")
        assert wire.sent == ["a"]


# An interceptor that never ends


async def test_a_stuck_interceptor_holds_up_no_other_connection():
    """Messages behind it fail with the connection, and new messages pass."""
    stuck, connector = Stuck(), FakeConnector()
    async with connected(connector, interceptors=[stuck]) as (client, _):
        adding = [begin(client.add(text)) for text in ("stuck", "a", "b")]
        await until_idle()
        receipt = client.add_nowait("c")
        await until_idle()
        begin(client.connect("ws://other/"))
        wire = await connector.opened()
        await until_idle()
        assert [add.done() for add in adding] == [False, True, True]
        assert isinstance(adding[1].exception(), ws.WSNotConnectedError)
        assert receipt.status == "failed"
        await client.add("d")
        stuck.released.set()
        with pytest.raises(ws.WSNotConnectedError):
            await adding[0]
        assert [type(error) for error in stuck.errors] == [ws.WSNotConnectedError]
        assert wire.sent == ["d"]


async def test_sends_of_a_session_keep_their_order():
    """They keep it before the opening, too, however long an interceptor takes."""

    async def slow(data, next):
        await asyncio.sleep(5 - int(data))
        await next(data)

    async def greet(session: ws.Session) -> None:
        await asyncio.gather(*(session.add(str(number)) for number in range(4)))

    connector = FakeConnector()
    options = {"interceptors": [on_send(slow)], "after_connect": greet}
    async with playing(connector, **options) as client:
        connecting = begin(client.connect(URL))
        wire = await connector.opened()
        await connecting
        assert wire.sent == list("0123")


# Calls from inside


@pytest.mark.parametrize("waits", [False, True], ids=["sync", "async"])
async def test_add_nowait_inside(waits):
    """It raises like `add()`, in a task and in a callback of the loop."""
    errors = []

    def call(data, next):
        try:
            client.add_nowait("inner")
        except ws.WSSendError as error:
            errors.append(error)
        return next(data)

    async def call_later(data, next):
        await asyncio.sleep(0)
        await call(data, next)

    connector = FakeConnector()
    calling = on_send(call_later if waits else call)
    async with connected(connector, interceptors=[calling]) as (client, wire):
        await client.add("a")
        client.add_nowait("b")
        asyncio.get_running_loop().call_soon(client.add_nowait, "c")
        await until_idle()
        assert [str(error)[:23] for error in errors] == ["add_nowait() inside on_"] * 3
        assert wire.sent == ["a", "b", "c"]


async def test_add_of_the_session_inside():
    """A session's own interceptors may not send on it either."""
    errors, sessions = [], []

    async def call(data, next):
        if data == "outer":
            with pytest.raises(ws.WSSendError, match="inside on_send") as caught:
                await sessions[-1].add("inner")
            errors.append(caught.value)
        await next(data)

    async def greet(session: ws.Session) -> None:
        sessions.append(session)
        await session.add("outer")

    connector = FakeConnector()
    options = {"interceptors": [on_send(call)], "after_connect": greet}
    async with playing(connector, **options) as client:
        connecting = begin(client.connect(URL))
        wire = await connector.opened()
        await connecting
        assert (wire.sent, len(errors)) == (["outer"], 1)
        sessions.append(await anext(client.sessions()))
        await sessions[-1].add("outer")
        assert (wire.sent, len(errors)) == (["outer"] * 2, 2)


async def test_a_task_that_an_interceptor_starts_may_send():
    """That task is not inside the interceptor; its message waits and is sent."""
    tasks = []

    async def starting(data, next):
        if data == "outer":
            tasks.append(begin(client.add("inner")))
            await until_idle()
        await next(data)

    connector = FakeConnector()
    async with connected(connector, interceptors=[on_send(starting)]) as (client, wire):
        await client.add("outer")
        await tasks[0]
        assert wire.sent == ["outer", "inner"]


async def test_another_client_inside():
    """An interceptor may send with another client, which does not wait for it."""
    other_connector, connector = FakeConnector(), FakeConnector()

    async def relay(data, next):
        await other.add(data)
        await next(data)

    async with (
        connected(other_connector, interceptors=[ws.WSInterceptor()]) as (other, far),
        connected(connector, interceptors=[on_send(relay)]) as (client, near),
    ):
        await client.add("a")
        assert far.sent == near.sent == ["a"]


async def test_on_event_that_sends_while_an_interceptor_hands_on():
    """`on_event` may send, although an interceptor has caused the event."""
    receipts = []

    def replace(event) -> None:
        if event.name == "message_dropped" and not receipts:
            receipts.append(client.add_nowait("instead"))

    connector = FakeConnector()
    options = {
        "interceptors": [ws.WSInterceptor()],
        "outbox": ws.Outbox(max_messages=2, overflow="drop_oldest"),
        "on_event": replace,
        **RETRY,
    }
    async with connected(connector, **options) as (client, wire):
        wire.closed()
        mine = [client.add_nowait(text) for text in "abc"]
        await until_idle()
        assert [one.status for one in mine] == ["dropped", "dropped", "queued"]
        assert (await connector.opened()).sent == ["c", "instead"]
        assert receipts[0].status == "sent"


async def test_disconnect_inside():
    """It ends the connection and fails its own message, without a deadlock."""

    async def leaving(data, next):
        await client.disconnect()
        await next(data)

    connector = FakeConnector()
    async with connected(connector, interceptors=[on_send(leaving)]) as (client, wire):
        receipt = client.add_nowait("a")
        await until_idle()
        assert (wire.closes[0][0], receipt.status) == (1000, "failed")
        wire.closed(1000, initiator="local")
        await until_idle()
        assert isinstance(client.state, ws.Closed)
        begin(client.connect(URL))
        again = await connector.opened()
        adding = begin(client.add("b"))
        await until_idle()
        again.closed(1000, initiator="local")
        assert await ended(adding)
        assert isinstance(adding.exception(), ws.WSNotConnectedError)


async def test_cancelled_before_it_began():
    """Tasks that are cancelled before they began leave no coroutine unawaited."""
    stuck, connector = Stuck(), FakeConnector()
    async with connected(connector, interceptors=[stuck]) as (client, _):
        receipts = [client.add_nowait(text) for text in ("stuck", "a")]
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            if task.get_name() == "ws add_nowait":
                task.cancel()
        await until_idle()
        assert [one.status for one in receipts] == ["failed", "failed"]
        await client.add("b")
        await abort(client)
