"""JavaScript's objects, as far as we use them, for type checkers.

A `JsProxy` has no attributes for a type checker, and the module `js` has no stubs. So
what we use is written down here as Protocols, under JavaScript's own names.

Sources: the WHATWG standards WebSockets, Fetch, HTML and DOM.
"""
# ruff: noqa: N802, N815 - the names are JavaScript's

from collections.abc import Awaitable, Iterable, Iterator, Sequence
from typing import Any, Final, Protocol

OPEN: Final = 1
CLOSED: Final = 3
"""Two of the four values of `WebSocket.readyState`."""


class JsBuffer(Protocol):
    """An `ArrayBuffer`, or a `Uint8Array`."""

    @property
    def byteLength(self) -> int:
        """Its size."""
        ...

    def to_bytes(self) -> bytes:
        """Copy it into Python's memory, in one piece."""
        ...


class JsBytes(JsBuffer, Protocol):
    """A `Uint8Array`."""

    def subarray(self, begin: int, end: int, /) -> JsBuffer:
        """Another one of the same bytes, without copying them."""
        ...


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


class JsSettled(Protocol):
    """What became of a promise."""

    @property
    def status(self) -> str:
        """`fulfilled` or `rejected`."""
        ...

    @property
    def value(self) -> Any:
        """What it was fulfilled with."""
        ...


class JsPromise(Protocol):
    """`Promise`, the class of promises."""

    def allSettled(self, promises: object, /) -> Awaitable[Sequence[JsSettled]]:
        """Wait for all of them, however they end."""
        ...


class JsConstructor(Protocol):
    """A JavaScript class."""

    @property
    def prototype(self) -> object:
        """Where its methods are."""
        ...

    def new(self, *args: object) -> Any:
        """`new`."""


class JsObject(JsConstructor, Protocol):
    """`Object`, the class of objects."""

    def getPrototypeOf(self, thing: object, /) -> object:
        """What an object takes its methods and getters from."""
        ...

    def getOwnPropertyDescriptor(self, thing: object, name: str, /) -> object:
        """How a property is made: `get` is its getter."""
        ...


class JsFunction(Protocol):
    """A function."""

    @property
    def call(self) -> "JsFunction":
        """Calls it, with what is `this` for it as the first argument."""
        ...

    def bind(self, this: object, /, *arguments: object) -> object:
        """Make a function that calls it with these arguments first."""
        ...


class JsArray(Protocol):
    """An `Array`."""

    toString: object

    @property
    def length(self) -> int:
        """How many items it has."""
        ...

    @property
    def push(self) -> JsFunction:
        """Appends."""
        ...

    @property
    def join(self) -> JsFunction:
        """Makes one string of all items, with another one between them."""
        ...

    def map(self, function: object, /) -> "JsArray":
        """Make another of what a function makes of each item."""
        ...

    def splice(self, start: int, count: int, /) -> "JsArray":
        """Take items out, and return them."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Its items."""
        ...


class JsArrays(JsConstructor, Protocol):
    """`Array`, the class of arrays."""

    def of(self, *items: object) -> JsArray:
        """Make one."""
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
