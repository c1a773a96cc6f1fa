"""URL and header providers, called before each attempt; the history."""

import asyncio

import pytest
from looptime import LoopTimeProxy

import ws
from tests.support.client_driver import (
    URL,
    begin,
    causes,
    driven,
    kinds,
    opened,
)
from tests.support.fake_transport import FakeConnector, accept
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()


@pytest.mark.parametrize("is_async", [True, False])
async def test_providers(is_async):
    """Both are called again before each attempt; they may be sync or async."""

    def url(context: ws.ConnectContext):
        return answer(f"ws://host/{context.attempt}")

    def headers(context: ws.ConnectContext):
        return answer({"X-Last": type(context.last_error).__name__})

    def answer(value):
        async def later():
            await asyncio.sleep(1)
            return value

        return later() if is_async else value

    connector = FakeConnector(
        lambda attempt: attempt.refuse() if len(connector.attempts) < 3 else None
    )
    interval = ws.ConnectionRetryInterval(min=1, max=1)
    options = {"headers": headers, "connection_retry_interval": interval}
    async with driven(connector, **options) as client:
        asked = begin(client.connect(url))
        for _ in range(3):
            attempt = await connector.next()
        attempt.open()
        await asked
        asked_for = [
            (one.request.url, one.request.headers["X-Last"][0])
            for one in connector.attempts
        ]
        assert asked_for == [
            ("ws://host/1", "NoneType"),
            ("ws://host/2", "WSNotConnectedError"),
            ("ws://host/3", "WSNotConnectedError"),
        ]
        assert client.state == ws.Open("ws://host/3", None, 1)


@pytest.mark.parametrize("bad", ["url", "headers"])
async def test_a_provider_raises(bad):
    """It is a failed attempt, and the next one may do better."""
    calls = []

    def provide(context: ws.ConnectContext):
        calls.append(context.attempt)
        if len(calls) == 1:
            raise PermissionError("token expired")
        return URL if bad == "url" else {}

    connector = FakeConnector(accept)
    options = {"headers": provide} if bad == "headers" else {}
    interval = ws.ConnectionRetryInterval(min=1, max=1)
    async with driven(
        connector, connection_retry_interval=interval, **options
    ) as client:
        await client.connect(provide if bad == "url" else URL)
        assert calls == [1, 2]
        assert clock == 1
        waiting = next(
            e for e in client.history if isinstance(e.state, ws.Reconnecting)
        )
        assert "token expired" in str(waiting.state.error)
        assert isinstance(waiting.state.error.__cause__, PermissionError)


async def test_a_provider_gives_no_url():
    """An invalid URL is final: no server can help."""
    interval = ws.ConnectionRetryInterval(min=1, max=1)
    async with driven(FakeConnector(), connection_retry_interval=interval) as client:
        with pytest.raises(ws.WSInvalidUrlError):
            await client.connect(lambda _: "http://host/")
        assert kinds(client) == ["Connecting", "Closed"]


async def test_history():
    """It has each change with its time and cause, and is bounded."""
    interval = ws.ConnectionRetryInterval(min=1, max=1)
    connector = FakeConnector()
    options = {"connection_retry_interval": interval}
    async with opened(connector, **options) as (client, transport):
        transport.closing(1001)
        transport.closed(1001)
        (await connector.opened()).closed()
        await client.disconnect()
        assert list(zip(kinds(client), causes(client), strict=True)) == [
            ("Connecting", "connect"),
            ("Open", "opened"),
            ("Disconnecting", "peer_closing"),
            ("Reconnecting", "peer_closed"),
            ("Connecting", "retry_due"),
            ("Open", "opened"),
            ("Reconnecting", "network_lost"),
            ("Closed", "disconnect"),
        ]
        times = [entry.at for entry in client.history]
        assert times == sorted(times)
        for _ in range(100):
            begin(client.connect(URL)).add_done_callback(lambda done: done.exception())
            await until_idle()
        assert len(client.history) == 100
