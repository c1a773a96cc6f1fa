"""Closing handshakes begun by the client, by the peer or by a protocol failure."""

import asyncio

import pytest
from looptime import LoopTimeProxy

import ws
from tests.support.client_driver import (
    URL,
    begin,
    causes,
    kinds,
    leftovers,
    opened,
    outcome,
)
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()


@pytest.mark.parametrize("call", ["disconnect", "close"])
@pytest.mark.parametrize("answers", [True, False])
async def test_ours(call, answers):
    """It ends with the peer's answer, or at `close_timeout` with the socket freed."""
    connector = FakeConnector()
    async with opened(connector, close_timeout=3) as (client, transport):
        asked = begin(getattr(client, call)(4001, "why"))
        await until_idle()
        assert transport.closes == [(4001, "why")]
        assert client.state == ws.Disconnecting(4001, "why")
        transport.message("nobody may see this")
        if answers:
            await asyncio.sleep(1)
            transport.closed(4001, "why", initiator="local")
            await asked
            assert (clock, transport.aborted) == (1, 0)
            assert client.state == ws.Closed(4001, "why")
            assert causes(client)[-2:] == [call, "closed"]
        else:
            await asked
            assert (clock, transport.aborted) == (3, 1)
            assert client.state == ws.Closed(1006, "")
            assert causes(client)[-2:] == [call, "close_timeout"]
        assert [text async for text in client] == []
        assert client.is_closed is (call == "close")


async def test_ours_is_answered_and_tcp_held_open():
    """The closing handshake is complete, so no loss is reported."""
    connector = FakeConnector()
    events = []
    options = {"close_timeout": 3, "on_event": events.append}
    async with opened(connector, **options) as (client, transport):
        await client.add("confirmed by the answer, which comes behind it")
        asked = begin(client.disconnect(4001, "why"))
        await asyncio.sleep(1)
        transport.closing(4001, "why", initiator="local", clean=True)
        assert client.state == ws.Disconnecting(4001, "why")
        await asked
        assert (clock, transport.aborted) == (3, 1)
        assert client.state == ws.Closed(4001, "why")
        assert kinds(client) == ["Connecting", "Open", "Disconnecting", "Closed"]
        assert causes(client)[-2:] == ["disconnect", "close_timeout"]
    assert "messages_unconfirmed" not in [event.name for event in events]


@pytest.mark.parametrize(
    ("initiator", "cause"),
    [("peer", "peer_closing"), ("local", "protocol_failure")],
)
@pytest.mark.parametrize("ends", [True, False])
async def test_theirs(initiator, cause, ends):
    """A Close frame or a failure starts the deadline, though TCP is held open."""
    connector = FakeConnector()
    async with opened(connector, close_timeout=3) as (client, transport):
        transport.message("before")
        transport.closing(1009, "too big", initiator=initiator)
        assert client.state == ws.Disconnecting(1009, "too big")
        last = "peer_closed" if initiator == "peer" else "protocol_failure"
        if ends:
            await asyncio.sleep(1)
            clean = initiator == "peer"
            transport.closed(1009, "too big", initiator=initiator, clean=clean)
        else:
            await asyncio.sleep(2.999)
            assert isinstance(client.state, ws.Disconnecting)
            await asyncio.sleep(0.001)
            await until_idle()
            assert transport.aborted
            last = "close_timeout"
        assert kinds(client) == ["Connecting", "Open", "Disconnecting", "Closed"]
        assert causes(client)[-2:] == [cause, last]
        assert client.state.error.close_code == 1009
        assert client.state.error.was_clean is (initiator == "peer")
        assert await client.recv() == "before"
        with pytest.raises(ws.WSConnectionClosedError):
            await client.recv()


async def test_a_retry_follows_a_closing_that_hangs():
    """The wait for the next attempt begins when the socket is freed."""
    connector = FakeConnector()
    options = {"connection_retry_interval": (1, 1), "close_timeout": 3}
    async with opened(connector, **options) as (client, transport):
        transport.closing(1001)
        await connector.opened()
        assert clock == 4
        assert client.state.connection == 2


async def test_the_peer_closes_while_we_do():
    """If both Close frames cross, the client has asked for the end: no retry."""
    connector = FakeConnector()
    async with opened(connector, connection_retry_interval=(1, 1)) as (client, peer):
        asked = begin(client.disconnect())
        await until_idle()
        peer.closing(1001)
        peer.closed(1001)
        assert await outcome(asked) is None
        assert client.state == ws.Closed(1001, "")
        assert kinds(client)[-2:] == ["Disconnecting", "Closed"]


async def test_disconnect_while_the_peer_closes():
    """`disconnect()` prevents the retry that would follow, and waits for the end."""
    connector = FakeConnector()
    async with opened(connector, connection_retry_interval=(1, 1)) as (client, peer):
        peer.closing(1001)
        asked = begin(client.disconnect())
        assert await outcome(asked) == "waits"
        peer.closed(1001)
        assert await outcome(asked) is None
        assert client.state == ws.Closed(1001, "")


