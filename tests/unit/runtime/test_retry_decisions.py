"""What is retried, and what is final. No real time."""

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
    every,
    kinds,
    opened,
    outcome,
)
from tests.support.fake_transport import FakeConnector, refuse_with
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()


@pytest.mark.parametrize(
    ("answer", "delay"), [(True, 1), (0, 0), (7, 7), (0.25, 0.25), (None, 1)]
)
async def test_retry_if_goes_on(answer, delay):
    """True and None retry after the drawn delay; a number is the delay."""
    connector = FakeConnector()
    async with driven(connector, **every(retry_if=lambda _: answer)) as client:
        asked = begin(client.connect(URL))
        (await connector.next()).refuse()
        await connector.opened()
        await asked
        assert clock == delay


@pytest.mark.parametrize(("status", "answer"), [(503, False), (404, None)])
async def test_retry_if_stops(status, answer):
    """False stops what would be retried; None leaves a 404 final."""
    connector = FakeConnector(refuse_with(status))
    async with driven(connector, **every(retry_if=lambda _: answer)) as client:
        with pytest.raises(ws.WSHandshakeError):
            await client.connect(URL)
        assert len(connector.attempts) == 1


async def test_retry_if_knows():
    """It gets all the facts, and `max_attempts` holds whatever it returns."""
    contexts = []

    def decide(context: ws.RetryContext) -> bool:
        contexts.append(context)
        return True

    connector = FakeConnector(refuse_with(401))
    async with driven(connector, **every(retry_if=decide, max_attempts=3)) as client:
        with pytest.raises(ws.WSRetriesExhaustedError):
            await client.connect(URL)
    facts = [(one.attempt, one.elapsed, one.default) for one in contexts]
    assert facts == [(1, 0, False), (2, 1, False), (3, 2, False)]
    assert not any(one.ever_connected for one in contexts)
    assert [one.error.status for one in contexts] == [401] * 3


async def test_retry_if_raises():
    """It is reported, and the default decision holds."""
    events = []

    def decide(_: ws.RetryContext) -> bool:
        raise ZeroDivisionError

    connector = FakeConnector()
    options = every(retry_if=decide)
    async with driven(connector, on_event=events.append, **options) as client:
        asked = begin(client.connect(URL))
        (await connector.next()).refuse()
        await connector.opened()
        assert await outcome(asked) is None
    assert "retry_if_raised" in [event.name for event in events]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_refusals_are_final_at_first(status):
    """They are final for a server that has never worked."""
    connector = FakeConnector(refuse_with(status))
    async with driven(connector, **every()) as client:
        with pytest.raises(ws.WSHandshakeError) as caught:
            await client.connect(URL)
        assert caught.value.status == status
        assert len(connector.attempts) == 1


async def test_refusals_after_a_stable_connection():
    """The third in a row is final; another failure in between resets the count."""
    connector = FakeConnector()
    async with opened(connector, **every()) as (client, transport):
        await asyncio.sleep(5)
        transport.closed()
        for status in (401, 401, 503, 401, 401):
            refuse_with(status)(await connector.next())
            await until_idle()
            assert isinstance(client.state, ws.Reconnecting), status
        refuse_with(401)(await connector.next())
        await until_idle()
        assert client.state.error.status == 401


@pytest.mark.parametrize("code", [1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003])
async def test_final_codes(code):
    """Such a code is final for a connection that was not stable yet."""
    connector = FakeConnector()
    async with opened(connector, **every()) as (client, transport):
        transport.closing(code)
        transport.closed(code)
        assert client.state.error.close_code == code
        assert client.state.is_closed


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006, 1011, 1012, 1013, 4000])
async def test_passing_codes(code):
    """All other codes are retried, also a 1000 of the server."""
    connector = FakeConnector()
    async with opened(connector, **every()) as (client, transport):
        transport.closed(code)
        assert isinstance(client.state, ws.Reconnecting)
        assert client.state.close_code == code
        await connector.opened()
        assert client.state.is_open


async def test_another_url_is_another_server():
    """A stable connection to one URL does not make another URL trusted."""
    connector = FakeConnector()
    async with opened(connector, **every()) as (client, _):
        await asyncio.sleep(5)
        asked = begin(client.connect(OTHER))
        refuse_with(404)(await connector.next())
        assert (await outcome(asked)).status == 404
        assert causes(client)[-1] == "attempt_failed"
        assert kinds(client)[-2:] == ["Connecting", "Closed"]
        assert len(connector.attempts) == 2
