"""`explain()` in each state, on a virtual clock."""

import asyncio
import re

import pytest
from looptime import LoopTimeProxy

import ws
from tests.support.client_driver import URL, begin, driven, opened, outcome
from tests.support.fake_transport import FakeConnector
from tests.support.idle import turns, until_idle

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()

RETRY = {"connection_retry_interval": (2, 2), "timeout": 7, "close_timeout": 3}


def explained(client) -> list[str]:
    """Return the lines of `explain()`, without the time of day."""
    text = re.sub(r"\d\d:\d\d:\d\d UTC \([\d.]+ s\)", "then", client.explain())
    return text.splitlines()


async def test_new():
    """A new client says that connect() has not been called."""
    assert explained(ws.WebSocketClient()) == [
        "Not connected: connect() has not been called.",
        "Next: nothing, until connect() is called.",
    ]


async def test_connecting():
    """It says where to, for how long, and why the previous attempt failed."""
    connector, known = FakeConnector(), asyncio.Event()

    async def provide(_):
        await known.wait()
        return URL

    async with driven(connector, **RETRY) as client:
        asked = begin(client.connect(provide))
        await turns(1)
        assert explained(client)[0] == "Connecting to a URL not known yet, attempt 1."
        known.set()
        (await connector.next()).refuse()
        await connector.next()
        assert explained(client) == [
            "Connecting to ws://host/, attempt 2.",
            "Since then, because the URL provider has answered (url_resolved).",
            "Before that: could not connect to ws://host/: no server there.",
            (
                "Next: the attempt succeeds or fails within 7 s, and is repeated if it "
                "fails."
            ),
        ]
        asked.cancel()


async def test_open():
    """It says which connection is open, and whether a loss would be retried."""
    for options, will in ((RETRY, "will be"), ({}, "will not be")):
        async with opened(FakeConnector(), **options) as (client, _):
            assert explained(client) == [
                "Open: connection 1 to ws://host/.",
                "Since then, because the attempt succeeded (opened).",
                f"Next: messages flow; a loss {will} followed by a reconnection.",
            ]


async def test_reconnecting():
    """It says why, when the next attempt comes, and what waits to be sent."""
    connector = FakeConnector()
    async with opened(connector, **RETRY) as (client, transport):
        transport.closed()
        adds = [begin(client.add("x")) for _ in range(2)]
        await until_idle()
        assert explained(client) == [
            "Lost ws://host/; waiting to try again, attempt 2.",
            (
                "Since then, because the connection ended without a closing handshake "
                "(network_lost)."
            ),
            "Why: the connection was lost without a closing handshake (1006).",
            "Next: attempt 2 in 2.0 s, or now with reconnect().",
            "2 messages wait to be sent.",
        ]
        (await connector.next()).refuse()
        await until_idle()
        assert explained(client)[0].startswith("Could not reach ws://host/; waiting")
        await client.disconnect()
        for add in adds:
            assert isinstance(await outcome(add), ws.WSNotConnectedError)


async def test_disconnecting():
    """It says who closes, by when that has ended, and what follows."""
    connector = FakeConnector()
    async with opened(connector, **RETRY) as (client, transport):
        transport.closing(1012, "deploy")
        assert explained(client) == [
            "Closing the connection to ws://host/ (1012 SERVICE_RESTART).",
            "Since then, because the peer sent a Close frame (peer_closing).",
            (
                "Next: it is over within 3 s, and a retry follows unless the reason is "
                "final."
            ),
        ]
        begin(client.disconnect())
        await until_idle()
        assert explained(client)[-1].endswith("stays so until connect() is called.")
        begin(client.close())
        await until_idle()
        assert explained(client)[-1] == "Next: it is over within 3 s, permanently."


async def test_closed():
    """It says how the last connection ended, and what can be done."""
    connector = FakeConnector()
    async with opened(connector, heartbeat=ws.Heartbeat(2, 1)) as (client, _):
        await client.state_changes.closed.first()
        assert explained(client) == [
            "Closed: not connected to ws://host/ (1006 ABNORMAL_CLOSURE).",
            (
                "Since then, because the peer gave no sign of life in time "
                "(heartbeat_timeout)."
            ),
            (
                "Why: the connection was lost without a closing handshake (1006); no "
                "sign of life from the peer within heartbeat.timeout."
            ),
            "Final, since `connection_retry_interval` is None.",
            "Next: nothing, until connect() is called.",
        ]
        await client.close()
        assert explained(client) == [
            "Closed permanently.",
            "Since then, because close() was called (close).",
            "Next: nothing; make a new client.",
        ]


async def test_remarks():
    """It points at messages that nobody reads."""
    connector = FakeConnector()
    async with opened(connector, stream_capacity=2) as (client, transport):
        transport.message("one")
        assert explained(client)[-1] == "Nobody has subscribed yet; 1 message is kept."
        subscriber = client.stream.subscribe()
        for _ in range(3):
            transport.message("more")
        assert "Reading is paused: a subscriber's buffer is full." in explained(client)
        await asyncio.sleep(6)
        assert any("test_explain.py" in line for line in explained(client))
        subscriber.close()
        assert len(explained(client)) == 3
