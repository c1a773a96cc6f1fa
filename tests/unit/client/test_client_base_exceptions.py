"""Code of the application that raises a BaseException.

It ends what raised it, and nothing else: no call waits for ever, no other message is
lost, and no buffer without a reader keeps the socket paused.
"""

import asyncio

import pytest

import ws
from tests.support.fake_network import URL, begin, connected, drained, ended, playing
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime


class Stop(BaseException):
    """What no `except Exception` catches."""


def stop(*_):
    raise Stop


async def stop_later(*_):
    await asyncio.sleep(1)
    raise Stop


@pytest.fixture(autouse=True)
async def loop_errors():
    """The exceptions that were reported to the loop."""
    loop, errors = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: errors.append(context["exception"]))
    yield errors
    loop.set_exception_handler(None)


@pytest.mark.parametrize("raising", [stop, stop_later])
@pytest.mark.parametrize("what", ["url", "headers", "after_connect"])
async def test_an_attempt(what, raising):
    """The attempt has failed, and connect() raises the reason."""
    connector = FakeConnector(lambda attempt: attempt.open())
    options = {} if what == "url" else {what: raising}
    async with playing(connector, **options) as client:
        asked = begin(client.connect(raising if what == "url" else URL))
        assert await ended(asked)
        assert isinstance(asked.exception(), ws.WSNotConnectedError)
        assert isinstance(asked.exception().__cause__, Stop)
        assert isinstance(client.state, ws.Closed)


@pytest.mark.parametrize("raising", [stop, stop_later])
async def test_an_attempt_of_many(raising):
    """The next one may do better."""
    calls = []

    def url(_):
        calls.append("x")
        return raising() if len(calls) == 1 else URL

    connector = FakeConnector(lambda attempt: attempt.open())
    async with playing(connector, connection_retry_interval=(0.1, 0.1)) as client:
        asked = begin(client.connect(url))
        assert await ended(asked)
        assert client.state.is_open


async def test_a_batch():
    """The rest of the batch is delivered before the exception is raised."""

    def on_message(data, pass_on):
        if data in {"b", "d"}:
            raise Stop
        pass_on(data)

    interceptor = ws.WSInterceptor.handlers(on_message=on_message)
    connector = FakeConnector()
    async with connected(connector, interceptors=[interceptor]) as (client, one):
        heard = client.stream.subscribe()
        with pytest.raises(Stop):
            one.sink.on_messages(list("abcde"), 5)
        assert ["a", "c", "e"] == await drained(heard)


async def test_a_queue(loop_errors):
    """Messages that wait behind it, or come later, are delivered in order."""

    async def on_message(data, pass_on):
        await asyncio.sleep(0.1)
        if data in {"b", "d"}:
            raise Stop
        pass_on(data)

    interceptor = ws.WSInterceptor.handlers(on_message=on_message)
    connector = FakeConnector()
    async with connected(connector, interceptors=[interceptor]) as (client, one):
        heard = client.stream.subscribe()
        one.sink.on_messages(list("abcde"), 5)
        await asyncio.sleep(0.15)
        one.sink.on_messages(["f"], 1)
        assert ["a", "c", "e", "f"] == await drained(heard)
    assert [Stop, Stop] == [type(error) for error in loop_errors]


async def test_a_listener(loop_errors):
    """The listener has ended, and no message is kept for it."""
    connector = FakeConnector()
    async with connected(connector, stream_capacity=1) as (client, one):
        client.stream.listen(stop)
        heard = client.stream.subscribe(capacity=100)
        one.sink.on_messages(["a"], 1)
        await until_idle()
        one.sink.on_messages(list("bcdef"), 5)
        await until_idle()
        assert not one.paused
        assert list("abcdef") == await drained(heard)
    assert [Stop] == [type(error) for error in loop_errors]
