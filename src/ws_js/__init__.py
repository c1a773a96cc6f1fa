"""The browser backend: WebSockets over `js.WebSocket`, through Pyodide."""

from typing import Final

from ws_common.options.platform import Platform
from ws_common.vocabulary.errors import WSUnsupportedError
from ws_js.close_info import TOO_BIG
from ws_js.connector import BrowserConnector
from ws_js.page_events import PageEvents
from ws_js.pyodide_data import to_data

__all__ = ["PLATFORM"]

_MIB: Final = 2**20
_NORMAL: Final = 1000
_OWN_CODES: Final = range(3000, 5000)
_THROTTLED: Final = 60.0
"""Seconds between two runs of a hidden page's timers (Chromium, WebKit)."""


def _check_close_code(code: int) -> None:
    """Raise unless a page may send this code (WHATWG WebSockets, `close()`)."""
    if code != _NORMAL and code not in _OWN_CODES:
        raise WSUnsupportedError(
            f"a browser lets a page close with 1000 or 3000 to 4999 only, not with "
            f"{code}: use 1000, or agree with the server on a code from 4000 to 4999"
        )


PLATFORM = Platform(
    name="js",
    connector=BrowserConnector,
    check_close_code=_check_close_code,
    stream_capacity=None,
    stream_max_bytes=64 * _MIB,
    stream_overflow="error",
    write_limit=_MIB,
    too_big_code=TOO_BIG,
    going_away_code=1000,
    environment_events=PageEvents,
    timer_slack=_THROTTLED,
    to_data=to_data,
)
"""The browser."""
