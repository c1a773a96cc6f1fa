"""Calls that overtake each other, in every state. No real time."""

import asyncio
import itertools

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
    opened,
    outcome,
)
from tests.support.fake_transport import FakeConnector
from tests.support.idle import turns, until_idle

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()

RETRY = {"connection_retry_interval": (1, 1), "close_timeout": 3}

CALLS = {
    "connect": lambda client: client.connect(URL),
    "elsewhere": lambda client: client.connect(OTHER),
    "reconnect": lambda client: client.reconnect(),
    "disconnect": lambda client: client.disconnect(),
    "close": lambda client: client.close(),
}
CALLED = {"elsewhere": "connect"}
OPENING = {"connect", "elsewhere", "reconnect"}


async def bring_to(state: str, client, connector) -> None:
    """Bring a client to a state in which it has been connected, or is about to be."""
    if state == "new":
        return
    begin(client.connect(URL)).add_done_callback(lambda done: done.exception())
    attempt = await connector.next()
    if state == "connecting":
        return
    transport = attempt.open()
    await until_idle()
    match state:
        case "disconnecting":
            transport.closing(4000)
        case "reconnecting":
            transport.closed()
        case "closed":
            begin(client.disconnect())
            await until_idle()
            transport.closed(1000, initiator="local")
    await until_idle()


PAIRS = list(itertools.product(CALLS, CALLS))

STATES = ["connecting", "open", "disconnecting", "reconnecting", "closed"]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_the_later_call_counts(state, first, second):
    """Whatever is in progress, the last call is carried out, and every call ends."""
    connector = FakeConnector()
    async with driven(connector, **RETRY) as client:
        await bring_to(state, client, connector)
        one = begin(CALLS[first](client))
        await turns(1)
        two = begin(CALLS[second](client))
        await until_idle()
        if first == "close":  # it is the last word whatever comes later
            second = "close"
        if second in OPENING:
            while connector.unseen:
                last = await connector.next()
            targets = {"elsewhere": OTHER, "connect": URL}
            assert last.request.url == targets.get(second, targets.get(first, URL))
            last.open()
            assert await outcome(two) is None
            assert client.state.is_open
            assert connector.sockets[-1] is last.transport
            overtaken = await outcome(one)
            if first in OPENING:
                assert isinstance(overtaken, ws.WSSupersededError)
                assert f"by a later {CALLED.get(second, second)}()" in str(overtaken)
            else:
                assert overtaken is None
        else:
            await asyncio.sleep(3)  # close_timeout: the peer is silent
            assert client.is_closed is (second == "close")
            assert connector.sockets == []
            assert client.state.is_closed
            result = await outcome(one)
            if first in OPENING:
                assert isinstance(result, ws.WSSupersededError)
            else:
                assert result is None
            result = await outcome(two)
            assert result is None or isinstance(result, ws.WSClientClosedError)


@pytest.mark.parametrize("state", ["new", *STATES])
async def test_close_from_every_state(state):
    """It is permanent. A second caller waits for the first; later calls raise."""
    connector = FakeConnector()
    async with driven(connector, **RETRY) as client:
        await bring_to(state, client, connector)
        first, second = begin(client.close()), begin(client.close())
        waiting = begin(client.wait_closed())
        await asyncio.sleep(3)
        for asked in (first, second, waiting):
            assert await outcome(asked) is None
        assert client.is_closed
        await client.close()
        for call in (client.connect(URL), client.reconnect(), client.disconnect()):
            with pytest.raises(ws.WSClientClosedError):
                await call
        with pytest.raises(ws.WSClientClosedError):
            await client.add("x")
        assert causes(client)[-1] in {"close", "close_timeout"}


async def test_reconnect_needs_a_url():
    """Before any `connect()` there is nothing to reconnect to."""
    async with driven(FakeConnector()) as client:
        with pytest.raises(ws.WSNotConnectedError, match="connect"):
            await client.reconnect()
        await client.disconnect()  # and this has nothing to do
        assert client.history == ()


