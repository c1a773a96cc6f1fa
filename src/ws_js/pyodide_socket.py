"""A `WebSocket` together with the Python functions that handle its events.

JavaScript keeps a Python function alive until its proxy is destroyed. This module owns
the four proxies of a connection, for the whole life of that.
"""

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
    """The handlers of the four events of a `WebSocket`."""

    def socket_opened(self, event: object, /) -> None:
        """Handle `open`."""

    def socket_message(self, event: JsMessageEvent, /) -> None:
        """Handle `message`."""

    def socket_failed(self, event: JsErrorEvent, /) -> None:
        """Handle `error`. `close` follows in the same turn of the loop, or never."""

    def socket_closed(self, event: JsCloseEvent, /) -> None:
        """Handle `close`."""


class ProxiedSocket:
    """A `WebSocket` and the four proxies of its event handlers.

    Args:
        bridge: The access to JavaScript.
        socket: The `WebSocket`.
        handlers: The functions to call for its events.

    Attributes:
        socket: The `WebSocket`.
    """

    # Creating and destroying a proxy takes 11 us, many times as long as a message. So
    # there are never more of them than these four.

    __slots__ = ("_array_class", "_no_op", "_proxies", "socket")

    def __init__(
        self, bridge: PyodideBridge, socket: JsWebSocket, handlers: SocketEventHandlers
    ) -> None:
        self.socket = socket
        # `Function.prototype` is a function that does nothing (ECMA-262 section
        # 20.2.3). It belongs to JavaScript, so that it needs no proxy.
        self._no_op = bridge.js.Function.prototype
        self._array_class = bridge.js.Array
        callbacks: tuple[Callable[[Any], None], ...] = (
            handlers.socket_opened,
            handlers.socket_message,
            handlers.socket_failed,
            handlers.socket_closed,
        )
        self._proxies = tuple(bridge.create_proxy(callback) for callback in callbacks)
        # The default, "blob", can only be read asynchronously, which would reorder
        # messages.
        socket.binaryType = "arraybuffer"
        socket.onopen, socket.onmessage, socket.onerror, socket.onclose = self._proxies

    @property
    def is_live(self) -> bool:
        """Whether the event handlers are in place."""
        return bool(self._proxies)

    def collect_messages(self) -> JsArray:
        """Collect the events of messages in an array, without calling Python."""
        events = cast("JsArray", self._array_class.new())
        self.socket.onmessage = events.push.bind(events)
        return events

    def stop_collecting(self) -> None:
        """Call the handler for each message again, instead of collecting."""
        if self._proxies:
            self.socket.onmessage = self._proxies[1]

    def stop_receiving(self) -> None:
        """Ignore all further messages. The other events are still handled."""
        self.socket.onmessage = None

    def close(self, code: int | None, reason: str | None) -> None:
        """Begin the closing handshake.

        Args:
            code: The close code; None: the Close frame is empty.
            reason: The reason, which is ignored without a code.

        Raises:
            WSInvalidCloseError: A page may not send this code or reason. The connection
                goes on.
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
        """Remove the event handlers and destroy their proxies. Idempotent."""
        if not self._proxies:
            return
        proxies, self._proxies = self._proxies, ()
        self.socket.onopen = self.socket.onmessage = self.socket.onclose = None
        # npm's `ws` may emit `error` later, and in Node.js an `error` event without a
        # listener ends the process.
        self.socket.onerror = self._no_op
        for proxy in proxies:
            proxy.destroy()
