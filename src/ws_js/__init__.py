"""The browser's backend: WebSockets over `js.WebSocket`, through Pyodide.

The modules named `pyodide_*` deal with Pyodide: its proxies, its conversions, how it
raises what JavaScript throws, its event loop. They alone import `js` and
`pyodide`. All other modules describe what a browser does and what we make of it; they
see JavaScript through the Protocols of `javascript_types` and `browser_types`.
"""

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
"""Seconds between two runs of the timers of a hidden page (Chromium, WebKit)."""


def _check_close_code(code: int) -> None:
    """Raise unless a page may send this close code."""
    # WHATWG WebSockets, `close()`: any other code throws an InvalidAccessError. Peers
    # that hand it to the browser all the same keep a socket open without knowing it.
    if code != _NORMAL and code not in _OWN_CODES:
        raise WSUnsupportedError(
            f"a browser lets a page close with 1000 or 3000 to 4999 only, not with "
            f"{code}: use 1000, or agree with the server on a code from 4000 to 4999"
        )


PLATFORM = Platform(
    name="js",
    connector=BrowserConnector,
    check_close_code=_check_close_code,
    # A browser cannot pause. A capacity would therefore lose messages of any burst;
    # bytes bound the memory, and whoever exceeds them gets an error.
    stream_capacity=None,
    stream_max_bytes=64 * _MIB,
    stream_overflow="error",
    write_limit=_MIB,
    too_big_code=TOO_BIG,
    # A page may not send 1001, which RFC 6455 section 7.4.1 has for going away.
    going_away_code=1000,
    environment_events=PageEvents,
    timer_slack=_THROTTLED,
    to_data=to_data,
)
"""The platform that `ws` binds where `sys.platform` is "emscripten"."""
