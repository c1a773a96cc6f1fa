"""Wherever messages wait, they are bounded by number and by bytes."""

import asyncio

import pytest

import ws
from tests.support.fake_network import URL, begin, connected, playing
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime

MIB = 2**20

MUCH = 64
"""Messages of a MiB; natively a subscriber's buffer is full with 8."""

MANY = 5000
"""Messages of any size; natively a subscriber's buffer is full with 1024."""

LARGE = "x" * MIB
"""One object, however often it is held."""


class Holding(ws.WSInterceptor):
    """Holds what comes in until it is told to let it go."""

    def __init__(self) -> None:
        self.released = asyncio.Event()

    async def on_message(self, data, next):
        await self.released.wait()
        await next(data)


def speak_until_paused(wire, message: str, most: int) -> int:
    """Send messages as a peer would whose socket is read; how many it was."""
    for count in range(most):
        if wire.paused:
            return count
        wire.message(message)
    return most


async def test_bytes_in_front_of_interceptors():
    """Large messages that wait for an interceptor pause the socket before many do."""
    connector, holding = FakeConnector(), Holding()
    async with connected(connector, interceptors=[holding]) as (client, wire):
        assert speak_until_paused(wire, LARGE, MUCH) < MUCH
        holding.released.set()
        messages = client.stream.subscribe()
        async with asyncio.timeout(1):
            assert await anext(messages) == LARGE


@pytest.mark.parametrize(
    ("message", "most"), [pytest.param(LARGE, MUCH, id="bytes"), ("x", MANY)]
)
async def test_in_front_of_interceptors_during_after_connect(message, most):
    """The same holds before the connection is open."""
    connector, holding = FakeConnector(), Holding()
    greeting = asyncio.Event()
    options = {
        "interceptors": [holding],
        "after_connect": lambda _: greeting.wait(),
    }
    async with playing(connector, **options) as client:
        asked = begin(client.connect(URL))
        wire = await connector.opened()
        assert isinstance(client.state, ws.Connecting)
        count = speak_until_paused(wire, message, most)
        assert count < most
        greeting.set()
        holding.released.set()
        await asked
        messages = client.stream.subscribe()
        async with asyncio.timeout(1):
            for _ in range(count):
                assert await anext(messages) == message
        await until_idle()
        assert not wire.paused


async def test_before_the_connector_has_returned():
    """Nor does it matter that the transport is not there yet when they arrive."""
    connector, holding = FakeConnector(), Holding()
    async with playing(connector, interceptors=[holding]) as client:
        begin(client.connect(URL))
        attempt = await connector.next()
        wire = attempt.early()
        for _ in range(MUCH):
            wire.message(LARGE)
        attempt.open()
        await until_idle()
        assert wire.paused
