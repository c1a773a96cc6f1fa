"""The border: the one module that imports `js` and `pyodide`.

Caveats first:

- Type checkers know nothing of what comes from JavaScript: see `javascript.py`.
- A Python function given to JavaScript lives until its proxy is destroyed.
  `ProxiedSocket` owns the four of a connection, and destroys them in one place.
- A destroyed proxy that is called raises inside the browser. So handlers are taken
  off first.
- No source text is evaluated (`run_js`): pages may forbid that by policy.

Sources: the WHATWG WebSockets standard; Pyodide's documentation on type translations
and on `pyodide.ffi`.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, Self, cast

from pyodide.ffi import JsException, create_proxy, to_js

from ws_common.vocabulary.errors import WSUnsupportedError
from ws_js.browser_types import (
    JsAbortController,
    JsEventTarget,
    JsGlobal,
    JsRequestInit,
    JsWebSocket,
)
from ws_js.javascript_types import JsConstructor, JsPromiseOutcome
from ws_js.pyodide_data import BlobData
from ws_js.pyodide_errors import connection_error


class PyProxy(Protocol):
    """A Python function as JavaScript sees it."""

    def destroy(self) -> None:
        """Let go of the function."""


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
    def from_runtime(cls) -> Self:
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
            raise connection_error(error, url, self.origin) from error
        return cast("JsWebSocket", socket)

    def to_binary(self, data: "bytes | BlobData", *, blob: bool) -> object:
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
    ) -> tuple[Awaitable[Sequence[JsPromiseOutcome]], JsAbortController]:
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
        fetch = self.js.fetch.bind(self.js, url, init)
        promises = self.js.Array.of(None).map(fetch)
        return self.js.Promise.allSettled(promises), controller

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
