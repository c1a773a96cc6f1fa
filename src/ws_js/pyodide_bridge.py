"""The border: the one module that imports `js` and `pyodide`.

Caveats first:

- Type checkers know nothing of what comes from JavaScript: see `javascript.py`.
- A Python function given to JavaScript lives until its proxy is destroyed. `Wire`
  owns the four of a connection, and destroys them in one place.
- A destroyed proxy that is called raises inside the browser. So handlers are taken
  off first.
- No source text is evaluated (`run_js`): pages may forbid that by policy.

Sources: the WHATWG WebSockets standard; Pyodide's documentation on type translations
and on `pyodide.ffi`.
"""

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, Self, cast

from pyodide.ffi import JsBuffer, JsException, JsProxy, create_proxy, to_js

from ws_common.vocabulary.errors import (
    WSHandshakeError,
    WSInvalidCloseError,
    WSInvalidUrlError,
    WSUnsupportedDataError,
    WSUnsupportedError,
)
from ws_common.vocabulary.messages import Data
from ws_common.vocabulary.urls import redact
from ws_js.blocked_urls import why_never
from ws_js.browser_types import (
    Handlers,
    JsAbortController,
    JsArray,
    JsConstructor,
    JsEventTarget,
    JsGlobal,
    JsRequestInit,
    JsSettled,
    JsWebSocket,
    PyProxy,
)

__all__ = ["JsException", "PyodideBridge", "Wire"]

_FORBIDDEN: Final = frozenset({"SecurityError", "NS_ERROR_CONTENT_BLOCKED"})
"""What is thrown where a page may not open a URL; the second in Firefox."""

_WRAPPED: Final = re.compile(r'gives """(\w+): (.*?)"""', re.DOTALL)
"""How Pyodide quotes what was thrown and is no error to it."""


@dataclass(frozen=True, slots=True)
class PyodideBridge:
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
            raise _not_made(error, url, self.origin) from error
        return cast("JsWebSocket", socket)

    def binary(self, data: "bytes | BlobData", *, blob: bool) -> object:
        """Make what `send()` takes as a binary message.

        Copying into one buffer that is used again would make sending a quarter
        cheaper. But not every `WebSocket` takes its own copy at once, as browsers
        must: npm's `ws` compresses later, and would send what came after.
        """
        if isinstance(data, BlobData):
            return data.blob
        if blob:
            return self.js.Blob.new(self.to_js([data]))
        return self.to_js(data)

    def fetch(
        self, url: str, *, mode: str, credentials: str, redirect: str
    ) -> tuple[Awaitable[Sequence[JsSettled]], JsAbortController]:
        """Begin to ask over HTTP.

        Args:
            url: Begins with `http`.
            mode: Of the request, as the next two, in the words of `fetch`.
            credentials: With "include" go the cookies that a handshake carries.
            redirect: Whether redirects are followed.

        Returns:
            What becomes of it (alone in a sequence), and what ends it: the body too,
            which nobody reads.
        """
        controller = cast("JsAbortController", self.js.AbortController.new())
        init = cast("JsRequestInit", self.js.Object.new())
        init.method, init.mode, init.redirect = "GET", mode, redirect
        init.credentials, init.cache = credentials, "no-store"
        init.signal = controller.signal
        # WebKit rejects with an error that has no stack. Pyodide does not know that for
        # an error, and who awaits it waits for ever. So that promise is kept out of
        # Python: JavaScript makes it, and waits for it.
        ask = self.js.fetch.bind(self.js, url, init)
        asked = self.js.Array.of(None).map(ask)
        return self.js.Promise.allSettled(asked), controller

    @property
    def origin(self) -> str:
        """Scheme, host and port of the page, or an empty string where there is none.

        Not its URL: a worker's may begin with `blob:`.
        """
        location = getattr(self.js, "location", None)
        return str(getattr(location, "origin", None) or "")

    @property
    def is_offline(self) -> bool:
        """Whether the browser knows that there is no network."""
        navigator = getattr(self.js, "navigator", None)
        return getattr(navigator, "onLine", None) is False

    @property
    def is_hidden(self) -> bool:
        """Whether nobody can see the page; a worker is never hidden."""
        document = getattr(self.js, "document", None)
        return getattr(document, "visibilityState", None) == "hidden"

    def event_targets(self, kind: str) -> Iterator[JsEventTarget]:
        """Where events of this kind happen: a worker has no document, Node nothing."""
        for target in (self.js, getattr(self.js, "document", None)):
            if hasattr(target, f"on{kind}"):
                yield cast("JsEventTarget", target)


