"""Finds out over HTTP why a handshake failed, which a browser does not tell a page.

The same URL is requested with a plain GET: first without cookies, then with those that
the handshake carried. With cookies, a browser answers a 401 that asks for a password
(`WWW-Authenticate`) with a login dialog, and a page cannot prevent that otherwise. So
if the first response is such a 401, or may be one, there is no second request.

The response belongs to another request than the handshake, so it is interpreted with
care:

- 401, 403, 429, 5xx and the like are sent before a server looks for `Upgrade`. They are
  taken for the status of the handshake.
- 2xx, 400, 405, 426 and the like are what a WebSocket endpoint that works responds to a
  request without `Upgrade`. They are not taken for the status.
- 404 may be either: many frameworks have no route for a GET of a WebSocket endpoint. It
  is taken and marked as inferred, so that it is final only the third time in a row.
- 407 comes from a proxy. The standard hides it; Firefox and WebKit do not.
- Redirects are not followed in a handshake, and their target is hidden from pages.

Cross-origin rules hide the response of another server, unless that allows the origin of
the page. Then a second, opaque request finds out whether any server is there. A status
is also marked as inferred if only the response without cookies is known, because of a
possible dialog or because the server does not allow credentials.

Source: the WHATWG Fetch standard.
"""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from ws_common.vocabulary.retry_after import parse_retry_after
from ws_js.browser_types import JsResponse
from ws_js.pyodide_bridge import PyodideBridge
from ws_js.pyodide_errors import JsException

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})

_ENDPOINT_STATUSES: Final = frozenset({400, 405, 406, 411, 415, 426, 501, 505})
"""Statuses that object to a request without `Upgrade`, and not to a handshake."""

_NO_ANSWER: Final = (
    "asked over HTTP, it gives no answer either: the server was not reached, or its "
    "certificate is not trusted, or a proxy refused (407), or the page's policy "
    "forbids asking"
)
_CORS_HINT: Final = (
    "to show it, the server names the page's origin in Access-Control-Allow-Origin and "
    "sends Access-Control-Allow-Credentials: true"
)

_UNAUTHORIZED: Final = 401
_PROXY_AUTH_REQUIRED: Final = 407
_CHALLENGE: Final = "www-authenticate"
_EXPOSED: Final = "access-control-expose-headers"

_NOT_FOUND: Final = 404

_REFUSALS: Final = range(400, 600)


class Finding(NamedTuple):
    """The result of a diagnosis.

    Attributes:
        description: What was found out, in plain words.
        status: The HTTP status, if it can be taken for that of the handshake.
        headers: The headers of the response, as far as the page may see them.
        status_is_inferred: Whether the status may not be that of the handshake.
    """

    description: str
    status: int | None = None
    headers: Mapping[str, str] = _NO_HEADERS
    status_is_inferred: bool = False

    @property
    def retry_after(self) -> float | None:
        """The seconds for which the server asks to wait."""
        return parse_retry_after(self.headers)


async def diagnose(bridge: PyodideBridge, url: str, seconds: float) -> Finding:
    """Request the URL of a WebSocket over HTTP, to find out why a handshake failed.

    Cancelling it aborts the request.

    Args:
        bridge: The access to JavaScript.
        url: The URL, which begins with `ws`.
        seconds: The time that it may take.
    """
    # `fetch` throws for a URL with credentials (Fetch, "Request constructor"). Without
    # them it would be another request.
    if "@" in urlsplit(url).netloc:
        return Finding("a page may not ask a URL that holds a password over HTTP")
    try:
        async with asyncio.timeout(seconds):
            return await _ask_server(bridge, "http" + url.removeprefix("ws"))
    except TimeoutError:
        return Finding(f"asked over HTTP, it gives no answer within {seconds:.1f} s")


