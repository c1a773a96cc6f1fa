"""Attempts: how long they take, how they fail, and what is left of them."""

import asyncio

import pytest
from looptime import LoopTimeProxy

import ws
from tests.support.client_driver import (
    OTHER,
    URL,
    begin,
    causes,
    driven,
    kinds,
    outcome,
)
from tests.support.fake_transport import FakeConnector, accept
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()


async def forever(*_: object) -> None:
    await asyncio.get_running_loop().create_future()


async def stubborn(*_: object) -> None:
    """Swallows every cancellation for a minute."""
    end = asyncio.get_running_loop().time() + 60
    while clock < end:
        try:
            await asyncio.sleep(end - float(clock))
        except asyncio.CancelledError:
            continue


@pytest.mark.parametrize("hang", [forever, stubborn])
@pytest.mark.parametrize(
    ("stage", "cause"),
    [
        ("asking the URL provider", "attempt_timeout"),
        ("asking the headers provider", "attempt_timeout"),
        ("after_connect", "attempt_timeout"),
    ],
)
async def test_what_the_application_does_hangs(hang, stage, cause):
    """The attempt ends exactly at `timeout`, even if code swallows cancellations."""
    options, url = {}, URL
    match stage:
        case "asking the URL provider":
            url = hang
        case "asking the headers provider":
            options = {"headers": hang}
        case _:
            options = {"after_connect": hang}
    connector = FakeConnector(accept)
    client = ws.WebSocketClient(connector.options(timeout=7, **options))
    with pytest.raises(ws.WSTimeoutError, match=f"7 s .while {stage}") as caught:
        await client.connect(url)
    assert clock == 7
    assert isinstance(caught.value, TimeoutError)
    assert client.state.error is caught.value
    assert (kinds(client)[-1], causes(client)[-1]) == ("Closed", cause)
    await asyncio.sleep(60)  # until the stubborn one has gone on, to no avail
    assert connector.sockets == []
    assert (kinds(client)[-1], causes(client)[-1]) == ("Closed", cause)
    if stage != "after_connect":
        assert connector.attempts == []


@pytest.mark.parametrize("stubborn", [False, True])
async def test_the_connector_hangs(stubborn):
    """The attempt is cancelled at `timeout`; a late success is freed and ignored."""
    connector = FakeConnector()
    async with driven(connector, timeout=7) as client:
        asked = begin(client.connect(URL))
        attempt = await connector.next()
        attempt.stubborn = stubborn
        assert isinstance(client.state, ws.Connecting)
        with pytest.raises(ws.WSTimeoutError, match="while connecting"):
            await asked
        assert clock == 7
        await until_idle()
        assert attempt.cancelled
        if stubborn:
            attempt.open()
            await until_idle()
            assert attempt.transport.aborted
        assert kinds(client) == ["Connecting", "Closed"]


async def test_a_late_success_does_not_disturb_the_next_attempt():
    """The connection that was given up is freed; the other one stays open."""
    connector = FakeConnector()
    async with driven(connector) as client:
        first = begin(client.connect(URL))
        late = await connector.next()
        late.stubborn = True
        second = begin(client.connect(OTHER))
        wanted = await connector.opened()
        late.open()
        await until_idle()
        assert late.transport.aborted
        late.transport.message("from the wrong server")
        late.transport.closed(1000)
        assert await outcome(second) is None
        assert isinstance(await outcome(first), ws.WSSupersededError)
        assert client.state == ws.Open(OTHER, None, 1)
        wanted.message("hello")
        assert await client.recv() == "hello"


@pytest.mark.parametrize("work", ["connect", "after_connect"])
async def test_cancelled_from_inside(work):
    """Something that an attempt waits for is cancelled: the attempt fails."""

    async def cancelled(*_: object) -> None:
        task = asyncio.current_task()
        task.get_loop().call_soon(inner.cancel)
        await inner

    inner = asyncio.get_running_loop().create_future()
    after = cancelled if work == "after_connect" else None
    connector = FakeConnector(accept)
    url = cancelled if work == "connect" else URL
    async with driven(connector, after_connect=after) as client:
        with pytest.raises(ws.WSNotConnectedError, match="it waited for was cancelled"):
            await client.connect(url)
        assert client.state.is_closed


async def test_messages_before_the_connector_returns():
    """They are kept, in order, and a subscriber gets them after the opening."""
    connector = FakeConnector()
    async with driven(connector) as client:
        asked = begin(client.connect(URL))
        attempt = await connector.next()
        attempt.early().message("first")
        attempt.transport.message("second")
        await until_idle()
        assert isinstance(client.state, ws.Connecting)
        attempt.open()
        await asked
        attempt.transport.message("third")
        assert [await client.recv() for _ in range(3)] == ["first", "second", "third"]


@pytest.mark.parametrize("handshake", [True, False])
async def test_closed_before_the_connector_returns(handshake):
    """The states come in order: open, closing (if there was a handshake), closed."""
    connector = FakeConnector()
    async with driven(connector) as client:
        asked = begin(client.connect(URL))
        attempt = await connector.next()
        attempt.early().message("last words")
        if handshake:
            attempt.transport.closing(4001, "why")
        attempt.transport.closed(4001 if handshake else 1006)
        attempt.open()
        await asked
        await until_idle()
        middle = ["Disconnecting"] if handshake else []
        assert kinds(client) == ["Connecting", "Open", *middle, "Closed"]
        assert await client.recv() == "last words"
        with pytest.raises(ws.WSConnectionClosedError) as caught:
            await client.recv()
        assert caught.value.close_code == (4001 if handshake else 1006)


async def test_after_connect_meets_the_end():
    """A connection that ends while `after_connect` waits ends the attempt at once."""
    connector = FakeConnector()
    async with driven(connector, after_connect=forever) as client:
        asked = begin(client.connect(URL))
        transport = await connector.opened()
        transport.closing(1008, "no token")
        transport.closed(1008, "no token")
        error = await outcome(asked)
        assert (error.close_code, error.close_reason) == (1008, "no token")
        assert clock == 0
        assert causes(client) == ["connect", "after_connect_failed"]


async def test_after_connect_raises():
    """Its error is the cause of the failure; the socket is freed."""

    def fail(_: ws.Session) -> None:
        raise LookupError("no such room")

    connector = FakeConnector(accept)
    async with driven(connector, after_connect=fail) as client:
        with pytest.raises(ws.WSNotConnectedError, match="no such room") as caught:
            await client.connect(URL)
        assert isinstance(caught.value.__cause__, LookupError)
        assert connector.sockets == []
