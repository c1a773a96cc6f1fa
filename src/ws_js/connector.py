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
from ws_js.blocked_urls import PolicyViolations, blocked_reason
from ws_js.diagnosis import diagnose
from ws_js.pyodide_bridge import PyodideBridge
from ws_js.transport import JsTransport

_HIDDEN_REASON: Final = (
    "a browser tells a page no more (its console may): the server was not reached, "
    "or its certificate is not trusted, or it or a proxy refused with an HTTP status"
)
_FORBIDDEN_BY_POLICY: Final = "the page's security policy (CSP, connect-src) forbids it"

_MAX_DIAGNOSIS_TIME: Final = 10.0
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
        self._bridge = bridge or PyodideBridge.from_runtime()

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
        started_at = asyncio.get_running_loop().time()
        options = request.options
        with PolicyViolations(self._bridge.js) as violations:
            socket = self._bridge.open_socket(request.url, options.protocols)
            transport = JsTransport(self._bridge, socket, sink, options)
            try:
                await transport.opened
            except BaseException as error:
                # Cancelled, perhaps in the very turn in which it was opened.
                transport.abort()
                if not isinstance(error, ConnectionError):
                    raise
                runtime_message = str(error)
            else:
                return transport
        blocked = blocked_reason(self._bridge.origin, request.url)
        if violations.forbids(socket.url):
            blocked = _FORBIDDEN_BY_POLICY
        raise await self._make_error(request, runtime_message, started_at, blocked)

    async def _make_error(
        self,
        request: ConnectRequest,
        runtime_message: str,
        started_at: float,
        blocked: str | None,
    ) -> WSHandshakeError:
        """Make the error that says as much as can be known."""
        prefix = f"could not connect to {redact(request.url)}"
        if blocked is not None:
            return WSHandshakeError(f"{prefix}: {blocked}", permanent=True)
        protocol_hint = ""
        if request.options.protocols:
            protocol_hint = ", or it picked none of the subprotocols offered"
        if not request.options.diagnose:
            return WSHandshakeError(
                f"{prefix}: {runtime_message or _HIDDEN_REASON + protocol_hint}"
            )
        finding = await diagnose(
            self._bridge, request.url, _diagnosis_timeout(request, started_at)
        )
        description = (
            finding.description
            if finding.status is not None
            else finding.description + protocol_hint
        )
        if runtime_message:
            description = f"{runtime_message}; {description}"
        return WSHandshakeError(
            f"{prefix}: {description}",
            status=finding.status,
            headers=finding.headers,
            retry_after=finding.retry_after,
            status_is_inferred=finding.status_is_inferred,
        )


def _diagnosis_timeout(request: ConnectRequest, started_at: float) -> float:
    """How long a diagnosis may take: the attempt's timeout must not swallow it."""
    timeout = request.options.timeout
    if timeout is None:
        return _MAX_DIAGNOSIS_TIME
    left = timeout - (asyncio.get_running_loop().time() - started_at)
    return max(0.0, min(_MAX_DIAGNOSIS_TIME, 0.8 * left))


if TYPE_CHECKING:

    def _conforms(connector: BrowserConnector) -> Connector:
        return connector
