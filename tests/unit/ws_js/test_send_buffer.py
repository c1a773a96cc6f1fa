"""How a browser's send buffer is watched, which tells nothing of itself."""

import asyncio

import pytest
from looptime import LoopTimeProxy

from ws_js.send_buffer import FIRST_LOOK, LAST_LOOK, Drain

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()


async def test_how_often_a_full_buffer_is_looked_at():
    """As often as timers allow while it drains; ever less while it stands still."""
    amounts = [900, 800, 700, 700, 700, 600, 500, 5]
    looks = []

    class Socket:
        @property
        def bufferedAmount(self) -> int:  # noqa: N802 - the name is JavaScript's
            looks.append(round(float(clock), 3))
            return amounts.pop(0)

    writable = asyncio.Event()
    drain = Drain(Socket(), 10, writable.set)
    drain.add("xxx")
    await writable.wait()
    assert looks == [0, 0.004, 0.008, 0.012, 0.02, 0.036, 0.04, 0.044]
    assert not drain.is_watching


async def test_a_message_stands_in_for_a_late_timer():
    """Timers of a hidden page fire once a minute; its messages arrive at once."""
    amounts = [900, 900, 5]

    class Socket:
        @property
        def bufferedAmount(self) -> int:  # noqa: N802 - the name is JavaScript's
            return amounts.pop(0)

    writable = asyncio.Event()
    drain = Drain(Socket(), 10, writable.set)
    drain.add("xxx")
    due = float(clock) + FIRST_LOOK
    drain.look_if_late(due - 0.001)
    assert amounts == [900, 5], "the timer is not late yet"
    drain.look_if_late(due)
    assert drain.is_watching
    assert not writable.is_set()
    drain.look_if_late(due + LAST_LOOK)
    assert writable.is_set()
    assert not drain.is_watching
    drain.look_if_late(due + 60)
    assert amounts == [], "a buffer that has room is not asked"