@pytest.mark.parametrize("call", ["disconnect", "close"])
async def test_cancelled(call):
    """A cancelled call aborts the connection, and the state is `Closed`."""
    connector = FakeConnector()
    async with opened(connector) as (client, transport):
        asked = begin(getattr(client, call)())
        await until_idle()
        asked.cancel()
        await until_idle()
        assert asked.cancelled()
        assert transport.aborted
        assert client.state.is_closed
        assert client.is_closed is (call == "close")
        assert client.metrics.disconnects == 1


async def test_leaving_under_cancellation():
    """A cancelled `async with` sends Close 1001, and does not wait for the answer."""
    connector = FakeConnector()
    inside = asyncio.Event()

    async def talk() -> None:
        async with ws.connect(URL, connector.options()):
            inside.set()
            await asyncio.get_running_loop().create_future()

    task = begin(talk())
    (await connector.next()).open()
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    transport = connector.attempts[0].transport
    assert (transport.aborted, transport.closes) == (1, [(1001, "")])
    assert clock == 0


async def test_close_replaces_what_may_not_be_sent():
    """`close()` always closes; the code that it could not send is reported."""
    events = []
    connector = FakeConnector()
    async with opened(connector, on_event=events.append) as (client, transport):
        asked = begin(client.close(1006, "x" * 200))
        await until_idle()
        assert transport.closes[0][0] == 1000
        assert "close_code_replaced" in [event.name for event in events]
        transport.closed(1000, initiator="local")
        await asked


class Held(ws.WSInterceptor):
    """Hold back messages until the test releases them."""

    def __init__(self) -> None:
        self.released = asyncio.Event()

    async def on_message(self, data, next):
        await self.released.wait()
        await next(data)


async def test_ours_of_a_connection_that_is_lost_meanwhile():
    """Nothing is delivered after the call, though the loss comes before our Close."""
    connector, held = FakeConnector(), Held()

    def lose(told):
        if isinstance(told.details.get("state"), ws.Disconnecting):
            connector.attempts[0].transport.closed()

    options = {"interceptors": (held,), "on_event": lose}
    async with opened(connector, **options) as (client, transport):
        messages = client.stream.subscribe()
        transport.batch("before", "the call")
        await client.disconnect()
        held.released.set()
        await until_idle()
        assert [text async for text in messages] == []
        assert client.metrics.dropped_count == 2


def held_up(gate: asyncio.Event) -> ws.WSInterceptor:
    """Hand no message on before the event is set."""

    async def on_message(data, next):
        await gate.wait()
        next(data)

    return ws.WSInterceptor.handlers(on_message=on_message)


@pytest.mark.parametrize("state", ["reconnecting", "connecting", "open"])
async def test_what_interceptors_hold_of_earlier_connections(state):
    """disconnect() discards and counts what waits, whatever happened since."""
    connector, gate, heard = FakeConnector(), asyncio.Event(), []
    options = {
        "interceptors": (held_up(gate),),
        "connection_retry_interval": (1, 1),
        "close_timeout": 3,
    }
    async with opened(connector, **options) as (client, transport):
        client.stream.listen(heard.append)
        transport.batch("a", "b", "c")
        transport.closed()
        attempt = await connector.next()
        if state == "reconnecting":
            attempt.refuse()
        elif state == "open":
            attempt.open()
        await until_idle()
        assert kinds(client)[-1].lower() == state
        await client.disconnect()
        gate.set()
        await until_idle()
        assert heard == []
        assert client.metrics.dropped_count == 3


async def test_close_counts_what_waits_for_an_interceptor():
    """Messages of a peer that has closed are discarded, too."""
    connector, gate = FakeConnector(), asyncio.Event()
    async with opened(connector, interceptors=(held_up(gate),)) as (client, transport):
        with client.stream.subscribe():
            transport.batch("handled", "a", "b")
            transport.closed(1000)
            assert client.state.is_closed
            await client.close()
            assert client.metrics.dropped_count == 2


async def test_sessions_of_a_client_that_was_closed_with_an_interceptor_at_work():
    """Sessions end as usual: nothing waits for that interceptor any more."""
    connector, gate = FakeConnector(), asyncio.Event()
    async with opened(connector, interceptors=(held_up(gate),)) as (client, transport):
        transport.message("handled")
        loop = asyncio.get_running_loop()
        loop.call_later(1, lambda: transport.closed(1000, initiator="local"))
        await client.close()
        async with asyncio.timeout(1):
            assert [session async for session in client.sessions()] == []


async def test_reading_on_after_close():
    """A slow subscriber is not reported any more: it holds up no socket."""
    connector, events = FakeConnector(), []
    options = {"stream_capacity": 1, "on_event": events.append, "close_timeout": 1}
    async with opened(connector, **options) as (client, transport):
        slow, stuck = client.stream.subscribe(), client.stream.subscribe()
        transport.batch("a", "b", "c")
        await client.close()
        assert [message async for message in slow] == ["a", "b", "c"]
        await asyncio.sleep(30)
        assert "subscriber_stuck" not in [event.name for event in events]
        assert leftovers() == []
        stuck.close()
