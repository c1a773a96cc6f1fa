"""Redirects of the opening handshake (RFC 6455 section 4.1, RFC 9110 section 15.4).

The Sans-I/O layer of the library leaves redirects to its caller. Credentials are not
sent to another origin. Neither is its certificate checked against `server_hostname`,
which is meant for the first one.
"""

from collections.abc import Iterable, Sequence
from urllib.parse import urljoin, urlsplit, urlunsplit

from websockets.exceptions import InvalidStatus

from ws_common.vocabulary.errors import WSInvalidUrlError
from ws_common.vocabulary.urls import check_url, origin, redact
from ws_vm.failures import refusal_error

MAX_REDIRECTS = 10
"""How many redirects are followed before the attempt fails."""

_STATUSES = frozenset({300, 301, 302, 303, 307, 308})
"""The statuses that are redirects, as in the asyncio client of the library."""

_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})
_SCHEMES = {"http": "ws", "https": "wss"}
"""The WebSocket scheme of each HTTP scheme.

The opening handshake is an HTTP request, and many servers redirect it to http(s)://.
"""


def redirect_target(
    error: Exception, url: str, hop: int, *, any_origin: bool
) -> str | None:
    """Return the URL that a redirect leads to; None if the error is not a redirect.

    Args:
        error: What opening the connection has raised.
        url: The URL of the attempt.
        hop: How many redirects were followed before.
        any_origin: Whether another origin is allowed; a Unix socket leads to one only.

    Raises:
        WSHandshakeError: The redirect cannot be followed, or must not be.
    """
    if not isinstance(error, InvalidStatus):
        return None
    response = error.response
    locations = response.headers.get_all("Location")
    # Without a Location it is a refusal, such as a 304, and keeps its status.
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
    """Return the URL that the Location headers name.

    Raises:
        WSInvalidUrlError: The redirect must not be followed.
        ValueError: A Location is not a URL.
    """
    if hop == MAX_REDIRECTS:
        raise WSInvalidUrlError(f"more than {MAX_REDIRECTS} redirects")
    # A header that is repeated with the same value is no contradiction.
    location, *others = dict.fromkeys(locations)
    if others:
        raise WSInvalidUrlError("it has two different Location headers")
    parts = urlsplit(urljoin(url, location))
    scheme = _SCHEMES.get(parts.scheme, parts.scheme)
    target = check_url(urlunsplit(parts._replace(scheme=scheme, fragment="")))
    # A redirect must not turn encryption off: the first server may be trusted, but not
    # the network on the way to the next one.
    if url.startswith("wss:") and not target.startswith("wss:"):
        raise WSInvalidUrlError(f"{redact(target)} would be less secure")
    if not any_origin and origin(target) != origin(url):
        raise WSInvalidUrlError(
            f"{redact(target)} cannot be reached through this Unix socket"
        )
    return target


def without_credentials(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the headers that may be sent to another origin."""
    return [pair for pair in headers if pair[0].lower() not in _CREDENTIALS]
