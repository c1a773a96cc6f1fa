"""The times at which clients retry, on a virtual clock."""

import asyncio
from itertools import pairwise

import looptime  # noqa: F401 - tells that this file needs it
import pytest

from ws_common.client import WebSocketClient
from ws_common.lifecycle.states import Reconnecting
from ws_common.options.backoff import ConnectionRetryInterval
from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.errors import WSRetriesExhaustedError

pytestmark = pytest.mark.looptime


async def _failures(count: int) -> tuple[list[float], list[float]]:
    """Return the delays that a client announces, and the times of its attempts."""
    loop = asyncio.get_running_loop()
    times: list[float] = []

    async def connector(_request, _sink):
        times.append(loop.time())
        raise ConnectionRefusedError("nobody listens")

    options = WebSocketOptions.vm(
        custom_client=connector,
        connection_retry_interval=ConnectionRetryInterval(max_attempts=count),
    )
    async with WebSocketClient(options) as client:
        with pytest.raises(WSRetriesExhaustedError):
            await client.connect("ws://example.org/")
        states = [entry.state for entry in client.history]
    return [one.delay for one in states if isinstance(one, Reconnecting)], times


async def test_clients_never_share_a_sequence():
    """No two of many clients draw the same delay."""
    runs = await asyncio.gather(*(_failures(30) for _ in range(30)))

    drawn = [delay for waits, _ in runs for delay in waits]

    assert 30 * 29 == len(drawn)
    assert len(drawn) == len(set(drawn))


async def test_attempts_are_made_when_they_were_announced():
    """The time between two attempts is the delay that `Reconnecting` announced."""
    waits, times = await _failures(50)
    gaps = [later - earlier for earlier, later in pairwise(times)]

    assert waits == pytest.approx(gaps, abs=0.01)
    assert 0.5 <= min(waits)
    assert max(waits) <= 15.0
