"""The public API as type checkers see it. Checked by mypy and pyright, never run.

A line that both must reject has an ignore comment for each: they warn if it is unused.
"""

import asyncio
import builtins
import json
import ssl
import sys
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Mapping,
    Sequence,
)
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, TypeVar, assert_never, assert_type

import ws
from ws.testing import WebSocketClientFake

T = TypeVar("T")

URL = "ws://127.0.0.1:8000/ws"


# ── Connecting ──────────────────────────────────────────────────────────────


async def connecting() -> None:
    assert_type(ws.PLATFORM, Literal["vm", "js"])
    assert_type(ws.__version__, str)
    assert_type(await ws.connect(URL), ws.WebSocketClient)
    async with ws.connect(URL, ws.WebSocketOptions()) as client:
        assert_type(client, ws.WebSocketClient)
    async with ws.WebSocketClient() as client:
        assert_type(client, ws.WebSocketClient)
        assert_type(await client.connect(URL), None)
    await ws.connect(8000)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


async def url_providers(client: ws.WebSocketClient) -> None:
    def made(context: ws.ConnectContext) -> str:
        assert_type(context.attempt, int)
        assert_type(context.last_error, ws.WSError | None)
        return URL

    async def awaited(context: ws.ConnectContext) -> str:
        await asyncio.sleep(context.attempt)
        return URL

    def number(context: ws.ConnectContext) -> int:
        return context.attempt

    await client.connect(made)
    await client.connect(awaited)
    await client.connect(lambda context: f"{URL}?attempt={context.attempt}")
    assert_type(ws.WebSocketClient.start(awaited), ws.WebSocketClient)
    await client.connect(number)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


class Chat(ws.WebSocketClient):
    """The class methods of a subclass return the subclass."""


async def subclasses(fake: WebSocketClientFake) -> None:
    assert_type(Chat.start(URL), Chat)
    assert_type(Chat.from_client(fake, ws.WebSocketOptions()), Chat)
    async with Chat() as chat:
        assert_type(chat, Chat)


def running() -> None:
    async def main() -> int:
        await asyncio.sleep(0)
        return 1

    if sys.platform == "emscripten":
        assert_type(ws.run(main()), asyncio.Task[int])
    else:
        assert_type(ws.run(main()), int)
        assert_type(ws.run(main(), loop_factory=asyncio.new_event_loop), int)
    ws.run(main)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


# ── The client ──────────────────────────────────────────────────────────────


async def properties(client: ws.WebSocketClient) -> None:
    assert_type(client.is_closed, bool)
    assert_type(client.state, ws.WebSocketClientState)
    assert_type(client.state_changes, ws.WebSocketStatesStream)
    assert_type(client.stream, ws.WebSocketMessagesStream)
    assert_type(client.metrics, ws.WebSocketMetrics)
    assert_type(client.reconnect_timeout, float)
    assert_type(client.protocol, str | None)
    assert_type(client.handshake, ws.Handshake | None)
    assert_type(client.latency, float | None)
    assert_type(client.history, Sequence[ws.HistoryEntry])
    assert_type(client.explain(), str)
    client.is_closed = True  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]


async def calls(client: ws.WebSocketClient) -> None:
    assert_type(await client.add("text"), None)
    assert_type(await client.add(b"text", text=True), None)
    assert_type(await client.send(object()), None)
    assert_type(await client.recv(), str | bytes)
    assert_type(await client.ping(), float)
    assert_type(await client.reconnect(), None)
    assert_type(await client.disconnect(), None)
    assert_type(await client.disconnect(None, None), None)
    assert_type(await client.close(code=4000, reason="enough"), None)
    assert_type(await client.wait_closed(), None)
    async for message in client:
        assert_type(message, str | bytes)
        assert_type(message, ws.Data)
    await client.add("text", txt=True)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    await client.close("enough")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


async def receipts(client: ws.WebSocketClient) -> None:
    receipt = client.add_nowait({"any": "object"}, text=None)
    assert_type(receipt, ws.Receipt)
    assert_type(await receipt, None)
    waiting: Awaitable[None] = receipt
    await asyncio.wait_for(waiting, 1)
    assert_type(
        receipt.status, Literal["queued", "sent", "dropped", "expired", "failed"]
    )


