"""Timers for any duration.

A browser's timer takes 32 bits of milliseconds, and fires at once above that: 24.8
days. Pyodide's loop has known it since 0.29 only. So no timer is armed for longer,
and what is to wait longer is armed again.

Source: the WHATWG HTML standard, `setTimeout`.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final

MAX_TIMER_DELAY: Final = (2**31 - 1) / 1000
"""Seconds that a browser's timer can wait."""


class _LongTimer:
    """Waits for longer than a browser can at once."""

    __slots__ = ("_callback", "_due", "_handle")

    def __init__(self, delay: float, callback: Callable[[], object]) -> None:
        loop = asyncio.get_running_loop()
        self._due = loop.time() + delay
        self._callback = callback
        self._handle: Timer = loop.call_later(MAX_TIMER_DELAY, self._rearm)

    def cancel(self) -> None:
        """Do not call."""
        self._handle.cancel()

    def _rearm(self) -> None:
        left = self._due - asyncio.get_running_loop().time()
        self._handle = call_later(max(0.0, left), self._callback)


Timer = asyncio.TimerHandle | _LongTimer
"""What can be cancelled."""


def call_later(delay: float, callback: Callable[..., object], *args: Any) -> Timer:
    """Call back after so many seconds of the running loop, however many they are."""
    if delay <= MAX_TIMER_DELAY:
        return asyncio.get_running_loop().call_later(delay, callback, *args)
    return _LongTimer(delay, partial(callback, *args))
