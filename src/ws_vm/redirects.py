"""Redirects of the opening handshake (RFC 6455 section 4.1, RFC 9110 section 15.4).

The Sans-I/O layer of the library leaves them to its caller. No credentials are carried
to another origin, nor the name that the certificate of the first one must have.
"""

from collections.abc import Iterable, Sequence
from urllib.parse import urljoin, urlsplit, urlunsplit

from websockets.exceptions import InvalidStatus

from ws_common.vocabulary.errors import WSInvalidUrlError
from ws_common.vocabulary.urls import check_url, origin, redact
from ws_vm.failures import refusal_error

MAX_REDIRECTS = 10

_STATUSES = frozenset({300, 301, 302, 303, 307, 308})
"""Those that the asyncio client of the library follows too."""
_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})
_SCHEMES = {"http": "ws", "https": "wss"}
"""A handshake is an HTTP request: `Location` may well name it so."""


def redirect_target(
    error: Exception, url: str, hop: int, *, any_origin: bool
) -> str | None:
    """Return the URL to go to; None where this error is no redirect.

    Args:
        error: What an attempt has raised.
        url: The URL of the attempt.
        hop: How many redirects were followed before.
        any_origin: False where only the same origin makes sense: on a Unix socket.

    Raises:
        WSHandshakeError: It cannot be followed, or must not.
    """
    if not isinstance(error, InvalidStatus):
        return None
    response = error.response
    locations = response.headers.get_all("Location")
    if response.status_code not in _STATUSES or not locations:
        return None
    try:
        return _resolve_target(url, locations, hop, any_origin=any_origin)
    except WSInvalidUrlError as problem:
        reason = str(problem)
    except ValueError:
        reason = "not a URL"
    words = f"{response.status_code}, a redirect that is not followed: {reason}"
    what = f"could not connect to {redact(url)}: the server answered {words}"
    raise refusal_error(response, what) from error


def _resolve_target(
    url: str, locations: Sequence[str], hop: int, *, any_origin: bool
) -> str:
    """Return the URL that is meant.

    Raises:
        WSInvalidUrlError: It is none to go to.
        ValueError: It is no URL.
    """
    if hop == MAX_REDIRECTS:
        raise WSInvalidUrlError(f"more than {MAX_REDIRECTS} redirects")
    location, *others = dict.fromkeys(locations)
    if others:
        raise WSInvalidUrlError("to two places")
    parts = urlsplit(urljoin(url, location))
    scheme = _SCHEMES.get(parts.scheme, parts.scheme)
    target = check_url(urlunsplit(parts._replace(scheme=scheme, fragment="")))
    if url.startswith("wss:") and not target.startswith("wss:"):
        raise WSInvalidUrlError(f"{redact(target)} is less secure")
    if not any_origin and origin(target) != origin(url):
        raise WSInvalidUrlError(f"{redact(target)} is not behind this Unix socket")
    return target


def without_credentials(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers that may go to another origin."""
    return [pair for pair in headers if pair[0].lower() not in _CREDENTIALS]