async def sessions(client: ws.WebSocketClient) -> None:
    assert_type(client.sessions(), AsyncIterator[ws.Session])
    async for session in client.sessions():
        assert_type(session.connection, int)
        assert_type(session.url, str)
        assert_type(session.protocol, str | None)
        assert_type(session.handshake, ws.Handshake)
        assert_type(await session.add([1, 2, 3], text=False), None)
        assert_type(await session.recv(), str | bytes)
        async for message in session:
            assert_type(message, str | bytes)


def handshakes(handshake: ws.Handshake) -> None:
    assert_type(handshake.status, int | None)
    assert_type(handshake.headers, Mapping[str, str])
    assert_type(handshake.extensions, str)


# ── States ──────────────────────────────────────────────────────────────────


def every_state(state: ws.WebSocketClientState) -> str:
    """A `match` over all states is exhaustive."""
    assert_type(state.ready_state, ws.WebSocketReadyState)
    assert_type(state.is_open, bool)
    assert_type(state.is_closed, bool)
    match state:
        case ws.Connecting(url=url, attempt=attempt):
            return f"{url} {attempt:d}"
        case ws.Open():
            assert_type(state.url, str)
            assert_type(state.protocol, str | None)
            assert_type(state.connection, int)
            return state.url
        case ws.Disconnecting(code, reason):
            assert_type(code, int | None)
            assert_type(reason, str | None)
            return "closing"
        case ws.Reconnecting(delay=delay, at=at):
            assert_type(state.attempt, int)
            assert_type(delay, float)
            assert_type(at, datetime)
            assert_type(state.close_code, int | None)
            assert_type(state.close_reason, str | None)
            assert_type(state.error, ws.WSError | None)
            return "lost"
        case ws.Closed(error=error):
            assert_type(state.close_code, int | None)
            assert_type(state.close_reason, str | None)
            assert_type(error, ws.WSError | None)
            return "closed"
        case _:
            assert_never(state)


def states_are_immutable(state: ws.Open) -> None:
    state.url = URL  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]


def ready_states() -> None:
    numbers: list[int] = [
        ws.WebSocketReadyState.CONNECTING,
        ws.WebSocketReadyState.OPEN,
        ws.WebSocketReadyState.DISCONNECTING,
        ws.WebSocketReadyState.CLOSED,
    ]
    assert_type(
        [ws.WebSocketReadyState(one) for one in numbers], list[ws.WebSocketReadyState]
    )


async def state_streams(states: ws.WebSocketStatesStream) -> None:
    assert_type(states.connecting, ws.Stream[ws.Connecting])
    assert_type(states.open, ws.Stream[ws.Open])
    assert_type(states.disconnecting, ws.Stream[ws.Disconnecting])
    assert_type(states.reconnecting, ws.Stream[ws.Reconnecting])
    assert_type(states.closed, ws.Stream[ws.Closed])
    async for state in states:
        assert_type(state, ws.WebSocketClientState)
    async for opened in states.open:
        assert_type(opened.connection, int)
    assert_type(
        await states.first(lambda state: state.is_open), ws.WebSocketClientState
    )
    assert_type(await states.closed.first(), ws.Closed)


# ── Streams ─────────────────────────────────────────────────────────────────


class Decoder(Generic[T]):
    """A class with the types of `msgspec.json.Decoder`."""

    def __init__(self, kind: type[T]) -> None:
        self.kind = kind

    def decode(self, buf: str | bytes | bytearray, /) -> T:
        raise NotImplementedError(buf)


class Model:
    """A class with the types of `pydantic.BaseModel`."""

    @classmethod
    def model_validate_json(
        cls, json_data: str | bytes | bytearray, *, strict: bool | None = None
    ) -> "Model":
        raise NotImplementedError(json_data, strict)


async def message_streams(stream: ws.WebSocketMessagesStream) -> None:
    assert_type(stream.text, ws.Stream[str])
    assert_type(stream.bytes, ws.Stream[builtins.bytes])
    assert_type(stream.json, ws.Stream[Any])
    assert_type(stream.decode(Decoder(float).decode), ws.Stream[float])
    assert_type(stream.decode(Model.model_validate_json, "skip"), ws.Stream[Model])
    assert_type(stream.decode(json.loads, on_error="raise"), ws.Stream[Any])
    async for message in stream:
        assert_type(message, str | bytes)
    async for binary in stream.bytes:
        assert_type(binary.hex(), str)
    async for number in stream.decode(Decoder(float).decode):
        assert_type(number, float)
    stream.decode(len, on_error="ignore")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


