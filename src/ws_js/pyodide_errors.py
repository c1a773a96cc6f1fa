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
from ws_js.blocked_urls import why_never

__all__ = ["JsException", "name_and_message", "not_made"]

_FORBIDDEN: Final = frozenset({"SecurityError", "NS_ERROR_CONTENT_BLOCKED"})
"""What is thrown where a page may not open a URL; the second in Firefox."""

_WRAPPED: Final = re.compile(r'gives """(\w+): (.*?)"""', re.DOTALL)
"""How Pyodide quotes what was thrown and is no error to it."""


def name_and_message(error: JsException) -> tuple[str, str]:
    """Tell what JavaScript called an error.

    A `DOMException` of WebKit has no stack. Pyodide takes what has none for no error,
    and throws one of its own that quotes it.
    """
    quoted = _WRAPPED.search(error.message) if error.name == "Error" else None
    return (quoted[1], quoted[2]) if quoted else (error.name, error.message)


def not_made(
    error: JsException, url: str, origin: str
) -> WSInvalidUrlError | WSHandshakeError | WSUnsupportedError:
    """Make the error for a `WebSocket` that could not be made."""
    shown = redact(url)
    name, message = name_and_message(error)
    if name == "SyntaxError":
        # Subprotocols were checked with the options, so it is the URL.
        return WSInvalidUrlError(f"the browser does not take the URL {shown!r}")
    if name in _FORBIDDEN:
        said = f" ({message})" if message else ""
        why = why_never(origin, url) or f"the page's security policy forbids it{said}"
        return WSHandshakeError(
            f"the browser refuses to connect to {shown}: {why}", permanent=True
        )
    return WSUnsupportedError(
        f"the runtime's WebSocket cannot connect to {shown}: {name}: {message}"
    )
