"""WebSocket URLs: which are valid, and how they are shown without their secrets.

Source: RFC 6455 section 3, RFC 3986. A browser also accepts `http:` and relative URLs
(WHATWG). They are refused here, so that a program behaves the same on every platform.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from ws_common.vocabulary.errors import WSInvalidUrlError

_SCHEMES = ("ws", "wss")
# `urlsplit()` silently removes tabs and line breaks, so it must not see them: what was
# checked would not be what is sent. Lone surrogates cannot be encoded for the request.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\ud800-\udfff]")
# `urlsplit()` of some Pythons accepts text around the brackets, and ignores it.
_BRACKETED_HOST = re.compile(r"\[[^\[\]]+\](:[0-9]*)?")
# The forbidden host code points of the WHATWG URL standard, and not only the letters,
# digits and hyphens of RFC 1035: underscores are common in the names of containers.
_LABEL = r"[^\x00-\x20#%/:<>?@\[\\\]^|\x7f.]{1,63}"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\.?\Z)({_LABEL}\.)*{_LABEL}\.?")
_MAX_NAME_LENGTH = 254
"""The characters of a name, including a trailing dot."""


def check_url(url: object) -> str:
    """Return the URL to connect to, after checking it without any I/O.

    The scheme is converted to lower case, and a user without a password gets an empty
    one.

    Args:
        url: What the program passed.

    Raises:
        WSInvalidUrlError: It is not a string, has another scheme, has no valid host or
            port, has invalid credentials or a fragment, or contains spaces or control
            characters.
    """
    if not isinstance(url, str):
        raise WSInvalidUrlError(
            f"a WebSocket URL must be a string, not {type(url).__name__}"
        )
    return _check_cached(url)


# Every attempt checks its URL again, and thousands of clients may share one.
@lru_cache(maxsize=64)
def _check_cached(url: str) -> str:
    problem = find_url_error(url, _SCHEMES)
    if not problem and "#" in url:
        problem = "must not have a fragment (RFC 6455 section 3)"
    if problem:
        raise WSInvalidUrlError(f"a WebSocket URL {problem}: {redact(url)!r}")
    return add_empty_password(url)


def find_url_error(url: str, schemes: Sequence[str]) -> str | None:
    """Return what is wrong with a URL, worded to follow "a URL", or None.

    Args:
        url: The URL.
        schemes: The schemes that are allowed, in lower case.
    """
    # The text quotes nothing from the URL: a password with a `/` or `#` in it ends up
    # in the host, the path or the fragment.

    if _FORBIDDEN.search(url):
        return "must not contain spaces or control characters, nor lone surrogates"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        # A sender has to decode the credentials to put them into a header (RFC 7617).
        user = unquote(parts.username or "", errors="strict")
        unquote(parts.password or "", errors="strict")
    except ValueError:
        return "must have a valid host and port: this is not a valid URL"
    problem = None
    netloc_host = parts.netloc.rpartition("@")[2]
    if parts.scheme not in schemes:
        problem = f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}"
    elif not host:
        problem = "must have a host"
    elif port == 0:
        problem = "must have a port from 1 to 65535, or none: nothing listens on port 0"
    elif not is_host(host) or (":" in host) != bool(
        _BRACKETED_HOST.fullmatch(netloc_host)
    ):
        problem = (
            "must have a valid host: a name (labels of 1 to 63 characters with single "
            "dots between them, 253 in all) or an address (one of IPv6 in brackets)"
        )
    elif ":" in user:
        # It would end the user name in the header `Authorization`.
        problem = "must not have a colon in its user name (RFC 7617 section 2)"
    return problem


def is_host(host: str) -> bool:
    """Return whether this is a valid name or address of a host.

    Source: RFC 1035 section 2.3.4 for lengths, WHATWG URL for characters.
    """
    if ":" in host:
        from ipaddress import IPv6Address  # noqa: PLC0415 - seldom needed

        try:
            IPv6Address(host)
        except ValueError:
            return False
        return True
    # The codec took quadratic time before CPython 3.11.1 (CVE-2022-45061), so a name
    # that is too long does not reach it; the pattern refuses it as well.
    if not host.isascii() and len(host) <= _MAX_NAME_LENGTH:
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            return False
    return bool(_HOST_NAME.fullmatch(host))


def add_empty_password(url: str) -> str:
    """Return a valid URL with a lower-case scheme, and a password if it has a user.

    A missing password becomes an empty one, which is what curl and browsers send
    (RFC 7617 section 2).
    """
    # `wss://token@host/` is common, and `websockets` refuses a user without a password.
    # The scheme matters because the option `ssl` is used for URLs that begin with
    # "wss:": "WSS://" once connected without it. `urlunsplit()` would drop an empty
    # query.
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    if user:
        host = f"{user}@{host}" if ":" in user else f"{user}:@{host}"
    prefix_length = len(f"{parts.scheme}://{parts.netloc}")
    return f"{parts.scheme}://{host}{url[prefix_length:]}"


def redact(url: str) -> str:
    """Return a URL for logs and errors: no credentials, query values or fragment.

    Example:
        >>> redact("wss://joe:secret@example.org/chat?token=abc&v=1")
        'wss://example.org/chat?token=…&v=…'
    """
    try:
        parts = urlsplit(url)
        if "@" in url:
            # A `/` in a password ends what is parsed as the host, so that the rest of
            # the password takes the place of the port.
            parts.port  # noqa: B018 - raises if it is not a number
    except ValueError:
        return _UNREADABLE
    if "@" in url and not parts.netloc:
        # There is an `@`, but no host in front of the path: `joe:password@host`.
        return _UNREADABLE
    host = parts.netloc.rpartition("@")[2]
    scheme = f"{parts.scheme}://" if parts.netloc else ""
    query = "&".join(map(_hide_value, parts.query.split("&")))
    return f"{scheme}{host}{parts.path}" + (f"?{query}" if parts.query else "")


_UNREADABLE = "<unreadable URL>"


def _hide_value(item: str) -> str:
    name, equals, _ = item.partition("=")
    # Without `=` the item may be a token, so that even its name is hidden.
    return f"{name}=…" if equals else "…"


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port: two URLs with equal ones have the same origin."""
    parts = urlsplit(url)
    default = 443 if parts.scheme == "wss" else 80
    return parts.scheme, parts.hostname, parts.port or default
