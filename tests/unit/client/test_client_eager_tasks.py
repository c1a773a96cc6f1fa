"""Eager tasks: no code relies on a task beginning later than it is made."""

import asyncio

import pytest

import ws
from tests.support.eager_tasks import eager_task_factory, eager_tasks
from tests.support.fake_network import URL, begin, connected, drained, ended, playing
from tests.support.fake_transport import FakeConnector
from tests.support.idle import turns, until_idle

pytestmark = pytest.mark.looptime


@pytest.fixture(autouse=True)
async def _quiet():
    """A task may end with an exception here; later tests shall not log it."""
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)


class Passing(ws.WSInterceptor):
    """Coroutines that never wait: an eager task of them is done at once."""

    async def on_send(self, data, next):
        await next(data)

    async def on_message(self, data, next):
        await next(data)


async def test_the_factory_is_eager():
    """The tests below rely on this: a task begins, and may end, where it is made."""
    seen = []

    async def work() -> None:
        seen.append(asyncio.current_task())

    async def wait() -> str:
        seen.append("begun")
        await asyncio.sleep(1)
        return "done"

    outside = asyncio.current_task()
    with eager_tasks():
        task = asyncio.create_task(work())
        assert (task.done(), seen) == (True, [task])
        assert asyncio.current_task() is outside
        waiting = asyncio.create_task(wait())
        assert (waiting.done(), seen[-1]) == (False, "begun")
        assert await waiting == "done"
        cancelled = asyncio.create_task(asyncio.sleep(1))
        cancelled.cancel()
        await until_idle()
        assert cancelled.cancelled()


async def test_an_async_interceptor_that_does_not_wait():
    """Messages arrive, in order, though its task is done when it has been made."""
    connector = FakeConnector()
    with eager_tasks():
        async with connected(connector, interceptors=[Passing()]) as (client, wire):
            for message in ("a", "b", "c"):
                wire.message(message)
            assert await drained(aiter(client)) == ["a", "b", "c"]


async def test_an_interceptor_that_waits_now_and_then():
    """It does not matter which messages it waits for."""
    connector = FakeConnector()

    class Mixed(ws.WSInterceptor):
        async def on_message(self, data, next):
            await turns(int(data) % 2)
            await next(data)

    sent = [str(number) for number in range(10)]
    with eager_tasks():
        async with connected(connector, interceptors=[Mixed()]) as (client, wire):
            for message in sent:
                wire.message(message)
            assert await drained(aiter(client)) == sent


async def test_a_listener_whose_first_call_is_cancelled_inside():
    """A listener that is called back as it is made outlives what it waited for."""
    connector = FakeConnector()
    heard = []

    async def hear(message: str) -> None:
        heard.append(message)
        if message == "a":
            nothing = asyncio.get_running_loop().create_future()
            nothing.cancel()
            await nothing

    with eager_tasks():
        async with connected(connector) as (client, wire):
            wire.message("a")
            with client.stream.listen(hear):
                wire.message("b")
                await until_idle()
                assert heard == ["a", "b"]


async def test_sending_through_async_interceptors():
    """Sends are not affected: add() and receipts end as always."""
    connector = FakeConnector()
    with eager_tasks():
        async with connected(connector, interceptors=[Passing()]) as (client, wire):
            adding = begin(client.add("a"))
            receipt = client.add_nowait("b")
            assert await ended(adding)
            await receipt
            assert (wire.sent, receipt.status) == (["a", "b"], "sent")


@pytest.mark.parametrize("kind", [ws.Open, ws.Closed])
async def test_connecting_again_out_of_on_event(kind):
    """The call is answered by its own connection, not by what `on_event` was told."""
    connector, asked = FakeConnector(), []

    def on_event(event) -> None:
        if isinstance(event.details.get("state"), kind) and not asked:
            asked.append(begin(client.reconnect()))

    with eager_tasks():
        async with playing(connector, on_event=on_event) as client:
            begin(client.connect(URL))
            wire = await connector.opened()
            wire.closed()
            attempt = await connector.next()
            await until_idle()
            assert not asked[0].done()
            attempt.open()
            await asked[0]
            assert isinstance(client.state, ws.Open)
            assert client.state.connection == 2


async def test_no_listener_is_called_inside_listen():
    """It may want what `listen()` returns, also where something waits for it."""
    connector, heard = FakeConnector(), []

    def hear(message: str) -> None:
        heard.append(message)
        listening.cancel()

    with eager_tasks():
        async with connected(connector) as (client, wire):
            wire.message("a")
            listening = client.stream.listen(hear)
            assert heard == []
            await until_idle()
            wire.message("b")
            await until_idle()
            assert heard == ["a"]


class Ending(ws.WSInterceptor):
    """Brings about the end of the client before it waits for the first time.

    Attributes:
        play: Has the client end.
        ended: The messages for which it has stopped waiting.
    """

    def __init__(self) -> None:
        self.play = lambda: None
        self.ended = []

    async def _wait(self, data) -> None:
        try:
            self.play()
            await asyncio.get_running_loop().create_future()
        finally:
            self.ended.append(data)

    async def on_send(self, data, next):
        await self._wait(data)

    async def on_message(self, data, next):
        await self._wait(data)


@pytest.mark.parametrize("way", ["in", "out"])
async def test_an_interceptor_that_ends_the_client(way):
    """It is cancelled, though its task began before anybody could hold it."""
    connector, ending = FakeConnector(), Ending()
    retry = ws.ConnectionRetryInterval()
    options = {"interceptors": [ending], "connection_retry_interval": retry}

    def play() -> None:
        wire.closed()  # nothing is open any more: the end comes in the very call
        begin(client.close())

    ending.play = play
    with eager_tasks():
        async with connected(connector, **options) as (client, wire):
            if way == "in":
                wire.message("a")
            else:
                client.add_nowait("a")
            assert ending.ended == []
            await until_idle()
            assert ending.ended == ["a"]


async def test_a_receipt_whose_interceptor_disconnects():
    """The receipt fails with all others, though `add_nowait()` has not returned it."""
    connector = FakeConnector()

    class Disconnect(ws.WSInterceptor):
        async def on_send(self, data, next):
            await client.disconnect()

    with eager_tasks():
        async with connected(connector, interceptors=[Disconnect()]) as (
            client,
            wire,
        ):
            assert client.add_nowait("a").status == "failed"
            assert [code for code, _ in wire.closes] == [1000]


def test_a_provider_that_exits():
    """SystemExit reaches whoever runs the loop, and the attempt has failed."""

    def provide(_):
        raise SystemExit(3)

    client = ws.WebSocketClient(FakeConnector().options(heartbeat=None))
    with asyncio.Runner() as runner:
        runner.get_loop().set_task_factory(eager_task_factory)
        runner.get_loop().set_exception_handler(lambda *_: None)
        with pytest.raises(SystemExit):
            runner.run(client.connect(provide))
        runner.run(until_idle())
        assert isinstance(client.state, ws.Closed)
        assert "SystemExit" in str(client.state.error)
