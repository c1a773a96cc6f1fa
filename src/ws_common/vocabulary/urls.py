"""WebSocket URLs: what is accepted, and how they are shown.

Source: RFC 6455 section 3, RFC 3986. A browser also takes `http:` and relative
URLs (WHATWG); they are refused here so that a program means the same everywhere.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from ws_common.vocabulary.errors import WSInvalidUrlError

_SCHEMES = ("ws", "wss")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\ud800-\udfff]")
_BRACKETED_HOST = re.compile(r"\[[^\[\]]+\](:[0-9]*)?")
_LABEL = r"[^\x00-\x20#%/:<>?@\[\\\]^|\x7f.]{1,63}"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\.?\Z)({_LABEL}\.)*{_LABEL}\.?")
_MAX_NAME_LENGTH = 254
"""Characters, with the dot at the end that a name may have."""


def check_url(url: object) -> str:
    """Return the URL as it is connected to, or raise before any I/O.

    The scheme is put in lower case, and a user without a password gets an empty one.

    Raises:
        WSInvalidUrlError: Not a string, another scheme, no valid host or port, bad
            credentials, a fragment, spaces or control characters.
    """
    if not isinstance(url, str):
        raise WSInvalidUrlError(
            f"a WebSocket URL must be a string, not {type(url).__name__}"
        )
    return _check_cached(url)


@lru_cache(maxsize=64)  # the URL of every attempt, and of clients by the thousand
def _check_cached(url: str) -> str:
    problem = find_url_error(url, _SCHEMES)
    if not problem and "#" in url:
        problem = "must not have a fragment (RFC 6455 section 3)"
    if problem:
        raise WSInvalidUrlError(f"a WebSocket URL {problem}: {redact(url)!r}")
    return add_empty_password(url)


def find_url_error(url: str, schemes: Sequence[str]) -> str | None:
    """Return what is wrong with a URL, or None.

    The answer quotes nothing from the URL, because any part of it may be a password.
    """
    if _FORBIDDEN.search(url):
        return "must not contain spaces or control characters, nor lone surrogates"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        user = unquote(parts.username or "", errors="strict")
        unquote(parts.password or "", errors="strict")
    except ValueError:
        return "needs a host and a port that can be read: this is not a valid URL"
    problem = None
    netloc_host = parts.netloc.rpartition("@")[2]
    if parts.scheme not in schemes:
        problem = f"begins with {' or '.join(f'{scheme}://' for scheme in schemes)}"
    elif not host:
        problem = "needs a host"
    elif port == 0:
        problem = "needs a port from 1 to 65535, or none: port 0 cannot be connected to"
    elif not is_host(host) or (":" in host) != bool(
        _BRACKETED_HOST.fullmatch(netloc_host)
    ):
        problem = (
            "needs a host: a name (labels of 1 to 63 characters with single dots "
            "between them, 253 in all) or an address (one of IPv6 in brackets)"
        )
    elif ":" in user:
        problem = "must not have a colon in its user name (RFC 7617 section 2)"
    return problem


def is_host(host: str) -> bool:
    """Whether this is a possible name or address of a host.

    Source: RFC 1035 section 2.3.4 for lengths, WHATWG URL for characters.
    """
    if ":" in host:
        from ipaddress import IPv6Address  # noqa: PLC0415 - seldom needed

        try:
            IPv6Address(host)
        except ValueError:
            return False
        return True
    if not host.isascii() and len(host) <= _MAX_NAME_LENGTH:
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            return False
    return bool(_HOST_NAME.fullmatch(host))


def add_empty_password(url: str) -> str:
    """Return a valid URL with its scheme in lower case and a password for its user.

    Where the password is missing it is empty, which is what curl and browsers send
    (RFC 7617 section 2): `wss://token@host/` is common, and `websockets` refuses it.
    """
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    if user:
        host = f"{user}@{host}" if ":" in user else f"{user}:@{host}"
    prefix_length = len(f"{parts.scheme}://{parts.netloc}")
    return f"{parts.scheme}://{host}{url[prefix_length:]}"


def redact(url: str) -> str:
    """The URL for logs and errors: no credentials, no query values, no fragment.

    Example:
        >>> redact("wss://joe:secret@example.org/chat?token=abc&v=1")
        'wss://example.org/chat?token=…&v=…'
    """
    try:
        parts = urlsplit(url)
        if "@" in url:
            parts.port  # noqa: B018 - raises where it is none
    except ValueError:
        return _UNREADABLE
    if "@" in url and not parts.netloc:
        # A password with a `/` in it ends what is parsed as the host.
        return _UNREADABLE
    host = parts.netloc.rpartition("@")[2]
    scheme = f"{parts.scheme}://" if parts.netloc else ""
    query = "&".join(map(_hide_value, parts.query.split("&")))
    return f"{scheme}{host}{parts.path}" + (f"?{query}" if parts.query else "")


_UNREADABLE = "<unreadable URL>"


def _hide_value(item: str) -> str:
    name, equals, _ = item.partition("=")
    # Without `=` it may be a token as a whole: then even its name is hidden.
    return f"{name}=…" if equals else "…"


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port, by which two URLs are the same server."""
    parts = urlsplit(url)
    default = 443 if parts.scheme == "wss" else 80
    return parts.scheme, parts.hostname, parts.port or default
