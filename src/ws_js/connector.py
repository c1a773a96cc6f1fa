"""Opens connections with the browser's own `WebSocket`.

When a handshake fails, a browser reports an `error` without details and the close code
1006 (WHATWG WebSockets, "fail the WebSocket connection"), so that pages cannot scan
networks. This module finds out as much as it can, and puts it into the error.
"""

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
"""The maximum of seconds that a diagnosis may take."""


class BrowserConnector:
    """Opens connections with `js.WebSocket`.

    Args:
        options: The client's options. They are not used: each request has its own.
        bridge: The access to JavaScript; None: that of the runtime we are in.
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

        Cancelling it closes the socket and destroys its proxies. There is no timeout
        here: the caller cancels it.

        Args:
            request: The URL and the options.
            sink: The sink that the transport reports to.

        Raises:
            WSHandshakeError: The connection was not opened, for a reason that browsers
                hide; or the page may not open it, in which case it is permanent.
            WSInvalidUrlError: The browser does not accept the URL.
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
                # A cancellation may come in the very turn in which `open` came. Nobody
                # would own the open socket then.
                transport.abort()
                if not isinstance(error, ConnectionError):
                    raise
                runtime_message = str(error)
            else:
                return transport
        # WebKit makes a socket for mixed content and lets it fail like any other one.
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
        """Make the error, with everything that can be found out.

        Args:
            request: The request that failed.
            runtime_message: What the runtime says. Node.js does, browsers do not.
            started_at: The loop time at which the attempt began.
            blocked: Why no page may open the URL; None: it may.
        """
        prefix = f"could not connect to {redact(request.url)}"
        if blocked is not None:
            return WSHandshakeError(f"{prefix}: {blocked}", permanent=True)
        # The WHATWG standard fails a connection if the server selects none of the
        # subprotocols that were offered, which RFC 6455 section 4.2.2 permits.
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
    """Return the seconds that a diagnosis may take."""
    # The timeout of the attempt goes on meanwhile. A diagnosis that used it up would be
    # replaced by a TimeoutError, which says less.
    timeout = request.options.timeout
    if timeout is None:
        return _MAX_DIAGNOSIS_TIME
    left = timeout - (asyncio.get_running_loop().time() - started_at)
    return max(0.0, min(_MAX_DIAGNOSIS_TIME, 0.8 * left))


if TYPE_CHECKING:

    def _conforms(connector: BrowserConnector) -> Connector:
        return connector
