"""A `WebSocket` and the Python functions that listen to it."""

from collections.abc import Callable
from typing import Any, Protocol, cast

from pyodide.ffi import JsException

from ws_common.vocabulary.errors import WSInvalidCloseError
from ws_js.browser_types import (
    JsCloseEvent,
    JsErrorEvent,
    JsMessageEvent,
    JsWebSocket,
)
from ws_js.javascript_types import JsArray
from ws_js.pyodide_bridge import PyodideBridge
from ws_js.pyodide_errors import name_and_message


class SocketEventHandlers(Protocol):
    """Who is called for the four events of a `WebSocket`."""

    def socket_opened(self, event: object, /) -> None:
        """`open`."""

    def socket_message(self, event: JsMessageEvent, /) -> None:
        """`message`."""

    def socket_failed(self, event: JsErrorEvent, /) -> None:
        """`error`; `close` follows in the same turn, or never."""

    def socket_closed(self, event: JsCloseEvent, /) -> None:
        """`close`."""


class ProxiedSocket:
    """A `WebSocket` and the four proxies that listen to it, for its whole life.

    Attributes:
        socket: The `WebSocket`.
    """

    __slots__ = ("_array_class", "_no_op", "_proxies", "socket")

    def __init__(
        self, bridge: PyodideBridge, socket: JsWebSocket, handlers: SocketEventHandlers
    ) -> None:
        self.socket = socket
        # `Function.prototype` is a function that does nothing (ECMA-262 20.2.3), and
        # JavaScript's own: it needs no proxy.
        self._no_op = bridge.js.Function.prototype
        self._array_class = bridge.js.Array
        callbacks: tuple[Callable[[Any], None], ...] = (
            handlers.socket_opened,
            handlers.socket_message,
            handlers.socket_failed,
            handlers.socket_closed,
        )
        self._proxies = tuple(bridge.create_proxy(callback) for callback in callbacks)
        socket.binaryType = "arraybuffer"
        socket.onopen, socket.onmessage, socket.onerror, socket.onclose = self._proxies

    @property
    def is_live(self) -> bool:
        """Whether events still come."""
        return bool(self._proxies)

    def collect_messages(self) -> JsArray:
        """Put messages into an array from now on, without a word."""
        events = cast("JsArray", self._array_class.new())
        self.socket.onmessage = events.push.bind(events)
        return events

    def stop_collecting(self) -> None:
        """Call the handler for each message again."""
        if self._proxies:
            self.socket.onmessage = self._proxies[1]

    def stop_receiving(self) -> None:
        """Let no further message through; the other events still come."""
        self.socket.onmessage = None

    def close(self, code: int | None, reason: str | None) -> None:
        """Begin the closing handshake. Without a code there is no reason either.

        Raises:
            WSInvalidCloseError: A page may not send that. Nothing was touched.
        """
        try:
            if code is None:
                self.socket.close()
            else:
                self.socket.close(code, reason or "")
        except JsException as error:
            _, message = name_and_message(error)
            raise WSInvalidCloseError(
                f"this cannot be sent as a close: {message}"
            ) from error

    def release(self) -> None:
        """Take the handlers off and destroy their proxies. Idempotent."""
        if not self._proxies:
            return
        proxies, self._proxies = self._proxies, ()
        self.socket.onopen = self.socket.onmessage = self.socket.onclose = None
        # An error that nobody listens to ends the process where npm's `ws` stands in.
        self.socket.onerror = self._no_op
        for proxy in proxies:
            proxy.destroy()
