"""Interceptors: they keep the order, and a fault affects one message only.

Runs unchanged inside Pyodide: no plug-ins, no threads, no sockets here.
"""

import asyncio

import pytest

import ws
from tests.support.client_helpers import LATER, Told, go_away, until
from tests.support.idle import turns, until_idle

pytestmark = pytest.mark.usefixtures("sockets")


class Mixed(ws.WSInterceptor):
    """Sync for some messages and async for others, in both directions."""

    def on_send(self, data, next):
        return self._later(data, next) if int(data) % 3 == 0 else next(data)

    def on_message(self, data, next):
        return self._later(data, next) if int(data) % 3 == 1 else next(data)

    async def _later(self, data, next):
        await turns(int(data) % 4)
        await next(data)


class Holding(ws.WSInterceptor):
    """Holds all messages until it is released."""

    def __init__(self) -> None:
        self.held: list[object] = []
        self.released = asyncio.Event()

    async def on_send(self, data, next):
        self.held.append(data)
        await self.released.wait()
        await next(data)

    async def on_message(self, data, next):
        await self.on_send(data, next)


def using(*interceptors, **more) -> ws.WebSocketOptions:
    return ws.WebSocketOptions.common(interceptors=interceptors, **more)


async def test_order(server):
    """The order is kept, however long each handler takes, for every way to send."""
    async with ws.connect(server("/echo"), using(Mixed())) as client:
        adding, receipts = [], []
        for number in range(60):
            if number % 2:
                receipts.append(client.add_nowait(str(number)))
            else:
                adding.append(asyncio.ensure_future(client.add(str(number))))
                await turns(number % 3 + 1)
        received = [await client.recv() for _ in range(60)]
        assert received == [str(number) for number in range(60)]
        await asyncio.gather(*adding, *receipts)
        assert {receipt.status for receipt in receipts} == {"sent"}


async def test_add_right_behind_add_nowait(server):
    """The first call is sent first, even if its handler has to wait."""
    async with ws.connect(server("/echo"), using(Mixed())) as client:
        for _ in range(3):
            client.add_nowait("3")
            await client.add("6")
            client.add_nowait("1")
        received = [await client.recv() for _ in range(9)]
        assert received == ["3", "6", "1"] * 3


async def test_order_of_the_chain(server):
    """The first interceptor is nearest to the application, in both directions."""
    log = []

    def logging(name):
        return ws.WSInterceptor.wrap(
            on_send=lambda _: log.append(f"{name} out"),
            on_message=lambda _: log.append(f"{name} in"),
        )

    options = using(logging("first"), logging("last"))
    async with ws.connect(server("/echo"), options) as client:
        await client.add("x")
        await client.recv()
    assert log == ["first out", "last out", "last in", "first in"]


async def test_many_calls_of_next_or_none(server):
    """A handler may multiply or swallow messages, and the receipt tells."""

    def on_send(data, next):
        for part in data.split():
            next(part)

    async def on_message(data, next):
        await turns(1)
        if data != "c":
            await next(data)
            await next(data.upper())

    handlers = ws.WSInterceptor.handlers(on_send=on_send, on_message=on_message)
    async with ws.connect(server("/echo"), using(handlers)) as client:
        await client.add("a b")
        await client.add("")
        split, nothing = client.add_nowait("c d"), client.add_nowait(" ")
        received = [await client.recv() for _ in range(6)]
        assert received == ["a", "A", "b", "B", "d", "D"]
        await split
        with pytest.raises(ws.WSMessageDroppedError):
            await nothing


async def test_next_called_late(server):
    """A handler may return first, and pass the message on later."""
    kept = []

    def on_send(data, next):
        kept.append((data, next))

    batch = ws.WSInterceptor.handlers(on_send=on_send)
    async with ws.connect(server("/echo"), using(batch)) as client:
        await client.add("a")
        await client.add("b")
        for data, next_ in kept:
            next_(data)
        assert [await client.recv() for _ in range(2)] == ["a", "b"]


