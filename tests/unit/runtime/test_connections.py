"""What attempts and connections report, and what is made of it. No real time."""

import asyncio

import pytest

import ws
from tests.support.client_driver import (
    URL,
    begin,
    causes,
    driven,
    every,
    opened,
    outcome,
)
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime


async def test_a_loss_that_was_asked_for_is_not_decided():
    """`retry_if` is not called for the end of a connection that we close."""
    contexts = []
    connector = FakeConnector()
    options = every(retry_if=contexts.append)
    async with opened(connector, **options) as (client, transport):
        disconnecting = begin(client.disconnect())
        await until_idle()
        transport.closed(1006)
        await disconnecting
        assert client.state.error is None
    assert contexts == []


async def test_the_last_error_is_passed_to_the_next_attempt():
    """The loss of a connection counts, and a connect() starts without one."""
    contexts = []

    def provide(context):
        contexts.append(context)
        return URL

    connector = FakeConnector()
    async with driven(connector, **every()) as client:
        for _ in range(2):
            asked = begin(client.connect(provide))
            transport = await connector.opened()
            await asked
            transport.closed(1012)
            await connector.opened()
    codes = [getattr(one.last_error, "close_code", None) for one in contexts]
    assert codes == [None, 1012, None, 1012]


async def test_a_replaced_connection_that_drains_sends_nothing():
    """Its buffer has room again, but the messages are for its successor."""
    connector = FakeConnector()
    async with opened(connector, close_timeout=3, write_limit=10) as (client, old):
        again = begin(client.reconnect())
        attempt = await connector.next()
        adding = begin(client.add("for the new one"))
        await until_idle()
        old.drain()
        assert old.sent == []
        assert await outcome(adding) == "waits"
        new = attempt.open()
        await again
        await until_idle()
        assert (old.sent, new.sent) == ([], ["for the new one"])
        await asyncio.sleep(3)


async def test_connections_in_the_background_end_with_the_client():
    """close() does not wait for their peers."""
    connector = FakeConnector()
    async with opened(connector, close_timeout=30) as (client, old):
        again = begin(client.reconnect())
        new = await connector.opened()
        await again
        closing = begin(client.close())
        await until_idle()
        assert not old.is_free
        new.closed(1000, initiator="local")
        await closing
        assert old.aborted


async def test_who_began_the_closing_handshake():
    """The peer, or we, because it broke the protocol: the cause says it."""
    for initiator, cause in (("peer", "peer_closing"), ("local", "protocol_failure")):
        connector = FakeConnector()
        async with opened(connector) as (client, transport):
            transport.closing(1002, "bad frame", initiator=initiator)
            assert client.state == ws.Disconnecting(1002, "bad frame")
            assert causes(client)[-1] == cause
