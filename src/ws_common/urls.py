"""WebSocket URLs: what is accepted, and how they are shown.

Source: RFC 6455 section 3, RFC 3986. A browser also takes `http:` and relative
URLs (WHATWG); they are refused here so that a program means the same everywhere.
"""

from urllib.parse import parse_qsl, urlsplit

from ws_common.errors import WSInvalidUrlError

_SCHEMES = ("ws", "wss")


def check_url(url: object) -> str:
    """Return the URL, or raise before any I/O.

    Raises:
        WSInvalidUrlError: Not a string, another scheme, no host, a bad port, a
            fragment, spaces or control characters.
    """
    if not isinstance(url, str):
        msg = f"a WebSocket URL must be a string, not {type(url).__name__}"
        raise WSInvalidUrlError(msg)
    if any(ord(char) <= 0x20 or ord(char) == 0x7F for char in url):  # noqa: PLR2004
        msg = "a WebSocket URL must not contain spaces or control characters"
        raise WSInvalidUrlError(f"{msg}: {redact(url)!r}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        msg = f"{redact(url)!r} is not a valid URL: {error}"
        raise WSInvalidUrlError(msg) from None
    problem = None
    if parts.scheme not in _SCHEMES:
        problem = "a WebSocket URL begins with ws:// or wss://"
    elif not parts.hostname:
        problem = "a WebSocket URL needs a host"
    elif port == 0:
        problem = "port 0 cannot be connected to"
    elif "#" in url:
        problem = "a WebSocket URL must not have a fragment (RFC 6455 section 3)"
    if problem:
        msg = f"{problem}: {redact(url)!r}"
        raise WSInvalidUrlError(msg)
    return url


def redact(url: str) -> str:
    """The URL for logs and errors: no credentials, no query values, no fragment.

    Example:
        >>> redact("wss://joe:secret@example.org/chat?token=abc&v=1")
        'wss://example.org/chat?token=…&v=…'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "<unreadable URL>"
    if not parts.netloc and "@" in url:
        return "<unreadable URL>"
    host = parts.netloc.rpartition("@")[2]
    scheme = f"{parts.scheme}://" if parts.netloc else ""
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    # A query without `=` may be a token as a whole: then even its name is hidden.
    query = "&".join(f"{name}=…" for name in names) if "=" in parts.query else "…"
    return f"{scheme}{host}{parts.path}" + (f"?{query}" if parts.query else "")


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port, by which two URLs are the same server."""
    parts = urlsplit(url)
    default = 443 if parts.scheme == "wss" else 80
    return parts.scheme, parts.hostname, parts.port or default
