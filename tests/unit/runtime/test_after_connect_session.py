"""`after_connect`: which calls raise inside it, and what counts as inside."""

import asyncio

import pytest

import ws
from tests.support.fake_network import OTHER, URL, abort, begin, ended, playing
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime

RETRY = {"connection_retry_interval": (1, 1)}


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda client: client.connect(URL), id="connect"),
        pytest.param(lambda client: client.connect(OTHER), id="connect-elsewhere"),
        pytest.param(lambda client: client.reconnect(), id="reconnect"),
    ],
)
@pytest.mark.parametrize("retry", [{}, RETRY], ids=["once", "retrying"])
async def test_connecting_inside_raises(call, retry):
    """It would wait for itself, so it raises at once, and the attempt goes on."""
    errors = []

    async def impatient(_session) -> None:
        try:
            await call(client)
        except Exception as error:  # noqa: BLE001 - any that explains it
            errors.append(error)

    connector = FakeConnector()
    async with playing(connector, after_connect=impatient, **retry) as client:
        asked = begin(client.connect(URL))
        await connector.opened()
        assert await ended(asked)
        assert len(errors) == 1
        assert asked.exception() is None
        assert client.state == ws.Open(URL, None, 1)


async def test_what_it_raises_ends_the_attempt_with_an_error():
    """The state shows why the client is closed, if the error is not caught."""
    connector = FakeConnector()

    async def impatient(_session) -> None:
        await client.reconnect()

    async with playing(connector, after_connect=impatient) as client:
        asked = begin(client.connect(URL))
        await connector.opened()
        assert await ended(asked)
        assert isinstance(client.state, ws.Closed)
        assert client.state.error is not None
        assert "after_connect_failed" in [entry.cause for entry in client.history]


async def test_a_task_that_outlives_it_may_send():
    """A background task that it began waits for a connection like any other."""
    connector, tasks = FakeConnector(), []
    again = asyncio.Event()

    async def background() -> None:
        await again.wait()
        await client.add("from the background")

    async def greet(_session) -> None:
        if not tasks:
            tasks.append(begin(background()))

    async with playing(connector, after_connect=greet, **RETRY) as client:
        asked = begin(client.connect(URL))
        wire = await connector.opened()
        await asked
        wire.closed()
        attempt = await connector.next()
        assert isinstance(client.state, ws.Connecting)
        again.set()
        await until_idle()
        assert not tasks[0].done()
        wire = attempt.open()
        assert await ended(tasks[0])
        assert wire.sent == ["from the background"]


async def test_another_client_inside_it():
    """Only its own client would wait for it. Another client can be used."""
    connector, other_connector = FakeConnector(), FakeConnector()
    outcomes = []

    async def relay(_session) -> None:
        try:
            outcomes.append(await other.add("hello"))
        except ws.WSError as error:
            outcomes.append(error)

    async with (
        playing(other_connector) as other,
        playing(connector, after_connect=relay) as client,
    ):
        elsewhere = begin(other.connect(OTHER))
        attempt = await other_connector.next()
        asked = begin(client.connect(URL))
        await connector.opened()
        assert outcomes == []
        wire = attempt.open()
        assert await ended(asked)
        await elsewhere
        assert (outcomes, wire.sent) == ([None], ["hello"])


async def test_another_client_made_inside_it():
    """Another client, made inside it, connects on its own."""
    connector, other_connector = FakeConnector(), FakeConnector()
    others, receipts = [], []

    async def begin_another(_session) -> None:
        other = ws.WebSocketClient.start(OTHER, other_connector.options())
        others.append(other)
        receipts.append(other.add_nowait("hello"))

    async with playing(connector, after_connect=begin_another) as client:
        asked = begin(client.connect(URL))
        await connector.opened()
        try:
            assert await ended(asked)
            assert asked.exception() is None
            wire = await other_connector.opened()
            assert (wire.sent, receipts[0].status) == (["hello"], "sent")
        finally:
            for other in others:
                await abort(other)
