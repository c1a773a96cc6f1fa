"""An outbox whose messages expire, while `on_event` sends others."""

import asyncio
import time

import pytest

import ws
from tests.support.fake_network import URL, begin, playing
from tests.support.fake_transport import FakeConnector

TTL = 0.05
"""Seconds of the wall's clock: age is not told by the loop's."""


class Replacing:
    """Sends a new message when the first one is dropped."""

    def __init__(self) -> None:
        self.client: ws.WebSocketClient | None = None
        self.receipts: list[ws.Receipt] = []
        self._done = False

    def __call__(self, event: ws.ClientEvent) -> None:
        if event.name == "message_dropped" and not self._done:
            self._done = True  # before: sending may drop the next one
            self.receipts.append(self.client.add_nowait("instead"))


async def settled(receipt: ws.Receipt) -> str:
    """Wait for the outcome of a message, and return it."""
    try:
        async with asyncio.timeout(2):
            await receipt
    except (ws.WSError, TimeoutError):
        pass
    return receipt.status


@pytest.fixture
async def reported():
    """The exceptions in callbacks that were reported to the loop."""
    found: list[BaseException | None] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, told: found.append(told.get("exception")))
    return found


OUTBOX = {"outbox": ws.Outbox(ttl=TTL)}


async def test_a_message_sent_while_another_expires(reported):
    """All old messages expire, the new one waits, and no timer raises."""
    connector, replacing = FakeConnector(), Replacing()
    async with playing(connector, on_event=replacing, **OUTBOX) as client:
        replacing.client = client
        begin(client.connect(URL))
        await connector.next()
        old = [client.add_nowait(text) for text in ("a", "b", "c")]
        assert [await settled(one) for one in old] == ["expired"] * 3
        assert reported == []
        assert [one.status for one in replacing.receipts] == ["queued"]


async def test_a_message_that_finds_others_too_old():
    """A message is not lost because others are dropped while it is sent."""
    connector, replacing = FakeConnector(), Replacing()
    async with playing(connector, on_event=replacing, **OUTBOX) as client:
        replacing.client = client
        asked = begin(client.connect(URL))
        attempt = await connector.next()
        old = [client.add_nowait(text) for text in ("a", "b", "c")]
        time.sleep(2 * TTL)  # noqa: ASYNC251 - a busy loop, whose timers come late
        new = client.add_nowait("new")
        wire = attempt.open()
        await asked
        assert [one.status for one in old] == ["expired"] * 3
        assert new.status == "sent"
        assert sorted(wire.sent) == ["instead", "new"]