async def steps(stream: ws.WebSocketMessagesStream) -> None:
    lengths = stream.text.map(len)
    assert_type(lengths, ws.Stream[int])
    assert_type(lengths.where(lambda length: length > 1), ws.Stream[int])
    assert_type(lengths.where_type(bool), ws.Stream[bool])
    assert_type(stream.map(lambda message: message[0]), ws.Stream[str | int])
    assert_type(await lengths.first(), int)
    assert_type(await lengths.first(lambda length: length > 1), int)
    stream.bytes.map(str.upper)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


async def subscribers(stream: ws.Stream[str]) -> None:
    assert_type(aiter(stream), ws.Subscriber[str])
    assert_type(stream.subscribe(16, "drop_oldest"), ws.Subscriber[str])
    with stream.subscribe(capacity=None, overflow=None) as subscriber:
        assert_type(subscriber, ws.Subscriber[str])
        assert_type(await anext(subscriber), str)
        assert_type(subscriber.dropped, int)
        async for message in subscriber:
            assert_type(message, str)
    assert_type(subscriber.close(), None)
    stream.subscribe(overflow="wait")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


async def listeners(stream: ws.Stream[str]) -> None:
    async def awaited(message: str) -> None:
        await asyncio.sleep(len(message))

    def wrong(message: int) -> None:
        raise NotImplementedError(message)

    with stream.listen(awaited, capacity=16, overflow="error") as subscription:
        assert_type(subscription, ws.Subscription)
    assert_type(stream.listen(print).cancel(), None)
    stream.listen(wrong)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


# ── Options ─────────────────────────────────────────────────────────────────


def log_in(session: ws.Session) -> None:
    """A plain function is valid for `after_connect` too."""
    raise NotImplementedError(session)


async def log_in_slowly(session: ws.Session) -> None:
    await session.add("token")


def common_options() -> None:
    options = ws.WebSocketOptions(
        connection_retry_interval=(0.5, timedelta(seconds=30)),
        protocols=["chat", "superchat"],
        timeout=timedelta(seconds=5),
        close_timeout=1,
        after_connect=log_in_slowly,
        interceptors=[ws.WSInterceptor()],
        heartbeat=None,
        outbox=None,
        max_size=None,
        stream_capacity=16,
        stream_overflow="drop_oldest",
        write_limit=2**20,
        on_event=print,
    )
    assert_type(options, ws.WebSocketOptions)
    assert_type(ws.WebSocketOptions.common(after_connect=log_in), ws.WebSocketOptions)
    assert_type(options.replace(timeout=None, headers={}), ws.WebSocketOptions)
    assert_type(options.connection_retry_interval, ws.ConnectionRetryInterval | None)
    assert_type(options.protocols, tuple[str, ...])
    assert_type(options.timeout, float | None)
    assert_type(options.close_timeout, float)
    assert_type(
        options.after_connect, Callable[[ws.Session], Awaitable[None] | None] | None
    )
    assert_type(options.interceptors, tuple[ws.WSInterceptor, ...])
    assert_type(options.heartbeat, ws.Heartbeat | None)
    assert_type(options.outbox, ws.Outbox)
    assert_type(options.max_size, int | None)


def platform_options(context: ssl.SSLContext, connector: ws.Connector) -> None:
    async def token(context: ws.ConnectContext) -> ws.Headers:
        return {"Authorization": f"Bearer {context.attempt}", "X-Many": ["a", "b"]}

    vm = ws.WebSocketOptions.vm(
        headers=token,
        compression=ws.CompressionOptions(client_max_window_bits=15),
        custom_client=connector,
        user_agent="example/1.0",
        ssl=context,
        server_hostname="example.org",
        proxy="http://proxy.example.org:3128",
        origin="https://example.org",
        unix_path=None,
        local_addr=("127.0.0.1", 0),
        timeout=3,
    )
    js = ws.WebSocketOptions.js(use_blob_for_binary=True, diagnose=True, timeout=3)
    assert_type(vm, ws.WebSocketOptions)
    assert_type(js, ws.WebSocketOptions)
    assert_type(
        ws.WebSocketOptions.selector(
            vm=lambda: ws.WebSocketOptions.vm(headers={"X-Plain": "dict"}),
            js=ws.WebSocketOptions.js,
        ),
        ws.WebSocketOptions,
    )