async def _ask_server(bridge: PyodideBridge, url: str) -> Finding:
    without_cookies = await _fetch(bridge, url, credentials="omit")
    if without_cookies is not None:
        return await _ask_with_cookies(bridge, url, without_cookies)
    parts = urlsplit(url)
    # Cross-origin rules exist only in a page, and not within its own origin.
    if bridge.origin in {"", f"{parts.scheme}://{parts.netloc}".lower()}:
        return Finding(_NO_ANSWER)
    # Fetch: a request with the mode "no-cors" has to follow redirects.
    opaque = await _fetch(
        bridge, url, mode="no-cors", credentials="omit", redirect="follow"
    )
    if opaque is None:
        return Finding(
            f"{_NO_ANSWER}, or cross-origin rules hide the answer: {_CORS_HINT}"
        )
    return Finding(
        "a server answers there over HTTP, but cross-origin rules hide what: "
        + _CORS_HINT
    )


async def _ask_with_cookies(
    bridge: PyodideBridge, url: str, without_cookies: JsResponse
) -> Finding:
    """Repeat the request with cookies, unless that could bring up a login dialog."""
    finding = _interpret(without_cookies)
    challenged = (
        without_cookies.status == _UNAUTHORIZED and _CHALLENGE in finding.headers
    )
    # Without a page (in Node.js), there are no cookies either.
    if challenged or not bridge.origin:
        return finding
    with_cookies = None
    if without_cookies.status != _UNAUTHORIZED or _exposes_all_headers(without_cookies):
        with_cookies = await _fetch(bridge, url, credentials="include")
    return (
        finding._replace(status_is_inferred=True)
        if with_cookies is None
        else _interpret(with_cookies)
    )


async def _fetch(
    bridge: PyodideBridge,
    url: str,
    *,
    credentials: str,
    mode: str = "cors",
    redirect: str = "manual",
) -> JsResponse | None:
    try:
        promise, controller = bridge.fetch(
            url, mode=mode, credentials=credentials, redirect=redirect
        )
    except JsException:
        # `fetch` itself never throws, but pages replace it with functions that do.
        return None
    try:
        # Pyodide up to 0.25 sets the result of an awaited promise even if the await was
        # cancelled, and that raises. The shield is cancelled instead.
        (outcome,) = await asyncio.shield(promise)
    finally:
        # This also ends the transfer of the body, which nobody reads.
        controller.abort()
    # The error of a rejection is not looked at: it says "Failed to fetch" in all cases.
    response: JsResponse | None = (
        outcome.value if outcome.status == "fulfilled" else None
    )
    return response


def _interpret(response: JsResponse) -> Finding:
    status = response.status
    description = (
        f"asked over HTTP, the server answers {status} {response.statusText}".strip()
    )
    if response.type == "opaqueredirect" or 300 <= status < 400:  # noqa: PLR2004
        return Finding(
            "asked over HTTP, the server redirects, which a browser does not follow "
            "for a WebSocket: use the URL that it redirects to"
        )
    if status == _PROXY_AUTH_REQUIRED:
        return Finding("asked over HTTP, a proxy wants a password (407)")
    if status not in _REFUSALS or status in _ENDPOINT_STATUSES:
        return Finding(
            f"{description}, as a WebSocket endpoint may: the server is there, and "
            "either it refused the upgrade or something on the way cut it off"
        )
    headers = _headers(response)
    if status == _NOT_FOUND:
        description += ", though a WebSocket endpoint may say so to a plain request too"
    return Finding(
        description, status, headers, status_is_inferred=status == _NOT_FOUND
    )


def _headers(response: JsResponse) -> dict[str, str]:
    return {name: value for name, value in response.headers.entries()}  # noqa: C416 - JavaScript's pairs


def _exposes_all_headers(response: JsResponse) -> bool:
    """Whether the page sees all headers, so that a missing one was not sent."""
    # By default, a page sees seven headers of a cross-origin response only (Fetch,
    # "CORS-safelisted response-header name"), without `WWW-Authenticate`.
    exposed = _headers(response).get(_EXPOSED, "")
    return response.type == "basic" or "*" in exposed
