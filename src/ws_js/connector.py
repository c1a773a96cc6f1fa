"""Opens connections with the browser's own `WebSocket`."""

import asyncio
from typing import TYPE_CHECKING, Final

from ws_common.options.options import (
    Connector,
    ConnectRequest,
    WebSocketOptions,
)
from ws_common.vocabulary.errors import WSHandshakeError
from ws_common.vocabulary.transport import TransportSink
from ws_common.vocabulary.urls import redact
from ws_js.blocked_urls import PolicyWatch, why_never
from ws_js.diagnosis import diagnose
from ws_js.pyodide_bridge import PyodideBridge
from ws_js.transport import JsTransport

_HIDDEN: Final = (
    "a browser tells a page no more (its console may): the server was not reached, "
    "or its certificate is not trusted, or it or a proxy refused with an HTTP status"
)
_FORBIDDEN: Final = "the page's security policy (CSP, connect-src) forbids it"

_LONGEST: Final = 10.0
"""Seconds that a diagnosis may take, at most."""


class BrowserConnector:
    """Opens connections with `js.WebSocket`.

    Args:
        options: The client's options.
        bridge: JavaScript; by default that of the runtime we are in.
    """

    __slots__ = ("_bridge",)

    def __init__(
        self,
        _options: WebSocketOptions | None = None,
        bridge: PyodideBridge | None = None,
    ) -> None:
        self._bridge = bridge or PyodideBridge.here()

    async def __call__(
        self, request: ConnectRequest, sink: TransportSink
    ) -> JsTransport:
        """Open one connection.

        Cancelling it closes the socket and destroys its proxies. The caller bounds
        the time.

        Raises:
            WSHandshakeError: It was not opened, and a browser hides why; or the page
                may not open it, which is permanent.
            WSInvalidUrlError: The browser does not take the URL.
            WSUnsupportedError: The runtime has no `WebSocket`.
        """
        began = asyncio.get_running_loop().time()
        options = request.options
        with PolicyWatch(self._bridge.js) as policy:
            socket = self._bridge.open_socket(request.url, options.protocols)
            transport = JsTransport(self._bridge, socket, sink, options)
            try:
                await transport.opened
            except BaseException as error:
                # Cancelled, perhaps in the very turn in which it was opened.
                transport.abort()
                if not isinstance(error, ConnectionError):
                    raise
                said = str(error)
            else:
                return transport
        never = why_never(self._bridge.origin, request.url)
        if policy.forbids(socket.url):
            never = _FORBIDDEN
        raise await self._refused(request, said, began, never)

    async def _refused(
        self, request: ConnectRequest, said: str, began: float, never: str | None
    ) -> WSHandshakeError:
        """Make the error that says as much as can be known."""
        what = f"could not connect to {redact(request.url)}"
        if never is not None:
            return WSHandshakeError(f"{what}: {never}", permanent=True)
        maybe = ""
        if request.options.protocols:
            maybe = ", or it picked none of the subprotocols offered"
        if not request.options.diagnose:
            return WSHandshakeError(f"{what}: {said or _HIDDEN + maybe}")
        found = await diagnose(self._bridge, request.url, _patience(request, began))
        words = found.words if found.status is not None else found.words + maybe
        return WSHandshakeError(
            f"{what}: {f'{said}; ' if said else ''}{words}",
            status=found.status,
            headers=found.headers,
            retry_after=found.retry_after,
            status_is_inferred=found.status_is_inferred,
        )


def _patience(request: ConnectRequest, began: float) -> float:
    """How long a diagnosis may take: the attempt's timeout must not swallow it."""
    timeout = request.options.timeout
    if timeout is None:
        return _LONGEST
    left = timeout - (asyncio.get_running_loop().time() - began)
    return max(0.0, min(_LONGEST, 0.8 * left))


if TYPE_CHECKING:

    def _conforms(connector: BrowserConnector) -> Connector:
        return connector