def wrong_options() -> None:
    """Unknown option names and wrong types are rejected."""
    ws.WebSocketOptions(timeuot=3)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    ws.WebSocketOptions(headers={})  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    ws.WebSocketOptions.common(diagnose=True)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    ws.WebSocketOptions.vm(diagnose=True)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    ws.WebSocketOptions.js(headers={})  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    ws.WebSocketOptions().replace(timeuot=3)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    ws.WebSocketOptions(timeout="3")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    ws.WebSocketOptions(stream_overflow="wait")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    ws.WebSocketOptions.vm(headers={"X-Number": 1})  # type: ignore[dict-item] # pyright: ignore[reportArgumentType]
    ws.Outbox(overflow="pause")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def parts_of_options() -> None:
    def retry_if(context: ws.RetryContext) -> bool | float | None:
        assert_type(context.attempt, int)
        assert_type(context.elapsed, float)
        assert_type(context.ever_connected, bool)
        assert_type(context.error, ws.WSError)
        assert_type(context.default, bool)
        return None

    interval = ws.ConnectionRetryInterval(
        0.5, 15, factor=2, max_attempts=None, min_uptime=timedelta(0), retry_if=retry_if
    )
    assert_type(interval.min, float | timedelta)
    assert_type(interval.max, float | timedelta)
    assert_type(interval.factor, float)
    assert_type(interval.max_attempts, int | None)
    assert_type(interval.min_uptime, float | timedelta)
    ws.Heartbeat(20, timedelta(seconds=20), message=[1, 2], is_reply=lambda _: True)
    ws.Heartbeat(message=lambda: memoryview(b"ping"))
    ws.Outbox(max_messages=1, max_bytes=1, overflow="drop_newest", ttl=60)
    ws.CompressionOptions(
        enabled=True,
        client_max_window_bits=15,
        server_max_window_bits=None,
        client_no_context_takeover=True,
        server_no_context_takeover=True,
    )


def durations(seconds: ws.Seconds) -> None:
    assert_type(seconds, float | timedelta)
    ws.Heartbeat(interval=seconds, timeout=3)


def sendables() -> None:
    everything: list[ws.Sendable] = [
        "text",
        b"bytes",
        bytearray(),
        memoryview(b""),
        [0, 255],
        (0, 255),
        range(3),
    ]
    overflows: list[ws.Overflow] = ["pause", "drop_oldest", "drop_newest", "error"]
    assert_type((everything, overflows), tuple[list[ws.Sendable], list[ws.Overflow]])


# ── Interceptors ────────────────────────────────────────────────────────────


class Json(ws.WSInterceptor):
    """An interceptor with synchronous handlers."""

    def on_send(self, data: Any, next: Callable[[Any], Any]) -> Awaitable[None] | None:
        return next(json.dumps(data))  # type: ignore[no-any-return]

    def on_message(self, data: Any, next: Callable[[Any], Any]) -> None:
        next(json.loads(data))


class Slow(ws.WSInterceptor):
    """An interceptor with asynchronous handlers."""

    async def on_send(self, data: Any, next: Callable[[Any], Any]) -> None:
        await asyncio.sleep(1)
        await next(data)

    async def on_message(self, data: Any, next: Callable[[Any], Any]) -> None:
        await asyncio.sleep(1)
        next(data)


def interceptors() -> None:
    async def twice(data: Any, next: Callable[[Any], Any]) -> None:
        next(data)
        await next(data)

    assert_type(ws.WSInterceptor.wrap(on_send=print), ws.WSInterceptor)
    assert_type(ws.WSInterceptor.handlers(on_message=twice), ws.WSInterceptor)
    ws.WebSocketOptions(interceptors=(Json(), Slow(), ws.WSInterceptor.wrap()))
    ws.WebSocketOptions(interceptors=[print])  # type: ignore[list-item] # pyright: ignore[reportArgumentType]


# ── Metrics, events, codes ──────────────────────────────────────────────────


