"""Wherever messages wait, their number and their bytes are limited."""

import asyncio

import pytest

import ws
from tests.support.fake_network import URL, begin, connected, playing
from tests.support.fake_transport import FakeConnector
from tests.support.holding_interceptor import HoldingInterceptor
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime

MIB = 2**20

MANY_LARGE = 64
"""Messages of a MiB; natively a subscriber's buffer is full with 8."""

MANY = 5000
"""Messages of any size; natively a subscriber's buffer is full with 1024."""

LARGE = "x" * MIB
"""One object, however often it is held."""


def send_until_paused(transport, message: str, most: int) -> int:
    """Send messages until reading is paused, and return their number."""
    for count in range(most):
        if transport.paused:
            return count
        transport.message(message)
    return most


async def test_bytes_in_front_of_interceptors():
    """A few large messages that wait for an interceptor pause the socket."""
    connector, holding = FakeConnector(), HoldingInterceptor()
    async with connected(connector, interceptors=[holding]) as (client, transport):
        assert send_until_paused(transport, LARGE, MANY_LARGE) < MANY_LARGE
        holding.released.set()
        messages = client.stream.subscribe()
        async with asyncio.timeout(1):
            assert await anext(messages) == LARGE


@pytest.mark.parametrize(
    ("message", "most"), [pytest.param(LARGE, MANY_LARGE, id="bytes"), ("x", MANY)]
)
async def test_in_front_of_interceptors_during_after_connect(message, most):
    """Messages that wait before the connection is open pause the socket too."""
    connector, holding = FakeConnector(), HoldingInterceptor()
    greeting = asyncio.Event()
    options = {
        "interceptors": [holding],
        "after_connect": lambda _: greeting.wait(),
    }
    async with playing(connector, **options) as client:
        connecting = begin(client.connect(URL))
        transport = await connector.opened()
        assert isinstance(client.state, ws.Connecting)
        count = send_until_paused(transport, message, most)
        assert count < most
        greeting.set()
        holding.released.set()
        await connecting
        messages = client.stream.subscribe()
        async with asyncio.timeout(1):
            for _ in range(count):
                assert await anext(messages) == message
        await until_idle()
        assert not transport.paused


async def test_before_the_connector_has_returned():
    """So do messages that arrive before the connector has returned."""
    connector, holding = FakeConnector(), HoldingInterceptor()
    async with playing(connector, interceptors=[holding]) as client:
        begin(client.connect(URL))
        attempt = await connector.next()
        transport = attempt.early()
        for _ in range(MANY_LARGE):
            transport.message(LARGE)
        attempt.open()
        await until_idle()
        assert transport.paused