class BlobData:
    """Stands for the bytes of a `Blob`, which JavaScript alone can read at once.

    Attributes:
        blob: It never changes, so that it can wait as it is.
    """

    __slots__ = ("_size", "blob")

    def __init__(self, blob: object, size: int) -> None:
        self.blob = blob
        self._size = size

    def __len__(self) -> int:
        """Return the number of its bytes."""
        return self._size

    def isascii(self) -> bool:
        """Refuse to be text, since that would take its bytes."""
        raise WSUnsupportedDataError(
            "a Blob cannot be sent as text: await blob.text(), and send that"
        )


def to_data(data: object) -> Data | None:
    """Take what `WebSocket.send` takes, as it is now; None: it is none of that.

    Typed arrays and `DataView` are the bytes that are seen through them, whatever
    their elements are.
    """
    if isinstance(data, JsBuffer):
        return data.to_bytes()
    if isinstance(data, JsProxy) and hasattr(data, "arrayBuffer"):
        size = getattr(data, "size", None)  # which a `Response` has not
        if isinstance(size, int):
            return cast("bytes", BlobData(data, size))
    return None


class Wire:
    """A `WebSocket` and the four proxies that listen to it, for its whole life.

    Attributes:
        socket: The `WebSocket`.
    """

    __slots__ = ("_array", "_nothing", "_proxies", "socket")

    def __init__(
        self, bridge: PyodideBridge, socket: JsWebSocket, handlers: Handlers
    ) -> None:
        self.socket = socket
        # `Function.prototype` is a function that does nothing (ECMA-262 20.2.3), and
        # JavaScript's own: it needs no proxy.
        self._nothing = bridge.js.Function.prototype
        self._array = bridge.js.Array
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

    def collect(self) -> JsArray:
        """Put messages into an array from now on, without a word."""
        events = cast("JsArray", self._array.new())
        self.socket.onmessage = events.push.bind(events)
        return events

    def listen(self) -> None:
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
        self.socket.onerror = self._nothing
        for proxy in proxies:
            proxy.destroy()


def name_and_message(error: JsException) -> tuple[str, str]:
    """Tell what JavaScript called an error.

    A `DOMException` of WebKit has no stack. Pyodide takes what has none for no error,
    and throws one of its own that quotes it.
    """
    quoted = _WRAPPED.search(error.message) if error.name == "Error" else None
    return (quoted[1], quoted[2]) if quoted else (error.name, error.message)


def _not_made(
    error: JsException, url: str, origin: str
) -> WSInvalidUrlError | WSHandshakeError | WSUnsupportedError:
    shown = redact(url)
    name, message = name_and_message(error)
    if name == "SyntaxError":
        # Subprotocols were checked with the options, so it is the URL.
        return WSInvalidUrlError(f"the browser does not take the URL {shown!r}")
    if name in _FORBIDDEN:
        said = f" ({message})" if message else ""
        why = why_never(origin, url) or f"the page's security policy forbids it{said}"
        return WSHandshakeError(
            f"the browser refuses to connect to {shown}: {why}", permanent=True
        )
    return WSUnsupportedError(
        f"the runtime's WebSocket cannot connect to {shown}: {name}: {message}"
    )
