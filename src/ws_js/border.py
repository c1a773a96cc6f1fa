"""The border: the one module that imports `js` and `pyodide`.

Caveats first:

- A `JsProxy` has no attributes for a type checker, and `js` has no stubs. What we
  use of them is written down here as Protocols, under JavaScript's own names.
- A Python function given to JavaScript lives until its proxy is destroyed. `Wire`
  owns the four of a connection, and destroys them in one place.
- A destroyed proxy that is called raises inside the browser. So handlers are taken
  off first.
- No source text is evaluated (`run_js`): pages may forbid that by policy.

Sources: the WHATWG WebSockets standard; Pyodide's documentation on type translations
and on `pyodide.ffi`.
"""
# ruff: noqa: N802, N815 - the names are JavaScript's

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, Protocol, Self, cast

from pyodide.ffi import JsException, create_proxy, to_js

from ws_common.errors import (
    WSHandshakeError,
    WSInvalidCloseError,
    WSInvalidUrlError,
    WSUnsupportedError,
)
from ws_common.urls import redact

__all__ = [
    "OPEN",
    "Border",
    "Handlers",
    "JsBuffer",
    "JsCloseEvent",
    "JsErrorEvent",
    "JsException",
    "JsGlobal",
    "JsMessageEvent",
    "JsWebSocket",
    "Wire",
]

OPEN: Final = 1
CLOSED: Final = 3
"""Two of the four values of `WebSocket.readyState`."""


class JsBuffer(Protocol):
    """An `ArrayBuffer`."""

    @property
    def byteLength(self) -> int:
        """Its size."""
        ...

    def to_bytes(self) -> bytes:
        """Copy it into Python's memory, in one piece."""
        ...


class JsMessageEvent(Protocol):
    """What `message` comes with."""

    @property
    def data(self) -> str | JsBuffer:
        """The payload, given `binaryType = "arraybuffer"`."""
        ...


class JsErrorEvent(Protocol):
    """What `error` comes with: nothing in a browser, an optional `message` in Node."""


class JsCloseEvent(Protocol):
    """What `close` comes with."""

    @property
    def code(self) -> int:
        """1006 where there was no closing handshake."""
        ...

    @property
    def reason(self) -> str:
        """The peer's words."""
        ...

    @property
    def wasClean(self) -> bool:
        """Whether there was a closing handshake."""
        ...


class JsWebSocket(Protocol):
    """A `WebSocket`."""

    binaryType: str
    onopen: object
    onmessage: object
    onerror: object
    onclose: object

    @property
    def readyState(self) -> int:
        """0 to 3: connecting, open, closing, closed."""
        ...

    @property
    def protocol(self) -> str:
        """The subprotocol, or an empty string."""
        ...

    @property
    def extensions(self) -> str:
        """What the server agreed to."""
        ...

    @property
    def bufferedAmount(self) -> int:
        """Payload bytes that have not left for the network."""
        ...

    def send(self, data: object, /) -> None:
        """Take a message; once closing, swallow it."""

    def close(self, code: int = ..., reason: str = ..., /) -> None:
        """Begin the closing handshake, or give up connecting."""


class JsConstructor(Protocol):
    """A JavaScript class."""

    @property
    def prototype(self) -> object:
        """Where its methods are."""
        ...

    def new(self, *args: object) -> Any:
        """`new`."""


class JsGlobal(Protocol):
    """What we use of `globalThis`; a worker has no `window`."""

    @property
    def Blob(self) -> JsConstructor:
        """Immutable binary data."""
        ...

    @property
    def Function(self) -> JsConstructor:
        """The class of functions."""
        ...


class PyProxy(Protocol):
    """A Python function as JavaScript sees it."""

    def destroy(self) -> None:
        """Let go of the function."""


class Handlers(Protocol):
    """Who is called for the four events of a `WebSocket`."""

    def socket_opened(self, event: object, /) -> None:
        """`open`."""

    def socket_message(self, event: JsMessageEvent, /) -> None:
        """`message`."""

    def socket_failed(self, event: JsErrorEvent, /) -> None:
        """`error`; `close` follows in the same turn, or never."""

    def socket_closed(self, event: JsCloseEvent, /) -> None:
        """`close`."""


