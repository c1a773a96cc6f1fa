"""What is final and what is not, and who goes on trying for nobody."""

import asyncio
import gc
import warnings
from pathlib import Path

import pytest

import ws
from tests.support.fake_network import URL, begin, playing
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime

RETRY = {"connection_retry_interval": (1, 1)}

PROVIDERS = {
    "headers": (URL, {"headers": lambda _: {"Authorization": "fresh"}}),
    "url": (lambda _: URL, {}),
}
"""What is asked anew before each attempt: the URL and the options."""


def refusal(status: int) -> ws.WSHandshakeError:
    return ws.WSHandshakeError(f"the server answered {status}", status=status)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_provider_may_bring_a_better_token(provider, status):
    """401 and 403 are final only the third time in a row where one is asked."""
    url, options = PROVIDERS[provider]
    connector = FakeConnector()
    async with playing(connector, **RETRY, **options) as client:
        asked = begin(client.connect(url))
        shown = []
        for _ in range(3):
            (await connector.next()).refuse(refusal(status))
            await until_idle()
            shown.append(type(client.state))
            if shown[-1] is not ws.Reconnecting:
                break
        assert shown == [ws.Reconnecting, ws.Reconnecting, ws.Closed]
        assert asked.exception().status == status


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_401_soon_after_connecting(provider):
    """So it is where the connection before was too short to be called stable."""
    url, options = PROVIDERS[provider]
    connector = FakeConnector()
    async with playing(connector, **RETRY, **options) as client:
        asked = begin(client.connect(url))
        wire = await connector.opened()
        await asked
        wire.closed()
        (await connector.next()).refuse(refusal(401))
        await until_idle()
        assert isinstance(client.state, ws.Reconnecting)


@pytest.mark.parametrize("status", [401, 404])
async def test_explain_says_why_an_end_is_final(status):
    """And where to say otherwise."""
    connector = FakeConnector()
    async with playing(connector, **RETRY) as client:
        begin(client.connect(URL))
        (await connector.next()).refuse(refusal(status))
        await until_idle()
        assert isinstance(client.state, ws.Closed)
        explained = client.explain()
        assert f"{status} is not retried" in explained
        assert "retry_if" in explained


async def test_explain_says_why_a_close_code_is_final():
    """The same holds for the code of a Close frame."""
    connector = FakeConnector()
    async with playing(connector, **RETRY) as client:
        asked = begin(client.connect(URL))
        wire = await connector.opened()
        await asked
        wire.closing(1008, "go away")
        wire.closed(1008, "go away")
        await until_idle()
        assert isinstance(client.state, ws.Closed)
        assert "retry_if" in client.explain()


@pytest.mark.parametrize(
    ("error", "options", "why"),
    [
        (None, {"max_attempts": 1}, "`max_attempts` is 1"),
        (None, {"retry_if": lambda _: False}, "`retry_if` said so"),
        (ws.WSUnsupportedError("not here"), {}, "not get better by itself"),
    ],
)
async def test_explain_says_why_another_end_is_final(error, options, why):
    """The options said so, or no server can help."""
    interval = ws.ConnectionRetryInterval(1, 1, **options)
    connector = FakeConnector()
    async with playing(connector, connection_retry_interval=interval) as client:
        begin(client.connect(URL))
        (await connector.next()).refuse(error)
        await until_idle()
        assert isinstance(client.state, ws.Closed)
        (line,) = [line for line in client.explain().splitlines() if "Final" in line]
        assert why in line


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_provider_may_bring_a_token_that_is_looked_at_later(provider):
    """Some servers check it after the handshake, and close with 3000."""
    url, options = PROVIDERS[provider]
    connector = FakeConnector()
    async with playing(connector, **RETRY, **options) as client:
        begin(client.connect(url))
        for expected in (ws.Reconnecting, ws.Reconnecting, ws.Closed):
            wire = await connector.opened()
            await until_idle()
            wire.closing(3000, "expired")
            wire.closed(3000, "expired")
            await until_idle()
            assert isinstance(client.state, expected)


async def test_other_refusals_are_final_with_a_provider():
    """No token makes a 404 better."""
    url, options = PROVIDERS["headers"]
    connector = FakeConnector()
    async with playing(connector, **RETRY, **options) as client:
        begin(client.connect(url))
        (await connector.next()).refuse(refusal(404))
        await until_idle()
        assert isinstance(client.state, ws.Closed)


async def forget_one(connector: FakeConnector, state: str = "open") -> None:
    """Make a client, in the second line, that nobody holds when this returns."""
    client = ws.WebSocketClient(connector.options(heartbeat=None, **RETRY))
    asked = begin(client.connect(URL))
    wire = await connector.opened()
    await asked
    if state != "open":
        wire.closed()
        assert isinstance(client.state, ws.Reconnecting)
    if state == "connecting":
        await connector.next()
        assert isinstance(client.state, ws.Connecting)


def warned(caught: list[warnings.WarningMessage]) -> str:
    """What ResourceWarnings say."""
    kinds = [one for one in caught if issubclass(one.category, ResourceWarning)]
    return "\n".join(f"{one.filename}:{one.lineno} {one.message}" for one in kinds)


async def collect() -> None:
    """Let what nobody holds be found, and what follows from it happen."""
    await until_idle()
    gc.collect()
    await until_idle()
    await asyncio.sleep(5)
    gc.collect()
    await until_idle()


@pytest.mark.parametrize("state", ["open", "reconnecting", "connecting"])
async def test_a_client_that_nobody_holds(state):
    """It is aborted, wherever it is, and tries no more."""
    connector = FakeConnector()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await forget_one(connector, state)
        await collect()
        begun = len(connector.attempts)
        await asyncio.sleep(60)
    assert connector.sockets == []
    assert len(connector.attempts) == begun
    assert all(attempt.cancelled for attempt in connector.attempts[1:])
    assert warned(caught)


async def test_the_warning_names_the_line_that_made_it():
    """The reader finds it."""
    connector = FakeConnector()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await forget_one(connector)
        await collect()
    line = forget_one.__code__.co_firstlineno + 2
    assert f"{Path(__file__).name}:{line}" in warned(caught)


async def test_a_client_with_a_subscriber_goes_on():
    """Whoever holds a subscriber holds the client."""
    connector = FakeConnector()
    client = ws.WebSocketClient(connector.options(heartbeat=None, **RETRY))
    subscriber = client.stream.subscribe()
    asked = begin(client.connect(URL))
    await connector.opened()
    await asked
    del client, asked
    await collect()
    connector.attempts[0].transport.closed()
    wire = await connector.opened()
    wire.message("still here")
    assert await anext(subscriber) == "still here"
    with warnings.catch_warnings():  # now nobody holds it
        warnings.simplefilter("ignore", ResourceWarning)
        del subscriber
        await collect()
