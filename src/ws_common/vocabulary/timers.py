"""Timers for durations of any length.

`setTimeout()` of a browser takes milliseconds as a signed integer of 32 bits, and fires
at once for more: above 24.8 days. The event loop of Pyodide handles this only since
0.29. So no timer is started for longer; one that has to wait longer is started again.

Source: the WHATWG HTML standard, `setTimeout`.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final

MAX_TIMER_DELAY: Final = (2**31 - 1) / 1000
"""The seconds that a timer of a browser can wait."""


class _LongTimer:
    """A timer for a longer delay than a browser supports."""

    __slots__ = ("_callback", "_due", "_handle")

    def __init__(self, delay: float, callback: Callable[[], object]) -> None:
        loop = asyncio.get_running_loop()
        # The time at which it is due is stored, not the rest: every timer is a little
        # late, and the errors would add up over months.
        self._due = loop.time() + delay
        self._callback = callback
        self._handle: Timer = loop.call_later(MAX_TIMER_DELAY, self._rearm)

    def cancel(self) -> None:
        """Cancel the call."""
        self._handle.cancel()

    def _rearm(self) -> None:
        left = self._due - asyncio.get_running_loop().time()
        self._handle = call_later(max(0.0, left), self._callback)


Timer = asyncio.TimerHandle | _LongTimer
"""What `call_later()` returns: it has `cancel()`."""


def call_later(delay: float, callback: Callable[..., object], *args: Any) -> Timer:
    """Call a function after a delay of any length, in the running loop.

    Args:
        delay: Seconds.
        callback: The function.
        *args: Its arguments.
    """
    # Nearly every timer takes this path, which creates no object besides the loop's
    # own.
    if delay <= MAX_TIMER_DELAY:
        return asyncio.get_running_loop().call_later(delay, callback, *args)
    return _LongTimer(delay, partial(callback, *args))
