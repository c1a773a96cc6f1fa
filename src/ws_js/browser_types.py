"""JavaScript's objects, as far as we use them, for type checkers.

A `JsProxy` has no attributes for a type checker, and the module `js` has no stubs. So
what we use is written down here as Protocols, under JavaScript's own names.

Sources: the WHATWG standards WebSockets, Fetch, HTML and DOM.
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
    """What `message` comes with."""

    toString: object
    valueOf: object
    """Asked for in this order where a string is wanted (ECMA-262 7.1.1.1)."""

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
    def url(self) -> str:
        """Where to, as the browser writes it."""
        ...

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


class JsEvent(Protocol):
    """Any event of a page."""

    @property
    def type(self) -> str:
        """Its name."""
        ...


class JsEventTarget(Protocol):
    """What events happen to."""

    def addEventListener(self, kind: str, listener: object, /) -> None:
        """Listen."""

    def removeEventListener(self, kind: str, listener: object, /) -> None:
        """Listen no more."""


class JsRequestInit(Protocol):
    """What `fetch` is told."""

    method: str
    mode: str
    redirect: str
    credentials: str
    cache: str
    signal: object


class JsAbortController(Protocol):
    """Ends a `fetch`."""

    @property
    def signal(self) -> object:
        """What it is ended by."""
        ...

    def abort(self) -> None:
        """End it; the body too, if it is still on its way."""


class JsHeaders(Protocol):
    """The headers of a response, as far as the page may see them."""

    def entries(self) -> Iterable[Sequence[str]]:
        """Pairs of name, in lower case, and value."""
        ...


class JsResponse(Protocol):
    """What a server answered."""

    @property
    def status(self) -> int:
        """The HTTP status; 0 where the page may not see it."""
        ...

    @property
    def statusText(self) -> str:
        """Its words; empty in HTTP/2 and later."""
        ...

    @property
    def type(self) -> str:
        """`opaqueredirect` where a redirect was not followed."""
        ...

    @property
    def headers(self) -> JsHeaders:
        """What of the headers the page may see."""
        ...


class JsEncoded(Protocol):
    """What `encodeInto` has done."""

    @property
    def written(self) -> int:
        """Bytes: whole characters, as many as fitted."""
        ...


class JsTextEncoder(Protocol):
    """Makes UTF-8 of whatever can be made a string."""

    def encode(self, text: object, /) -> JsBuffer:
        """Into a buffer of its own."""
        ...

    def encodeInto(self, text: object, buffer: JsBuffer, /) -> JsEncoded:
        """Into a given one, as far as it reaches."""
        ...


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

    @property
    def TextEncoder(self) -> JsConstructor:
        """The class of what makes UTF-8 of text."""
        ...

    @property
    def Uint8Array(self) -> JsConstructor:
        """The class of buffers of bytes."""
        ...

    @property
    def Object(self) -> JsObject:
        """The class of objects."""
        ...

    @property
    def AbortController(self) -> JsConstructor:
        """The class of what ends a `fetch`."""
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
        """Ask a URL over HTTP, given a `JsRequestInit`: a promise of a response."""
        ...
