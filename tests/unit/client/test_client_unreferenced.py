"""A client that is no longer referenced: it is aborted, with a ResourceWarning."""

import asyncio
import gc
import warnings
from pathlib import Path

import pytest

import ws
from tests.support.fake_network import URL, begin
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime

RETRY = {"connection_retry_interval": (1, 1)}


async def forget_one(connector: FakeConnector, state: str = "open") -> None:
    """Make a client, in the second line, that is unreferenced when this returns."""
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
    """The texts of the ResourceWarnings."""
    kinds = [one for one in caught if issubclass(one.category, ResourceWarning)]
    return "\n".join(f"{one.filename}:{one.lineno} {one.message}" for one in kinds)


async def collect() -> None:
    """Collect what is unreferenced, and wait for what follows."""
    await until_idle()
    gc.collect()
    await until_idle()
    await asyncio.sleep(5)
    gc.collect()
    await until_idle()


@pytest.mark.parametrize("state", ["open", "reconnecting", "connecting"])
async def test_a_client_that_nobody_holds(state):
    """It is aborted in every state, and makes no further attempt."""
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
    """The programmer finds the line."""
    connector = FakeConnector()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await forget_one(connector)
        await collect()
    line = forget_one.__code__.co_firstlineno + 2
    assert f"{Path(__file__).name}:{line}" in warned(caught)


async def test_a_client_with_a_subscriber_goes_on():
    """A reference to a subscriber keeps the client alive."""
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
    with warnings.catch_warnings():  # now it is unreferenced
        warnings.simplefilter("ignore", ResourceWarning)
        del subscriber
        await collect()
