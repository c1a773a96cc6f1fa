"""What JavaScript has thrown, converted to errors of the package."""

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
"""The errors thrown for a URL that the page may not open; Firefox has the second."""

_QUOTED: Final = re.compile(r'gives """(\w+): (.*?)"""', re.DOTALL)
"""How Pyodide quotes what was thrown, if it does not recognize that as an error."""


def name_and_message(error: JsException) -> tuple[str, str]:
    """Return the name and the message that an error has in JavaScript."""
    # A `DOMException` of WebKit has no stack. Pyodide does not recognize it as an error
    # then, and throws an error of its own that quotes it. Without this, a URL that
    # WebKit does not accept was retried like a failure of the network.
    quoted = _QUOTED.search(error.message) if error.name == "Error" else None
    return (quoted[1], quoted[2]) if quoted else (error.name, error.message)


def connection_error(
    error: JsException, url: str, origin: str
) -> WSInvalidUrlError | WSHandshakeError | WSUnsupportedError:
    """Make the error for a `WebSocket` whose constructor has thrown.

    Args:
        error: The exception that was thrown.
        url: The URL, which appears in the error without its secrets.
        origin: The origin of the page.
    """
    redacted_url = redact(url)
    name, message = name_and_message(error)
    if name == "SyntaxError":
        # The constructor also throws this for subprotocols. But those were checked with
        # the options, so that the URL must be wrong.
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
