"""The Pings that wait for their Pong, without a connection."""

import asyncio

import pytest

from ws_vm.pings import NO_PINGS, Pings, cancel_pings, new_ping, resolve_pings


@pytest.mark.looptime
async def test_round_trip():
    """A Pong resolves its Ping and the older ones, each with its own duration."""
    loop, waiting = asyncio.get_running_loop(), Pings()
    _, first = new_ping(loop, waiting)
    await asyncio.sleep(1)
    payload, second = new_ping(loop, waiting)
    _, third = new_ping(loop, waiting)
    await asyncio.sleep(2)
    resolve_pings(loop, waiting, payload)
    assert first.result() == pytest.approx(3)
    assert second.result() == pytest.approx(2)
    assert not third.done()
    assert len(waiting) == 1


async def test_payloads_differ():
    """Otherwise a Pong could not be assigned to its Ping."""
    loop, waiting = asyncio.get_running_loop(), Pings()
    payloads = {new_ping(loop, waiting)[0] for _ in range(100)}
    assert payloads == waiting.keys()
    assert len(payloads) == 100
    cancel_pings(waiting)


async def test_the_end_cancels_all():
    """Nobody waits for a Pong that cannot arrive; the shared dictionary stays empty."""
    loop, waiting = asyncio.get_running_loop(), Pings()
    _, ping = new_ping(loop, waiting)
    cancel_pings(waiting)
    cancel_pings(NO_PINGS)
    assert ping.cancelled()
    assert waiting == NO_PINGS == {}


async def test_unsolicited_pong_resolves_nothing():
    """A Pong with another payload is ignored, and so is one after a cancelled Ping."""
    loop, waiting = asyncio.get_running_loop(), Pings()
    payload, ping = new_ping(loop, waiting)
    resolve_pings(loop, waiting, b"other")
    assert not ping.done()
    ping.cancel()
    resolve_pings(loop, waiting, payload)
    assert waiting == {}
