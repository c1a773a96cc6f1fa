"""The browser's objects, as far as we use them, for type checkers.

A `JsProxy` has no attributes for a type checker, and there are no stubs for the module
`js`. So the attributes and methods that we use are declared here as Protocols, under
JavaScript's own names. `javascript_types.py` has those of the language itself.

Sources: the WHATWG standards WebSockets, Fetch, Encoding, HTML and DOM.
"""
# ruff: noqa: N802, N815 - the names are JavaScript's

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from ws_js.javascript_types import (
    JsArrays,
    JsBuffer,
    JsConstructor,
    JsFunction,
    JsObject,
    JsPromise,
)

OPEN: Final = 1
CLOSED: Final = 3
"""Two of the four values of `WebSocket.readyState`."""


class JsMessageEvent(Protocol):
    """The event `message`."""

    toString: object
    valueOf: object
    """Called in this order where a string is wanted (ECMA-262 section 7.1.1.1)."""
    # `message_reader.py` assigns both, so that an encoder reads the text of an event
    # without making it a string of Python first.

    @property
    def data(self) -> str | JsBuffer:
        """The payload, given `binaryType = "arraybuffer"`."""
        ...


class JsErrorEvent(Protocol):
    """The event `error`. It has nothing in a browser, and maybe a `message` in Node."""


class JsCloseEvent(Protocol):
    """The event `close`."""

    @property
    def code(self) -> int:
        """The close code; 1006 where there was no closing handshake."""
        ...

    @property
    def reason(self) -> str:
        """The reason that the peer gave."""
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
    def url(self) -> str:
        """The URL, as the browser has serialized it."""
        ...

    @property
    def readyState(self) -> int:
        """0 to 3: CONNECTING, OPEN, CLOSING, CLOSED."""
        ...

    @property
    def protocol(self) -> str:
        """The selected subprotocol, or an empty string."""
        ...

    @property
    def extensions(self) -> str:
        """The extensions that the server selected."""
        ...

    # There is no event for it. See `send_buffer.py`.
    @property
    def bufferedAmount(self) -> int:
        """The payload bytes that have not been sent to the network yet."""
        ...

    def send(self, data: object, /) -> None:
        """Send a message. It is dropped silently if the socket is closing."""

    def close(self, code: int = ..., reason: str = ..., /) -> None:
        """Begin the closing handshake, or give up connecting."""


class JsEvent(Protocol):
    """Any event of a page."""

    @property
    def type(self) -> str:
        """The name of the event."""
        ...


class JsEventTarget(Protocol):
    """An object on which events are dispatched."""

    def addEventListener(self, kind: str, listener: object, /) -> None:
        """Add an event listener."""

    def removeEventListener(self, kind: str, listener: object, /) -> None:
        """Remove an event listener."""


class JsRequestInit(Protocol):
    """The options of `fetch`."""

    method: str
    mode: str
    redirect: str
    credentials: str
    cache: str
    signal: object


class JsAbortController(Protocol):
    """A controller that can abort a `fetch`."""

    @property
    def signal(self) -> object:
        """The signal that is passed to `fetch`."""
        ...

    def abort(self) -> None:
        """Abort the request, and its body if that is still being received."""


class JsHeaders(Protocol):
    """The headers of a response, as far as the page may see them."""

    def entries(self) -> Iterable[Sequence[str]]:
        """Iterate over pairs of a name in lower case and a value."""
        ...


class JsResponse(Protocol):
    """The response to a `fetch`."""

    @property
    def status(self) -> int:
        """The HTTP status; 0 where the page may not see it."""
        ...

    @property
    def statusText(self) -> str:
        """The reason phrase; empty in HTTP/2 and later."""
        ...

    @property
    def type(self) -> str:
        """Such as "basic", or "opaqueredirect" where a redirect was not followed."""
        ...

    @property
    def headers(self) -> JsHeaders:
        """The headers that the page may see."""
        ...


class JsEncoded(Protocol):
    """The result of `encodeInto`."""

    @property
    def written(self) -> int:
        """The number of bytes written: those of all whole characters that fitted."""
        ...


class JsTextEncoder(Protocol):
    """Encodes anything that can be converted to a string as UTF-8."""

    def encode(self, text: object, /) -> JsBuffer:
        """Encode into a new buffer."""
        ...

    def encodeInto(self, text: object, buffer: JsBuffer, /) -> JsEncoded:
        """Encode into a given buffer, as far as that has room."""
        ...


class JsGlobal(Protocol):
    """The part of `globalThis` that we use. A worker has no `window`."""

    @property
    def Blob(self) -> JsConstructor:
        """The class of immutable binary data."""
        ...

    @property
    def Function(self) -> JsConstructor:
        """The class of functions."""
        ...

    @property
    def TextEncoder(self) -> JsConstructor:
        """The class of encoders to UTF-8."""
        ...

    @property
    def Uint8Array(self) -> JsConstructor:
        """The class of arrays of bytes."""
        ...

    @property
    def Object(self) -> JsObject:
        """The class of objects."""
        ...

    @property
    def AbortController(self) -> JsConstructor:
        """The class of controllers that abort a `fetch`."""
        ...

    @property
    def Array(self) -> JsArrays:
        """The class of arrays."""
        ...

    @property
    def Promise(self) -> JsPromise:
        """The class of promises."""
        ...

    @property
    def fetch(self) -> JsFunction:
        """Request a URL over HTTP. It returns a promise of a `JsResponse`."""
        ...
