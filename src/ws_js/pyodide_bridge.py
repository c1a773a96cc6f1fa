"""Access to JavaScript through Pyodide.

Caveats first:

- Type checkers know nothing of what comes from JavaScript: see `javascript_types.py`
  and `browser_types.py`.
- A Python function given to JavaScript lives until its proxy is destroyed. Each client
  has one proxy in `page_events`, and each connection has four in `pyodide_socket`. Both
  modules destroy their proxies in one place.
- A destroyed proxy that is called raises inside the browser. So event handlers are
  removed first.
- No source text is evaluated (`run_js`), since a Content Security Policy may forbid it.

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
        """Release the function."""


@dataclass(frozen=True, slots=True)
class PyodideBridge:
    """What we use of JavaScript and of `pyodide.ffi`. Tests pass one of their own.

    Attributes:
        js: `globalThis`.
        create_proxy: `pyodide.ffi.create_proxy`.
        to_js: `pyodide.ffi.to_js`. It copies `bytes` into a `Uint8Array` at once.
    """

    js: JsGlobal
    create_proxy: Callable[[Callable[[Any], None]], PyProxy]
    to_js: Callable[[Any], object]

    @classmethod
    def from_runtime(cls) -> Self:
        """Return the bridge of the runtime that we are in."""
        # It is imported by name, because type checkers find no module `js`.
        js = cast("JsGlobal", import_module("js"))
        return cls(js=js, create_proxy=create_proxy, to_js=to_js)

    def open_socket(self, url: str, protocols: Sequence[str]) -> JsWebSocket:
        """Make a `WebSocket`, which begins to connect.

        Args:
            url: The URL, which begins with `ws`.
            protocols: The subprotocols to offer.

        Raises:
            WSUnsupportedError: The runtime has no `WebSocket`.
            WSInvalidUrlError: The browser does not accept this URL.
            WSHandshakeError: The page may not open this URL; it is permanent.
        """
        # Being in Pyodide does not imply a WebSocket: Node.js 20 has none.
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
        """Convert data to what `WebSocket.send()` accepts as a binary message.

        Args:
            data: The bytes, or a Blob.
            blob: Whether bytes are sent as a Blob.
        """
        # Copying into one buffer that is used again would make sending a quarter
        # cheaper. But not every `WebSocket` makes its own copy at once, as browsers
        # have to: npm's `ws` compresses later, and would send the data of the message
        # after this one.
        if isinstance(data, BlobData):
            return data.blob
        if blob:
            return self.js.Blob.new(self.to_js([data]))
        return self.to_js(data)

    def fetch(
        self, url: str, *, mode: str, credentials: str, redirect: str
    ) -> tuple[Awaitable[Sequence[JsPromiseOutcome]], JsAbortController]:
        """Begin a GET request. The last three arguments are options of `fetch`.

        Args:
            url: The URL, which begins with `http`.
            mode: The mode of the request, such as "cors".
            credentials: "include" sends the cookies that a handshake would carry.
            redirect: "follow", or "manual" to get the redirect itself.

        Returns:
            An awaitable of the outcome, as the only item of a sequence, and the
            controller that aborts the request.
        """
        controller = cast("JsAbortController", self.js.AbortController.new())
        init = cast("JsRequestInit", self.js.Object.new())
        init.method, init.mode, init.redirect = "GET", mode, redirect
        init.credentials, init.cache = credentials, "no-store"
        init.signal = controller.signal
        # WebKit rejects with an error that has no stack. Pyodide does not recognize it
        # as an error, and an await of the promise never ends. So Python never sees that
        # promise: JavaScript makes it (in `map`), and waits for it (in `allSettled`).
        fetch = self.js.fetch.bind(self.js, url, init)
        promises = self.js.Array.of(None).map(fetch)
        return self.js.Promise.allSettled(promises), controller

    @property
    def origin(self) -> str:
        """The origin of the page (scheme, host and port); empty if there is no page."""
        # `location.href` is no substitute: that of a worker may begin with `blob:`.
        location = getattr(self.js, "location", None)
        return str(getattr(location, "origin", None) or "")

    @property
    def is_offline(self) -> bool:
        """Whether the browser is certain that there is no network."""
        navigator = getattr(self.js, "navigator", None)
        return getattr(navigator, "onLine", None) is False

    @property
    def is_hidden(self) -> bool:
        """Whether nobody can see the page. A worker is never hidden."""
        document = getattr(self.js, "document", None)
        return getattr(document, "visibilityState", None) == "hidden"

    def event_targets(self, kind: str) -> Iterator[JsEventTarget]:
        """Iterate over the objects that have events of this type.

        Args:
            kind: The type of the events, such as "online".
        """
        # A worker has no document, and Node.js has neither kind of event. What exists
        # has an attribute for the event handler, such as `ononline`.
        for target in (self.js, getattr(self.js, "document", None)):
            if hasattr(target, f"on{kind}"):
                yield cast("JsEventTarget", target)
