"""Opens connections with the browser's own `WebSocket`."""

from typing import TYPE_CHECKING, Final

from ws_common.errors import WSHandshakeError
from ws_common.options import WebSocketOptions
from ws_common.transport import Connector, ConnectRequest, TransportSink
from ws_common.urls import redact
from ws_js.border import Border
from ws_js.transport import JsTransport

_HIDDEN: Final = (
    "a browser tells a page no more (its console may): the server was not reached, "
    "or its certificate is not trusted, or it refused with an HTTP status"
)


class BrowserConnector:
    """Opens connections with `js.WebSocket`.

    Args:
        options: The client's options.
        border: JavaScript; by default that of the runtime we are in.
    """

    __slots__ = ("_border",)

    def __init__(
        self, _options: WebSocketOptions | None = None, border: Border | None = None
    ) -> None:
        self._border = border or Border.here()

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
        options = request.options
        socket = self._border.open_socket(request.url, options.protocols)
        transport = JsTransport(self._border, socket, sink, options)
        try:
            await transport.opened
        except BaseException as error:
            # Cancelled, perhaps in the very turn in which it was opened.
            transport.abort()
            if isinstance(error, ConnectionError):
                raise _refused(request, str(error)) from None
            raise
        return transport


def _refused(request: ConnectRequest, said: str) -> WSHandshakeError:
    why = said or _HIDDEN
    if not said and request.options.protocols:
        why += ", or it picked none of the subprotocols offered"
    return WSHandshakeError(f"could not connect to {redact(request.url)}: {why}")


if TYPE_CHECKING:

    def _conforms(connector: BrowserConnector) -> Connector:
        return connector
