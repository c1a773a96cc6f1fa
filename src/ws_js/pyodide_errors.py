"""What JavaScript throws, as errors of ours."""

import re
from typing import Final

from pyodide.ffi import JsException

from ws_common.vocabulary.errors import (
    WSHandshakeError,
    WSInvalidUrlError,
    WSUnsupportedError,
)
from ws_common.vocabulary.urls import redact
from ws_js.blocked_urls import blocked_reason

__all__ = ["JsException", "connection_error", "name_and_message"]

_SECURITY_ERRORS: Final = frozenset({"SecurityError", "NS_ERROR_CONTENT_BLOCKED"})
"""What is thrown where a page may not open a URL; the second in Firefox."""

_QUOTED: Final = re.compile(r'gives """(\w+): (.*?)"""', re.DOTALL)
"""How Pyodide quotes what was thrown and is no error to it."""


def name_and_message(error: JsException) -> tuple[str, str]:
    """Tell what JavaScript called an error.

    A `DOMException` of WebKit has no stack. Pyodide takes what has none for no error,
    and throws one of its own that quotes it.
    """
    quoted = _QUOTED.search(error.message) if error.name == "Error" else None
    return (quoted[1], quoted[2]) if quoted else (error.name, error.message)


def connection_error(
    error: JsException, url: str, origin: str
) -> WSInvalidUrlError | WSHandshakeError | WSUnsupportedError:
    """Make the error for a `WebSocket` that could not be made."""
    redacted_url = redact(url)
    name, message = name_and_message(error)
    if name == "SyntaxError":
        # Subprotocols were checked with the options, so it is the URL.
        return WSInvalidUrlError(f"the browser does not take the URL {redacted_url!r}")
    if name in _SECURITY_ERRORS:
        details = f" ({message})" if message else ""
        reason = (
            blocked_reason(origin, url)
            or f"the page's security policy forbids it{details}"
        )
        return WSHandshakeError(
            f"the browser refuses to connect to {redacted_url}: {reason}",
            permanent=True,
        )
    return WSUnsupportedError(
        f"the runtime's WebSocket cannot connect to {redacted_url}: {name}: {message}"
    )
