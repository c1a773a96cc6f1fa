"""WebSocket URLs: what is accepted, and how they are shown.

Source: RFC 6455 section 3, RFC 3986. A browser also takes `http:` and relative
URLs (WHATWG); they are refused here so that a program means the same everywhere.
"""

from urllib.parse import SplitResult, urlsplit

from ws_common.errors import WSInvalidUrlError

_SCHEMES = ("ws", "wss")


def check_url(url: object) -> str:
    """Return the URL, its scheme in small letters, or raise before any I/O.

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
    except ValueError:  # its words show parts of the URL, a password too
        msg = f"{redact(url)!r} is not a valid URL: its host or port is none"
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
    return parts.scheme + url[len(parts.scheme) :]


def redact(url: str) -> str:
    """The URL for logs and errors: no credentials, no query values, no fragment.

    Example:
        >>> redact("wss://joe:secret@example.org/chat?token=abc&v=1")
        'wss://example.org/chat?token=…&v=…'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return _UNREADABLE
    if "@" in url and not (parts.netloc and _has_valid_port(parts)):
        # A password with a `/` in it ends what is parsed as the host.
        return _UNREADABLE
    host = parts.netloc.rpartition("@")[2]
    scheme = f"{parts.scheme}://" if parts.netloc else ""
    query = "&".join(map(_without_value, parts.query.split("&")))
    return f"{scheme}{host}{parts.path}" + (f"?{query}" if parts.query else "")


_UNREADABLE = "<unreadable URL>"


def _has_valid_port(parts: SplitResult) -> bool:
    try:
        parts.port  # noqa: B018 - raises
    except ValueError:
        return False
    return True


def _without_value(item: str) -> str:
    name, equals, _ = item.partition("=")
    # Without `=` it may be a token as a whole: then even its name is hidden.
    return f"{name}=…" if equals else "…"


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port, by which two URLs are the same server."""
    parts = urlsplit(url)
    default = 443 if parts.scheme == "wss" else 80
    return parts.scheme, parts.hostname, parts.port or default
