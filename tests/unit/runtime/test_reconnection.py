"""Retries: when, how often, and what ends them. No real time."""

import asyncio
import itertools

import pytest
from looptime import LoopTimeProxy

import ws
from tests.support.client_driver import (
    URL,
    begin,
    driven,
    every,
    opened,
)
from tests.support.fake_transport import FakeConnector, refuse, refuse_with
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()


async def test_no_retries_by_default():
    """Without an interval one failure is the end, and its error is raised."""
    async with driven(FakeConnector(refuse)) as client:
        with pytest.raises(ws.WSNotConnectedError, match="no server there") as caught:
            await client.connect(URL)
        assert isinstance(caught.value.__cause__, ConnectionRefusedError)
        assert client.state == ws.Closed(None, None, caught.value)
        assert client.reconnect_timeout == 5


async def test_delays_are_the_drawn_ones():
    """The next attempt begins exactly when the state says, and inside the bounds."""
    connector = FakeConnector(refuse)
    interval = ws.ConnectionRetryInterval(min=0.5, max=15, factor=2, max_attempts=9)
    async with driven(connector, connection_retry_interval=interval) as client:
        with pytest.raises(ws.WSRetriesExhaustedError):
            await client.connect(URL)
        states = [entry.state for entry in client.history]
        waits = [state for state in states if isinstance(state, ws.Reconnecting)]
        assert [wait.attempt for wait in waits] == list(range(2, 10))
        begun = [attempt.at for attempt in connector.attempts]
        gaps = [b - a for a, b in itertools.pairwise(begun)]
        assert gaps == pytest.approx([wait.delay for wait in waits], abs=1e-6)
        for retry, wait in enumerate(waits):
            assert 0.5 <= wait.delay <= min(15, 0.5 * 2 ** (retry + 1))
        assert len(set(gaps)) == len(gaps)


async def test_reconnect_timeout():
    """It is the drawn delay while the client waits, and else the minimum."""
    connector = FakeConnector()
    options = {"connection_retry_interval": (2, 30)}
    async with driven(connector, **options) as client:
        assert client.reconnect_timeout == 2
        begin(client.connect(URL)).add_done_callback(lambda done: done.exception())
        (await connector.next()).refuse()
        await until_idle()
        assert isinstance(client.state, ws.Reconnecting)
        assert client.reconnect_timeout == client.state.delay > 2
        assert client.metrics.next_reconnection_attempt == client.state.at
        assert client.metrics.is_reconnection_active


async def test_exhausted():
    """After `max_attempts` in a row the client gives up, and names the last error."""
    connector = FakeConnector(refuse)
    async with driven(connector, **every(max_attempts=3)) as client:
        with pytest.raises(ws.WSRetriesExhaustedError) as caught:
            await client.connect(URL)
        assert len(connector.attempts) == caught.value.attempts == 3
        assert "no server there" in str(caught.value.__cause__)
        assert clock == 2
        assert client.state.error is caught.value
        with pytest.raises(ws.WSNotConnectedError, match="gave up after 3"):
            await client.add("x")


async def test_an_unstable_connection_is_a_failed_attempt():
    """Until `min_uptime` has passed, the failure streak goes on."""
    connector = FakeConnector()
    async with opened(connector, **every(min_uptime=5, max_attempts=3)) as (
        client,
        first,
    ):
        await asyncio.sleep(4.9)
        first.closed()
        for _ in range(2):
            transport = await connector.opened()
            assert client.state.is_open
            await asyncio.sleep(4.9)
            transport.closed()
        await until_idle()
        assert isinstance(client.state.error, ws.WSRetriesExhaustedError)
        assert clock == pytest.approx(3 * 4.9 + 2)


async def test_a_stable_connection_resets_the_streak():
    """After `min_uptime` the streak ends: any number of such losses is survived."""
    connector = FakeConnector()
    options = every(min_uptime=5, max_attempts=2)
    async with opened(connector, **options) as (client, transport):
        for _ in range(5):
            assert client.metrics.current_reconnect_attempts == 0
            await asyncio.sleep(5)
            transport.closed()
            await until_idle()
            assert client.state.attempt == 1
            transport = await connector.opened()  # noqa: PLW2901 - the next one
        assert client.state.is_open
        assert client.metrics.reconnects_successful == 5


async def test_the_delay_grows_and_starts_over():
    """The upper end doubles with each failure, and is small again once stable."""
    connector = FakeConnector()
    uppers = []

    class Recorded(ws.ConnectionRetryInterval):
        def draw(self, retry, *, spread=False, rng=None):
            uppers.append(self.upper(retry))
            return 0.5

    options = {"connection_retry_interval": Recorded(min=0.5, max=15, min_uptime=5)}
    async with driven(connector, **options) as client:
        asked = begin(client.connect(URL))
        for _ in range(3):
            (await connector.next()).refuse()
        transport = await connector.opened()
        await asked
        await asyncio.sleep(5)
        transport.closed()
        await until_idle()
    assert uppers == [1, 2, 4, 1]


@pytest.mark.parametrize(
    ("asked_for", "delay"), [(30, 31), (1e9, 301), (0, 1), (None, 1)]
)
async def test_retry_after(asked_for, delay):
    """It is added in front of the drawn delay, up to five minutes."""
    connector = FakeConnector()
    async with driven(connector, **every()) as client:
        begin(client.connect(URL)).add_done_callback(lambda done: done.exception())
        refuse_with(503, asked_for)(await connector.next())
        await connector.next()
        assert clock == delay
