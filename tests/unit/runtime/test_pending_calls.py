"""The calls that wait for an outcome: the latest counts, and each gets its own."""

import asyncio

import pytest

from ws_common.runtime.pending_calls import PendingCalls
from ws_common.vocabulary.errors import WSError, WSSupersededError


def raised_by(call):
    """The error that a call raises; None if it returns."""
    assert call.outcome.done()
    return call.outcome.exception()


async def test_an_open_connection_answers_those_that_wait_for_it():
    """A call that waits for idle goes on waiting."""
    calls = PendingCalls()
    connect = calls.begin("connect", "open")
    calls.on_opened()

    disconnect = calls.begin("disconnect", "idle")
    calls.on_opened()

    assert raised_by(connect) is None
    assert not disconnect.outcome.done()


async def test_the_later_of_two_connects_counts():
    """The first one raises, and names the call that has overtaken it."""
    calls = PendingCalls()
    first, second = calls.begin("connect", "open"), calls.begin("reconnect", "open")

    assert isinstance(raised_by(first), WSSupersededError)
    assert "overtaken by a later reconnect()" in str(raised_by(first))
    assert not second.outcome.done()
    assert calls.is_latest(second)
    assert not calls.is_latest(first)


async def test_several_calls_wait_for_the_same_end():
    """disconnect() and a later close() return together."""
    calls = PendingCalls()
    both = [calls.begin("disconnect", "idle"), calls.begin("close", "idle")]
    assert not any(call.outcome.done() for call in both)

    calls.on_idle(None)

    assert [None, None] == [raised_by(call) for call in both]


async def test_a_connect_that_follows_a_disconnect():
    """The disconnect() returns: its connection is being replaced."""
    calls = PendingCalls()
    disconnect = calls.begin("disconnect", "idle")
    connect = calls.begin("connect", "open")

    assert raised_by(disconnect) is None
    assert not connect.outcome.done()


async def test_what_ends_the_attempts_is_raised():
    """A connect() raises it; without an error it goes on waiting."""
    calls, error = PendingCalls(), WSError("no server")
    connect = calls.begin("connect", "open")

    calls.on_idle(None)
    assert not connect.outcome.done()
    calls.on_idle(error)

    assert raised_by(connect) is error


async def test_a_cancelled_call_takes_no_outcome():
    """Nothing raises where the caller has gone."""
    calls = PendingCalls()
    calls.begin("connect", "open").outcome.cancel()

    calls.on_opened()
    calls.on_idle(WSError("no server"))


async def test_waiting_for_the_permanent_end():
    """Everybody who waits is woken, also one who comes later."""
    calls = PendingCalls()
    waiting = [asyncio.ensure_future(calls.wait_finished()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)

    calls.finish()
    await asyncio.gather(*waiting)
    await calls.wait_finished()


@pytest.mark.parametrize("condition", ["open", "idle"])
async def test_supersede(condition):
    """What comes from elsewhere ends the calls in progress as well."""
    calls = PendingCalls()
    call = calls.begin("connect" if condition == "open" else "disconnect", condition)

    calls.supersede("close")

    expected = WSSupersededError if condition == "open" else type(None)
    assert isinstance(raised_by(call), expected)