@pytest.mark.parametrize("waits", [False, True], ids=["sync", "async"])
async def test_one_that_raises(server, waits):
    """It costs that message: calls raise, and `on_event` reports a received one."""
    told = Told()

    def check(data, next):
        if data in {"bad out", "bad in"}:
            raise ValueError(data)
        return next(data)

    async def check_later(data, next):
        await turns(1)
        await check(data, next)

    chosen = check_later if waits else check

    def check_out(data, next):
        return next(data) if data == "bad in" else chosen(data, next)

    checks = ws.WSInterceptor.handlers(on_message=chosen, on_send=check_out)
    options = using(checks, on_event=told)
    async with ws.connect(server("/echo"), options) as client:
        await client.add("one")
        with pytest.raises(ValueError, match="bad out"):
            await client.add("bad out")
        await client.add("bad in")
        if waits:
            receipt = client.add_nowait("bad out")
            with pytest.raises(ws.WSMessageDroppedError) as caught:
                await receipt
            assert isinstance(caught.value.__cause__, ValueError)
            assert receipt.status == "failed"
        else:
            with pytest.raises(ValueError, match="bad out"):
                client.add_nowait("bad out")
        await client.add("two")
        assert [await client.recv() for _ in range(2)] == ["one", "two"]
        errors = [str(e["error"]) for e in told.named("interceptor_raised")]
        assert errors == ["bad in"]
        assert client.state.is_open


async def test_a_cancelled_add(server):
    """A message in an interceptor is not sent if its `add()` is cancelled."""
    holding = Holding()
    async with ws.connect(server("/echo"), using(holding)) as client:
        adding = [asyncio.ensure_future(client.add(text)) for text in "abc"]
        await until_idle()
        adding[0].cancel()
        adding[1].cancel()
        await until_idle()
        holding.released.set()
        await adding[2]
        assert await client.recv() == "c"


@pytest.mark.parametrize("how", ["add", "add_nowait"])
async def test_what_an_interceptor_holds_is_for_its_server_alone(server, how):
    """A new URL fails it, like the messages in the queue."""
    holding = Holding()
    options = using(holding, connection_retry_interval=LATER)
    async with ws.connect(server("/echo"), options) as client:
        if how == "add":
            sending = asyncio.ensure_future(client.add("for the first"))
        else:
            sending = client.add_nowait("for the first")
        await until(lambda: holding.held)
        await client.connect(server("/echo", other=1))
        holding.released.set()
        with pytest.raises(ws.WSNotConnectedError):
            await sending
        await client.add("for the second")
        assert await client.recv() == "for the second"


@pytest.mark.parametrize("late", [False, True], ids=["awaited", "called late"])
async def test_nothing_is_delivered_after_disconnect(server, late):
    """A message that an interceptor holds at that moment is not sent either."""
    holding = Holding()

    def on_message(data, next):
        waiting = holding.on_message(data, next)
        if late:
            tasks.append(asyncio.ensure_future(waiting))
            return None
        return waiting

    tasks: list[asyncio.Future[None]] = []
    options = using(ws.WSInterceptor.handlers(on_message=on_message))
    async with ws.connect(server("/echo"), options) as client:
        reader = client.stream.subscribe()
        await client.add("held")
        await until(lambda: holding.held)
        await client.disconnect()
        holding.released.set()
        await until_idle()
        assert [message async for message in reader] == []


async def test_closing_under_a_handler(server):
    """`close()` does not wait for handlers, and no coroutine is left unawaited."""
    holding = Holding()
    client = await ws.connect(server("/echo"), using(holding))
    receipts = [client.add_nowait(text) for text in "ab"]
    await client.close()
    await until_idle()
    assert [receipt.status for receipt in receipts] == ["failed", "failed"]


async def test_closing_before_a_handler_has_begun(server):
    """The same holds in the turn of the call."""
    holding = Holding()
    options = using(holding, connection_retry_interval=LATER)
    client = await ws.connect(server("/echo"), options)
    holding.released.set()
    await go_away(client)
    holding.released.clear()
    receipt = client.add_nowait("x")
    await client.close()
    with pytest.raises(ws.WSError):
        await receipt


class Slow(ws.WSInterceptor):
    """Delays each received message."""

    async def on_message(self, data, next):
        await asyncio.sleep(0.05)
        await next(data)


async def test_a_server_that_ends_while_an_interceptor_waits(server):
    """Messages that it has sent before are delivered."""
    async with ws.WebSocketClient(using(Slow())) as client:
        reader = client.stream.subscribe()
        await client.connect(server("/greeting-close"))
        assert [await anext(reader) for _ in range(2)] == ["hello", b"\x00\x01\xfe\xff"]


async def test_an_attempt_that_fails_while_an_interceptor_waits(server):
    """Its messages are dropped, and every one is counted."""
    told = Told()

    async def fail(_session: ws.Session) -> None:
        await until(lambda: client.metrics.received_count == 2)
        raise ws.WSNotConnectedError("not the server that we want")

    options = using(Slow(), after_connect=fail, on_event=told)
    async with ws.WebSocketClient(options) as client:
        with pytest.raises(ws.WSNotConnectedError, match="not the server"):
            await client.connect(server("/greeting"))
        await until(lambda: client.metrics.dropped_count == 2)
    assert sum(one["count"] for one in told.named("messages_discarded")) == 2
