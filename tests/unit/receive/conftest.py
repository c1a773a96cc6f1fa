"""Fixtures of a client whose stream is read."""

import pytest

from tests.support.client_driver import driven_anywhere
from tests.support.client_helpers import Told
from tests.support.fake_transport import FakeConnector
from tests.support.stream_source import Source


@pytest.fixture
async def unconnected():
    connector, events = FakeConnector(), Told()
    options = {"stream_capacity": 1, "on_event": events}
    async with driven_anywhere(connector, **options) as client:
        yield Source(client, connector, events)


@pytest.fixture
async def source(unconnected):
    await unconnected.connect()
    return unconnected
