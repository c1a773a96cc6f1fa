"""Timers for any duration.

A browser's timer takes 32 bits of milliseconds, and fires at once above that: 24.8
days. Pyodide's loop has known it since 0.29 only. So no timer is armed for longer,
and what is to wait longer is armed again.

Source: the WHATWG HTML standard, `setTimeout`.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol

LONGEST: Final = (2**31 - 1) / 1000
"""Seconds that a browser's timer can wait."""


class Timer(Protocol):
    """What can be cancelled: of the loop, or a long one."""

    def cancel(self) -> None:
        """Do not call."""


def call_later(delay: float, callback: Callable[..., object], *args: Any) -> Timer:
    """Call back after so many seconds of the running loop, however many they are."""
    loop = asyncio.get_running_loop()
    if delay <= LONGEST:
        return loop.call_later(delay, callback, *args)
    return _LongTimer(loop, delay, lambda: callback(*args))


class _LongTimer:
    """Waits for longer than a browser can at once."""

    __slots__ = ("_callback", "_due", "_handle", "_loop")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        delay: float,
        callback: Callable[[], object],
    ) -> None:
        self._loop = loop
        self._due = loop.time() + delay
        self._callback = callback
        self._handle: asyncio.Handle = loop.call_later(LONGEST, self._again)

    def cancel(self) -> None:
        """Do not call."""
        self._handle.cancel()

    def _again(self) -> None:
        left = self._due - self._loop.time()
        if left > LONGEST:
            self._handle = self._loop.call_later(LONGEST, self._again)
        else:
            self._handle = self._loop.call_later(max(0.0, left), self._callback)
