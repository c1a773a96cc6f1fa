"""Polling the send buffer of a browser."""

import asyncio

import pytest
from looptime import LoopTimeProxy

from ws_js.send_buffer import FIRST_POLL, LONGEST_POLL, SendBuffer

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()


async def test_how_often_a_full_buffer_is_looked_at():
    """It is polled as often as timers allow while it drains, and then less often."""
    amounts = [900, 800, 700, 700, 700, 600, 500, 5]
    polls = []

    class Socket:
        @property
        def bufferedAmount(self) -> int:  # noqa: N802 - the name is JavaScript's
            polls.append(round(float(clock), 3))
            return amounts.pop(0)

    writable = asyncio.Event()
    buffer = SendBuffer(Socket(), 10, writable.set)
    buffer.count_message("xxx")
    await writable.wait()
    assert polls == [0, 0.004, 0.008, 0.012, 0.02, 0.036, 0.04, 0.044]
    assert not buffer.is_polling


async def test_a_message_stands_in_for_a_late_timer():
    """A message polls if the timer is late, as in a hidden page."""
    amounts = [900, 900, 5]

    class Socket:
        @property
        def bufferedAmount(self) -> int:  # noqa: N802 - the name is JavaScript's
            return amounts.pop(0)

    writable = asyncio.Event()
    buffer = SendBuffer(Socket(), 10, writable.set)
    buffer.count_message("xxx")
    due = float(clock) + FIRST_POLL
    buffer.poll_if_late(due - 0.001)
    assert amounts == [900, 5], "the timer is not late yet"
    buffer.poll_if_late(due)
    assert buffer.is_polling
    assert not writable.is_set()
    buffer.poll_if_late(due + LONGEST_POLL)
    assert writable.is_set()
    assert not buffer.is_polling
    buffer.poll_if_late(due + 60)
    assert amounts == [], "a buffer that has room is not asked"
