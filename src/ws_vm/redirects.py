"""Redirects of the opening handshake (RFC 6455 section 4.1, RFC 9110 section 15.4).

The Sans-I/O layer of the library leaves them to its caller. No credentials are carried
to another origin, nor the name that the certificate of the first one must have.
"""

from collections.abc import Iterable, Sequence
from urllib.parse import urljoin, urlsplit, urlunsplit

from websockets.exceptions import InvalidStatus

from ws_common.errors import WSHandshakeError, WSInvalidUrlError
from ws_common.retry_after import retry_after
from ws_common.urls import check_url, origin, redact
from ws_vm.headers import plain_headers

MAX_REDIRECTS = 10

_STATUSES = frozenset({300, 301, 302, 303, 307, 308})
"""Those that the asyncio client of the library follows too."""
_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})
_SCHEMES = {"http": "ws", "https": "wss"}
"""A handshake is an HTTP request: `Location` may well name it so."""


class Redirected(Exception):  # noqa: N818 - no error, as long as it can be followed
    """The server sends us elsewhere.

    Attributes:
        refusal: What the library made of the answer.
        locations: As the server sent them; the library raises if there are two.
    """

    def __init__(self, refusal: InvalidStatus, locations: Sequence[str]) -> None:
        super().__init__(refusal, locations)
        self.refusal = refusal
        self.locations = locations


def redirection(error: InvalidStatus) -> Redirected | None:
    """The redirect that this refusal is; None where it is none."""
    locations = error.response.headers.get_all("Location")
    if error.response.status_code not in _STATUSES or not locations:
        return None
    return Redirected(error, locations)


def follow(redirected: Redirected, url: str, *, anywhere: bool) -> str:
    """Return the URL to go to.

    Args:
        redirected: What the server answered.
        url: Where it answered that.
        anywhere: False where only the same origin makes sense: on a Unix socket.

    Raises:
        WSHandshakeError: It cannot be followed, or must not.
    """
    location, *others = dict.fromkeys(redirected.locations)
    if others:
        raise _refusal(redirected, url, "to two places") from redirected.refusal
    try:
        parts = urlsplit(urljoin(url, location))
        scheme = _SCHEMES.get(parts.scheme, parts.scheme)
        target = check_url(urlunsplit(parts._replace(scheme=scheme, fragment="")))
    except WSInvalidUrlError as error:
        raise _refusal(redirected, url, str(error)) from redirected.refusal
    except ValueError:
        raise _refusal(redirected, url, "not a URL") from redirected.refusal
    if url.startswith("wss:") and not target.startswith("wss:"):
        reason = f"{redact(target)} is less secure"
        raise _refusal(redirected, url, reason) from redirected.refusal
    if not anywhere and origin(target) != origin(url):
        reason = f"{redact(target)} is not behind this Unix socket"
        raise _refusal(redirected, url, reason) from redirected.refusal
    return target


def too_many(redirected: Redirected, url: str) -> WSHandshakeError:
    """What to raise after `MAX_REDIRECTS` of them."""
    return _refusal(redirected, url, f"more than {MAX_REDIRECTS} redirects")


def without_credentials(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers that may go to another origin."""
    return [pair for pair in headers if pair[0].lower() not in _CREDENTIALS]


def _refusal(redirected: Redirected, url: str, reason: str) -> WSHandshakeError:
    response = redirected.refusal.response
    headers = plain_headers(response.headers)
    return WSHandshakeError(
        f"could not connect to {redact(url)}: the server answered "
        f"{response.status_code}, a redirect that is not followed: {reason}",
        status=response.status_code,
        headers=headers,
        retry_after=retry_after(headers),
    )
