"""Refusals of a server: which are final, and what `explain()` says about them."""

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
"""Providers, which are called before each attempt: the URL and the options."""


def refusal(status: int) -> ws.WSHandshakeError:
    return ws.WSHandshakeError(f"the server answered {status}", status=status)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_provider_may_bring_a_better_token(provider, status):
    """With a provider 401 and 403 are final only the third time in a row."""
    url, options = PROVIDERS[provider]
    connector = FakeConnector()
    async with playing(connector, **RETRY, **options) as client:
        asked = begin(client.connect(url))
        states = []
        for _ in range(3):
            (await connector.next()).refuse(refusal(status))
            await until_idle()
            states.append(type(client.state))
            if states[-1] is not ws.Reconnecting:
                break
        assert states == [ws.Reconnecting, ws.Reconnecting, ws.Closed]
        assert asked.exception().status == status


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_401_soon_after_connecting(provider):
    """The same holds if the connection before was not stable yet."""
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
    """It says so, and names the option that can change it."""
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
    """It names the option, or says that no server can help."""
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
    """Some servers check the token after the handshake, and close with 3000."""
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
    """A new token does not change a 404."""
    url, options = PROVIDERS["headers"]
    connector = FakeConnector()
    async with playing(connector, **RETRY, **options) as client:
        begin(client.connect(url))
        (await connector.next()).refuse(refusal(404))
        await until_idle()
        assert isinstance(client.state, ws.Closed)