@dataclass(frozen=True, slots=True)
class Border:
    """JavaScript, as far as we use it. Tests hand in one of their own.

    Attributes:
        js: `globalThis`.
        create_proxy: `pyodide.ffi.create_proxy`.
        to_js: `pyodide.ffi.to_js`: `bytes` become a `Uint8Array`, in one copy.
    """

    js: JsGlobal
    create_proxy: Callable[[Callable[[Any], None]], PyProxy]
    to_js: Callable[[Any], object]

    @classmethod
    def here(cls) -> Self:
        """The border of the runtime that we are in."""
        # By name, because for a type checker there is no module `js`.
        js = cast("JsGlobal", import_module("js"))
        return cls(js=js, create_proxy=create_proxy, to_js=to_js)

    def open_socket(self, url: str, protocols: Sequence[str]) -> JsWebSocket:
        """Make a `WebSocket`, which begins to connect.

        Raises:
            WSUnsupportedError: The runtime has none.
            WSInvalidUrlError: It does not take this URL.
            WSHandshakeError: The page may not open it; no retry will help.
        """
        websocket = cast("JsConstructor | None", getattr(self.js, "WebSocket", None))
        if websocket is None:
            raise WSUnsupportedError(
                "this JavaScript runtime has no WebSocket: use a browser or Node.js 22 "
                "or newer; in an older Node.js, before loadPyodide(), run "
                'globalThis.WebSocket = (await import("ws")).WebSocket'
            )
        try:
            socket = websocket.new(url, self.to_js(list(protocols)))
        except JsException as error:
            raise _not_made(error, url) from error
        return cast("JsWebSocket", socket)

    def binary(self, data: bytes, *, blob: bool) -> object:
        """Make what `send()` takes as a binary message."""
        if blob:
            return self.js.Blob.new(self.to_js([data]))
        return self.to_js(data)


class Wire:
    """A `WebSocket` and the four proxies that listen to it, for its whole life.

    Attributes:
        socket: The `WebSocket`.
    """

    __slots__ = ("_nothing", "_proxies", "socket")

    def __init__(self, border: Border, socket: JsWebSocket, handlers: Handlers) -> None:
        self.socket = socket
        # `Function.prototype` is a function that does nothing (ECMA-262 20.2.3), and
        # JavaScript's own: it needs no proxy.
        self._nothing = border.js.Function.prototype
        callbacks: tuple[Callable[[Any], None], ...] = (
            handlers.socket_opened,
            handlers.socket_message,
            handlers.socket_failed,
            handlers.socket_closed,
        )
        self._proxies = tuple(border.create_proxy(callback) for callback in callbacks)
        socket.binaryType = "arraybuffer"
        socket.onopen, socket.onmessage, socket.onerror, socket.onclose = self._proxies

    @property
    def is_live(self) -> bool:
        """Whether events still come."""
        return bool(self._proxies)

    def deafen(self) -> None:
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
            raise WSInvalidCloseError(
                f"this cannot be sent as a close: {error.message}"
            ) from error

    def release(self) -> None:
        """Take the handlers off and destroy their proxies. Idempotent."""
        if not self._proxies:
            return
        proxies, self._proxies = self._proxies, ()
        self.socket.onopen = self.socket.onmessage = self.socket.onclose = None
        # An error that nobody listens to ends the process where npm's `ws` stands in.
        self.socket.onerror = self._nothing
        for proxy in proxies:
            proxy.destroy()


def _not_made(
    error: JsException, url: str
) -> WSInvalidUrlError | WSHandshakeError | WSUnsupportedError:
    shown = redact(url)
    if error.name == "SyntaxError":
        # Subprotocols were checked with the options, so it is the URL.
        return WSInvalidUrlError(f"the browser does not take the URL {shown!r}")
    if error.name == "SecurityError":
        why = (
            "a page loaded over https:// may open wss:// only (and ws:// to localhost)"
            if url.startswith("ws:")
            else f"the page's security policy forbids it ({error.message})"
        )
        return WSHandshakeError(
            f"the browser refuses to connect to {shown}: {why}", permanent=True
        )
    return WSUnsupportedError(
        f"the runtime's WebSocket cannot connect to {shown}: {error.name}: "
        f"{error.message}"
    )