def metrics(figures: ws.WebSocketMetrics) -> None:
    assert_type(figures.timestamp, datetime)
    assert_type(figures.ready_state, ws.WebSocketReadyState)
    assert_type(figures.transferred_size, int)
    assert_type(figures.received_size, int)
    assert_type(figures.transferred_count, int)
    assert_type(figures.received_count, int)
    assert_type(figures.reconnects_successful, int)
    assert_type(figures.reconnects_total, int)
    assert_type(figures.disconnects, int)
    assert_type(figures.last_successful_connection_time, datetime | None)
    assert_type(figures.last_disconnect_time, datetime | None)
    assert_type(figures.last_disconnect_code, int | None)
    assert_type(figures.last_disconnect_reason, str | None)
    assert_type(figures.last_url, str | None)
    assert_type(figures.is_reconnection_active, bool)
    assert_type(figures.current_reconnect_attempts, int)
    assert_type(figures.next_reconnection_attempt, datetime | None)
    assert_type(figures.latency, float | None)
    assert_type(figures.uptime, float)
    assert_type(figures.buffered_amount, int)
    assert_type(figures.unconfirmed_count, int)
    assert_type(figures.dropped_count, int)
    assert_type(figures.to_json(), dict[str, Any])
    assert_type(ws.WebSocketMetrics.from_json({}), ws.WebSocketMetrics)
    figures.uptime = 0.0  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]


def history(entry: ws.HistoryEntry) -> None:
    assert_type(entry.at, datetime)
    assert_type(entry.state, ws.WebSocketClientState)
    cause: str = entry.cause
    assert_type([cause], list[str])


def on_event(event: ws.ClientEvent) -> None:
    assert_type(event.name, str)
    assert_type(event.at, datetime)
    assert_type(event.details, Mapping[str, Any])


def status_codes() -> None:
    code = ws.WebSocketStatusCode(1000)
    assert_type(code.codename, str)
    assert_type(code.is_sendable, bool)
    number: int = ws.WebSocketStatusCode.TIMEOUT
    assert_type(number.bit_length(), int)


# ── Errors ──────────────────────────────────────────────────────────────────


async def errors(client: ws.WebSocketClient) -> None:
    try:
        await client.connect(URL)
    except ws.WSHandshakeError as error:
        assert_type(error.status, int | None)
        assert_type(error.headers, Mapping[str, str])
        assert_type(error.retry_after, float | None)
    except ws.WSRetriesExhaustedError as error:
        assert_type(error.attempts, int)
    except ws.WSConnectionClosedError as error:
        assert_type(error.close_code, int | None)
        assert_type(error.close_reason, str)
        assert_type(error.was_clean, bool)
        assert_type(error.unconfirmed, int)
    except ws.WSError as error:
        assert_type(error.code, str)


def kinds_of_errors(
    close: ws.WSDisconnectError,
) -> None:
    """Some errors are subclasses of built-in exceptions."""
    timeouts: list[type[TimeoutError]] = [ws.WSTimeoutError]
    values: list[type[ValueError]] = [ws.WSInvalidUrlError, ws.WSInvalidCloseError]
    types: list[type[TypeError]] = [ws.WSUnsupportedDataError]
    not_connected: list[type[ws.WSNotConnectedError]] = [
        ws.WSHandshakeError,
        ws.WSTimeoutError,
        ws.WSRetriesExhaustedError,
        ws.WSConnectionClosedError,
        ws.WSSupersededError,
        ws.WSInvalidUrlError,
    ]
    not_sent: list[type[ws.WSSendError]] = [
        ws.WSUnsupportedDataError,
        ws.WSOutboxFullError,
        ws.WSMessageDroppedError,
    ]
    others: list[type[ws.WSError]] = [
        *not_connected,
        *not_sent,
        ws.WSClientClosedError,
        ws.WSDisconnectError,
        ws.WSStreamOverflowError,
        ws.WSUnsupportedError,
    ]
    assert_type(others[0]("message").code, str)
    assert_type(close.code, str)
    every: list[type[Exception]] = [*timeouts, *values, *types]
    assert_type(every, list[type[Exception]])


# ── One's own client, connector and transport ───────────────────────────────


