"""A fake of JavaScript and of `pyodide.ffi`, as far as the bridge uses them."""
# ruff: noqa: N802, N815 - the names are JavaScript's

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from pyodide.ffi import JsException

from ws_js.pyodide_bridge import PyodideBridge

CONNECTING, OPEN, CLOSING, CLOSED = range(4)


class Proxy:
    """A proxy that may not be called once it is destroyed."""

    def __init__(self, function: Callable[[Any], None], live: set["Proxy"]) -> None:
        self._function = function
        self._live = live
        live.add(self)

    def __call__(self, event: object) -> None:
        assert self in self._live, "called after destroy()"
        self._function(event)

    def destroy(self) -> None:
        self._live.remove(self)


class Buffer:
    """An ArrayBuffer that counts how often it is copied."""

    def __init__(self, data: bytes) -> None:
        self.copies = 0
        self.byteLength = len(data)
        self._data = data

    def to_bytes(self) -> bytes:
        self.copies += 1
        return self._data

    def write(self, data: bytes) -> None:
        self._data = data + self._data[len(data) :]

    def subarray(self, begin: int, end: int) -> "Buffer":
        return Buffer(self._data[begin:end])


class Event:
    """A MessageEvent that counts how often its data is asked for."""

    toString: Any = None
    valueOf: Any = None

    def __init__(self, data: str | Buffer) -> None:
        self.touched = 0
        self._data = data

    @property
    def data(self) -> str | Buffer:
        self.touched += 1
        return self._data

    def get_data(self) -> str | Buffer:
        """The getter of `data`, as JavaScript calls it."""
        return self._data


class Getter:
    """A getter as JavaScript has it: called with the event as `this`."""

    def __call__(self, this: Event, *_: object) -> str | Buffer:
        return this.get_data()

    @property
    def call(self) -> Any:
        return SimpleNamespace(bind=lambda getter: getter)


class Array(list[Any]):
    """An Array."""

    toString: Any = None

    @property
    def length(self) -> int:
        return len(self)

    @property
    def push(self) -> Any:
        return SimpleNamespace(bind=lambda this: this.append)

    @property
    def join(self) -> Any:
        def bind(this: "Array", between: str) -> Callable[[object], str]:
            return lambda _: between.join(map(_to_string, this))

        return SimpleNamespace(bind=bind)

    def map(self, function: Callable[[Any], Any]) -> "Array":
        return Array(function(item) for item in self)

    def splice(self, start: int, count: int) -> "Array":
        taken = Array(self[start : start + count])
        del self[start : start + count]
        return taken


def _to_string(thing: object) -> str:
    return thing if isinstance(thing, str) else f"[object {type(thing).__name__}]"


class Encoder:
    """A TextEncoder that accepts only what can be converted to a string."""

    def encode(self, thing: Any) -> Buffer:
        return Buffer(self._string(thing).encode())

    def encodeInto(self, thing: Any, buffer: Buffer) -> Any:
        whole = self._string(thing).encode()[: buffer.byteLength]
        fitting = whole.decode(errors="ignore").encode()
        buffer.write(fitting)
        return SimpleNamespace(written=len(fitting))

    def _string(self, thing: Any) -> str:
        text = thing.toString(thing)
        if isinstance(text, str):
            return text
        return "undefined" if thing.valueOf(thing) is None else str(text)


@dataclass(eq=False)
class Socket:
    """A WebSocket. The test plays the part of the browser."""

    url: str
    protocols: list[str]
    binaryType: str = "blob"
    readyState: int = CONNECTING
    protocol: str = ""
    extensions: str = ""
    bufferedAmount: int = 0
    onopen: Any = None
    onmessage: Any = None
    onerror: Any = None
    onclose: Any = None
    sent: list[Any] = field(default_factory=list)
    closes: list[tuple[Any, ...]] = field(default_factory=list)

    def send(self, data: object) -> None:
        self.sent.append(data)

    def close(self, *args: Any) -> None:
        if args and args[0] != 1000 and not 3000 <= args[0] <= 4999:
            raise JsException("InvalidAccessError", f"code {args[0]} is not allowed")
        self.closes.append(args)
        self.readyState = CLOSING

    def play_open(self, protocol: str = "", extensions: str = "") -> None:
        self.readyState = OPEN
        self.protocol, self.extensions = protocol, extensions
        self.onopen(SimpleNamespace())

    def play_message(self, data: str | Buffer) -> "Event":
        event = Event(data)
        if self.onmessage is not None:
            self.onmessage(event)
        return event

    def play_error(self, state: int = CLOSED, **facts: str) -> None:
        self.readyState = state
        self.onerror(SimpleNamespace(**facts))

    def play_close(self, code: int, reason: str = "", *, clean: bool = True) -> None:
        self.readyState = CLOSED
        if self.onclose is not None:
            event = SimpleNamespace(code=code, reason=reason, wasClean=clean)
            self.onclose(event)