async def test_reconnect_cuts_the_wait_short():
    """The attempt is made now, and the failure streak starts over."""
    connector = FakeConnector()
    options = {"connection_retry_interval": (100, 100)}
    async with driven(connector, **options) as client:
        waiting = begin(client.connect(URL))
        (await connector.next()).refuse()
        await until_idle()
        assert isinstance(client.state, ws.Reconnecting)
        asked = begin(client.reconnect())
        await connector.opened()
        assert await outcome(asked) is None
        assert isinstance(await outcome(waiting), ws.WSSupersededError)
        assert clock == 0


async def test_a_silent_peer_holds_nobody_up():
    """`reconnect()` opens the new connection while the old one still closes."""
    connector = FakeConnector()
    async with opened(connector, **RETRY) as (client, old):
        asked = begin(client.reconnect())
        await connector.opened()
        assert await outcome(asked) is None
        assert (old.closes, old.aborted) == ([(1000, "")], 0)
        assert kinds(client)[-3:] == ["Disconnecting", "Connecting", "Open"]
        old.message("too late")
        await asyncio.sleep(3)
        assert old.aborted
        assert client.metrics.received_count == 1
        assert client.metrics.disconnects == 1
        assert client.state.is_open


async def test_many_silent_peers():
    """Four may close in the background; above that, the oldest is aborted."""
    connector = FakeConnector()
    async with opened(connector, **RETRY) as (client, _):
        for _ in range(6):
            asked = begin(client.reconnect())
            await connector.opened()
            await asked
        assert len(connector.sockets) == 5  # the open one among them
        begin(client.close())
        await asyncio.sleep(3)
        assert connector.sockets == []


async def test_disconnect_waits_until_closed_though_close_has_come():
    """A `disconnect()` that `close()` has overtaken returns with it, not before."""
    connector = FakeConnector()
    async with opened(connector, **RETRY) as (client, transport):
        first = begin(client.disconnect(4001, "first"))
        await until_idle()
        second = begin(client.close(4002, "second"))
        assert (await outcome(first), await outcome(second)) == ("waits", "waits")
        assert transport.closes == [(4001, "first")]
        transport.closed(4001, "first", initiator="local")
        assert (await outcome(first), await outcome(second)) == (None, None)
        assert client.is_closed


@pytest.mark.parametrize("call", ["connect", "elsewhere", "reconnect"])
async def test_cancelled_before_it_is_open(call):
    """Cancelling stops the attempt and frees its socket; the client is usable."""
    connector = FakeConnector()
    async with opened(connector, **RETRY) as (client, old):
        asked = begin(CALLS[call](client))
        attempt = await connector.next()
        attempt.early()
        asked.cancel()
        await until_idle()
        assert attempt.transport.aborted
        assert causes(client)[-1] == "cancelled"
        assert client.state.is_closed
        again = begin(client.connect(URL))
        await connector.opened()
        assert await outcome(again) is None
        assert old.closes


async def test_cancelling_what_was_overtaken_changes_nothing():
    """The later call goes on."""
    connector = FakeConnector()
    async with driven(connector) as client:
        first = begin(client.connect(URL))
        await until_idle()
        second = begin(client.connect(URL))
        first.cancel()
        await until_idle()
        (await connector.next())
        await connector.opened()
        assert await outcome(second) is None
        assert client.state.is_open


async def test_disconnect_does_not_wait_for_sends():
    """`disconnect()` does not wait for messages that wait for a full buffer."""
    connector = FakeConnector()
    async with opened(connector, write_limit=10) as (client, transport):
        transport.buffered_amount = 100
        sending = [begin(client.add("x" * 100)) for _ in range(3)]
        await until_idle()
        asked = begin(client.disconnect())
        await until_idle()
        assert transport.closes == [(1000, "NORMAL_CLOSURE")]
        transport.closed(1000, initiator="local")
        assert await outcome(asked) is None
        for add in sending:
            assert isinstance(await outcome(add), ws.WSNotConnectedError)


async def test_start():
    """`start()` returns at once; the states show what becomes of it."""
    connector = FakeConnector()
    client = ws.WebSocketClient.start(URL, connector.options())
    assert isinstance(client.state, ws.Connecting)
    seen = client.state_changes.subscribe()
    (await connector.next()).refuse()
    assert isinstance(await anext(seen), ws.Closed)
    await client.close()
    with pytest.raises(ws.WSInvalidUrlError):
        ws.WebSocketClient.start("http://host/", connector.options())