class OwnClient:
    """A client for `from_client()` needs no base class."""

    def __init__(self) -> None:
        self.state: ws.WebSocketClientState = ws.Closed()

    @property
    async def state_changes(self) -> AsyncIterator[ws.WebSocketClientState]:
        yield self.state

    @property
    async def stream(self) -> AsyncIterator[str]:
        yield "text"

    async def add(self, data: ws.Data) -> None:
        raise NotImplementedError(data)

    async def connect(self, url: str) -> None:
        self.state = ws.Open(url, None, 1)

    async def disconnect(
        self, code: int | None = 1000, reason: str | None = "NORMAL_CLOSURE"
    ) -> None:
        self.state = ws.Closed(code, reason)

    async def close(
        self, code: int | None = 1000, reason: str | None = "NORMAL_CLOSURE"
    ) -> None:
        self.state = ws.Closed(code, reason)


class OwnTransport:
    """A transport may have attributes instead of the properties of the protocol."""

    protocol: str | None = None
    handshake = ws.Handshake(status=101, headers={}, extensions="", peer=None)
    buffered_amount = 0
    last_activity = 0.0
    can_pause = False

    def __init__(self, sink: ws.TransportSink) -> None:
        self._sink = sink

    def send(self, data: ws.Data, *, text: bool) -> None:
        self._sink.on_messages([data if text else b""], len(data))

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None:
        self._sink.on_writable()

    def ping(self) -> Awaitable[float] | None:
        return None

    def close(self, code: int | None, reason: str | None) -> None:
        end = ws.CloseInfo(
            code=code,
            reason=reason or "",
            was_clean=True,
            initiator="local",
            error=None,
        )
        self._sink.on_closing(end)
        self._sink.on_closed(end)

    def abort(self) -> None: ...


async def own_connector(
    request: ws.ConnectRequest, sink: ws.TransportSink
) -> ws.Transport:
    """A function is a connector."""
    assert_type(request.url, str)
    assert_type(request.headers, Mapping[str, str | Sequence[str]])
    assert_type(request.options, ws.WebSocketOptions)
    return OwnTransport(sink)


class OwnConnector:
    """An object with `__call__` is a connector."""

    async def __call__(
        self, request: ws.ConnectRequest, sink: ws.TransportSink
    ) -> OwnTransport:
        raise ConnectionRefusedError(request.url, sink)


def own(fake: WebSocketClientFake) -> None:
    clients: list[ws.IWebSocketClient] = [OwnClient(), fake]
    connectors: list[ws.Connector] = [own_connector, OwnConnector()]
    assert_type(ws.WebSocketClient.from_client(clients[0]), ws.WebSocketClient)
    ws.WebSocketClient.from_client(OwnClient())
    ws.WebSocketOptions.vm(custom_client=connectors[0])
    ws.WebSocketClient.from_client(object())  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def awaitables(connecting: ws.connect, receipt: ws.Receipt) -> None:
    """Both have `__await__`."""
    assert_type(connecting.__await__(), Generator[Any, None, ws.WebSocketClient])
    assert_type(receipt.__await__(), Generator[Any, None, None])


# ── For tests ───────────────────────────────────────────────────────────────


async def fakes() -> None:
    fake = WebSocketClientFake(answer=lambda data: [data, "again"], protocol="chat")
    assert_type(fake.sent, list[str | bytes])
    assert_type(fake.loop_back(b"data"), None)
    assert_type(fake.drop(1001, "bye"), None)
    assert_type(fake.drop(), None)
    assert_type(fake.refuse(), None)
    assert_type(fake.refuse(401), None)
    assert_type(fake.stall(), None)
    assert_type(fake.state_changes, ws.WebSocketStatesStream)
    async with ws.WebSocketClient.from_client(fake) as client:
        assert_type(client, ws.WebSocketClient)


# ── Options as keywords, and JSON ───────────────────────────────────────────


async def keywords(codec: ws.Json, options: ws.WebSocketOptions) -> None:
    assert_type(await ws.connect("ws://x/", reconnect=True), ws.WebSocketClient)
    assert_type(ws.WebSocketClient(options, name="prices"), ws.WebSocketClient)
    client = ws.WebSocketClient.start("ws://x/", timeout=5, reconnect=(1, 2))
    ws.WebSocketClient(json=codec, on_event=[print, print])
    await client.send_json({"a": 1})
    assert_type(await client.recv_json(), Any)
    ws.connect("ws://x/", reconect=True)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    ws.connect("ws://x/", reconnect="yes")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    ws.connect("ws://x/", timeout="5")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


async def json_in_a_session(session: ws.Session) -> None:
    await session.send("text")
    await session.send_json([1, 2])
    assert_type(await session.recv_json(), Any)