class Target:
    """An EventTarget that has events of these kinds."""

    def __init__(self, *kinds: str) -> None:
        self.listeners: dict[str, list[Any]] = {kind: [] for kind in kinds}
        for kind in kinds:
            setattr(self, f"on{kind}", None)

    def addEventListener(self, kind: str, listener: object) -> None:
        self.listeners[kind].append(listener)

    def removeEventListener(self, kind: str, listener: object) -> None:
        self.listeners[kind].remove(listener)

    def play(self, kind: str, **facts: Any) -> None:
        for listener in list(self.listeners[kind]):
            listener(SimpleNamespace(type=kind, **facts))


@dataclass(eq=False)
class Request:
    """A request by `fetch`, to which the test responds."""

    url: str
    init: Any
    answer: "asyncio.Future[Any]"

    def respond(self, status: int, kind: str = "cors", **headers: str) -> None:
        pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
        response = SimpleNamespace(
            status=status,
            statusText="",
            type=kind,
            headers=SimpleNamespace(entries=lambda: pairs),
        )
        self.answer.set_result(response)

    def fail(self) -> None:
        self.answer.set_exception(JsException("TypeError", "Failed to fetch"))

    @property
    def aborted(self) -> bool:
        return bool(self.init.signal.aborted)


class FakeJs:
    """`globalThis`, and what of `pyodide.ffi` the bridge uses.

    Without `as_page()` it is Node's: no events, no origin.

    Attributes:
        sockets: All that were made.
        requests: All that `fetch` was asked.
        live: The proxies that are alive.
        refuse: Raised by the next `new WebSocket`.
        data_descriptor: How `data` of an event is made.
    """

    def __init__(self) -> None:
        self.sockets: list[Socket] = []
        self.requests: list[Request] = []
        self.live: set[Proxy] = set()
        self.refuse: JsException | None = None
        self.WebSocket: Any = SimpleNamespace(new=self._new_socket)
        self.Blob: Any = SimpleNamespace(new=lambda parts: ("blob", *parts))
        self.Function: Any = SimpleNamespace(prototype=lambda *_: None)
        self.Object: Any = SimpleNamespace(
            new=SimpleNamespace,
            getPrototypeOf=type,
            getOwnPropertyDescriptor=lambda _kind, _name: self.data_descriptor,
        )
        self.data_descriptor: Any = SimpleNamespace(get=Getter())
        self.Uint8Array: Any = SimpleNamespace(new=lambda size: Buffer(bytes(size)))
        self.TextEncoder: Any = SimpleNamespace(new=Encoder)
        self.Array: Any = SimpleNamespace(of=lambda *items: Array(items), new=Array)
        self.fetch: Any = SimpleNamespace(bind=self._bind_fetch)
        self.Promise: Any = SimpleNamespace(allSettled=_wait_for_all)
        self.AbortController: Any = SimpleNamespace(new=_new_controller)

    def as_page(self, origin: str, *, worker: bool = False) -> Target | None:
        """Add what a page or a worker has, and return the document."""
        network, page = ("offline", "online"), ("pagehide", "pageshow")
        network += ("securitypolicyviolation",)
        self.target = Target(*network, *(() if worker else page))
        self.ononline = self.onoffline = None
        self.addEventListener = self.target.addEventListener
        self.removeEventListener = self.target.removeEventListener
        self.navigator: Any = SimpleNamespace(onLine=True)
        self.location: Any = SimpleNamespace(origin=origin)
        if worker:
            return None
        self.onpagehide = self.onpageshow = None
        self.document: Any = Target("visibilitychange", "freeze", "resume")
        self.document.visibilityState = "visible"
        return self.document

    def _bind_fetch(self, this: object, url: str, init: Any) -> Callable[..., Any]:
        assert this is self, "browsers call it an illegal invocation otherwise"

        def fetch(*_: object) -> "asyncio.Future[Any]":
            answer = asyncio.get_running_loop().create_future()
            self.requests.append(Request(url, init, answer))
            return answer

        return fetch

    def _new_socket(self, url: str, protocols: list[str]) -> Socket:
        if self.refuse is not None:
            raise self.refuse
        self.sockets.append(Socket(url, protocols))
        return self.sockets[-1]

    @property
    def bridge(self) -> PyodideBridge:
        def create_proxy(function: Callable[[Any], None]) -> Proxy:
            return Proxy(function, self.live)

        return PyodideBridge(
            js=self, create_proxy=create_proxy, to_js=lambda value: value
        )


async def _wait_for_all(promises: list["asyncio.Future[Any]"]) -> list[Any]:
    outcomes: list[Any] = []
    for promise in promises:
        try:
            value = await promise
        except JsException as error:
            outcomes.append(SimpleNamespace(status="rejected", reason=error))
        else:
            outcomes.append(SimpleNamespace(status="fulfilled", value=value))
    return outcomes


def _new_controller() -> Any:
    signal = SimpleNamespace(aborted=False)

    def abort() -> None:
        signal.aborted = True

    return SimpleNamespace(signal=signal, abort=abort)
