"""What a client can be told: immutable, and validated on construction."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    NoReturn,
    Protocol,
    Self,
    TypedDict,
    TypeVar,
    Unpack,
)

from ws_common.options import platform as platforms
from ws_common.options.backoff import ConnectionRetryInterval
from ws_common.options.compression import CompressionOptions
from ws_common.options.heartbeat import Heartbeat
from ws_common.options.interceptors import WSInterceptor
from ws_common.options.option_checks import CHECKS
from ws_common.options.outbox import Outbox
from ws_common.options.platform import Overflow
from ws_common.vocabulary.durations import Seconds
from ws_common.vocabulary.errors import WSError, WSUnsupportedError
from ws_common.vocabulary.events import ClientEvent
from ws_common.vocabulary.session import Session
from ws_common.vocabulary.transport import Headers, Transport, TransportSink
from ws_common.vocabulary.urls import redact

if TYPE_CHECKING:
    from ssl import SSLContext
else:
    try:  # asyncio has imported it already, where there is one
        from ssl import SSLContext
    except ImportError:  # a browser: nothing takes one there
        SSLContext = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectContext:
    """What a provider, asked anew before every attempt, is told.

    Attributes:
        attempt: 1 on the first attempt, counted since the last stable connection.
        last_error: Why the one before failed, or the connection was lost.

    Example:
        >>> import asyncio
        >>> from ws.testing import WebSocketClientFake
        >>> def url(context: ConnectContext) -> str:
        ...     return f"ws://server{context.attempt % 2}.example/"
        >>> async def main() -> None:
        ...     fake = WebSocketClientFake()
        ...     fake.refuse()
        ...     options = WebSocketOptions(connection_retry_interval=(0.001, 0.002))
        ...     async with WebSocketClient.from_client(fake, options) as client:
        ...         await client.connect(url)
        ...         print(fake.urls)
        >>> asyncio.run(main())
        ['ws://server1.example/', 'ws://server0.example/']
    """

    attempt: int
    last_error: WSError | None


Url = str | Callable[[ConnectContext], str | Awaitable[str]]
HeadersProvider = Callable[[ConnectContext], Headers | Awaitable[Headers]]
AfterConnect = Callable[[Session], Awaitable[None] | None]
OnEvent = Callable[[ClientEvent], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectRequest:
    """What a connector is asked for.

    Attributes:
        url: A checked `ws://` or `wss://` URL.
        headers: Additional headers of the handshake, resolved for this attempt.
        options: The client's options.

    Example:
        The test of a connector makes one itself:

        >>> request = ConnectRequest(
        ...     url="ws://anywhere/", headers={}, options=WebSocketOptions(timeout=5)
        ... )
        >>> request.options.timeout
        5.0
    """

    url: str
    headers: Headers
    options: "WebSocketOptions"

    def __repr__(self) -> str:
        """Show it without secrets: of the headers only the names."""
        return (
            f"ConnectRequest(url={redact(self.url)!r}, headers={list(self.headers)!r}, "
            f"options={self.options!r})"
        )


class Connector(Protocol):
    """Opens connections: websockets natively, `js.WebSocket` in a browser, or yours.

    Example:
        >>> import asyncio
        >>> async def offline(request: ConnectRequest, sink: TransportSink):
        ...     raise OSError("we are offline")
        >>> async def main() -> None:
        ...     options = WebSocketOptions.vm(custom_client=offline)
        ...     await connect("ws://anywhere/", options)
        >>> asyncio.run(main())
        Traceback (most recent call last):
        ...
        ws.WSNotConnectedError: could not connect to ws://anywhere/: we are offline
    """

    async def __call__(self, request: ConnectRequest, sink: TransportSink) -> Transport:
        """Open one connection.

        Cancelling it leaves no socket behind. The caller bounds the time.

        Raises:
            WSError: The server refused, or the request cannot be carried out here.
            OSError: The network did not let us.
        """
        ...


class CommonOptions(TypedDict, total=False):
    """The keywords of `WebSocketOptions.common()`."""

    connection_retry_interval: ConnectionRetryInterval | tuple[Seconds, Seconds] | None
    protocols: Iterable[str]
    timeout: Seconds | None
    close_timeout: Seconds
    after_connect: AfterConnect | None
    interceptors: Iterable[WSInterceptor]
    heartbeat: Heartbeat | None
    outbox: Outbox | None
    max_size: int | None
    stream_capacity: int | None
    stream_overflow: Overflow
    write_limit: int
    on_event: OnEvent | None


class VmOptions(CommonOptions, total=False):
    """The keywords of `WebSocketOptions.vm()`."""

    headers: Headers | HeadersProvider | None
    compression: CompressionOptions | bool
    custom_client: Connector | None
    user_agent: str | None
    ssl: SSLContext | None
    server_hostname: str | None
    proxy: str | bool | None
    origin: str | None
    unix_path: str | None
    local_addr: tuple[str, int] | None


class JsOptions(CommonOptions, total=False):
    """The keywords of `WebSocketOptions.js()`."""

    use_blob_for_binary: bool
    diagnose: bool


class AllOptions(VmOptions, JsOptions, total=False):
    """The keywords of `WebSocketOptions.replace()`."""


Kind = TypeVar("Kind", bound="WebSocketOptions")

_SECRET = frozenset({"headers", "proxy"})


class WebSocketOptions:
    """Immutable, validated on construction: a bad value raises, naming the option.

    `WebSocketOptions(...)` takes the common options, as `common(...)` does;
    `vm(...)` and `js(...)` add those of one platform.

    Attributes:
        connection_retry_interval: When to try again; None: never reconnect.
        protocols: Subprotocols offered, in order of preference.
        timeout: Seconds for every single attempt, the first and each later one.
        close_timeout: Seconds for the closing handshake.
        after_connect: Called (or awaited) with a `Session` after each connection
            opens and before user messages flow; the state is still `Connecting`.
            What it does not receive reaches the subscribers, in order. Its
            failure, or `timeout`, aborts the attempt.
        interceptors: See `WSInterceptor`.
        heartbeat: See `Heartbeat`; None: off.
        outbox: What `add_nowait()` keeps while there is no connection.
        max_size: Bytes of an incoming message; None: no limit.
        stream_capacity: Messages in each subscriber's buffer; None: no count.
        stream_overflow: What happens above that.
        write_limit: Bytes buffered for sending above which `add()` waits.
        on_event: Handed every `ClientEvent`.
        headers: Native. Additional headers, or what makes them for each attempt.
        compression: Native. What is offered of permessage-deflate.
        custom_client: Native. Replaces what opens connections.
        user_agent: Native. The `User-Agent` header.
        ssl: Native. The TLS context; None: certificates are verified.
        server_hostname: Native. The name that the certificate must have.
        proxy: Native. A proxy's URL; True: as the environment says; None: none.
        origin: Native. The `Origin` header.
        unix_path: Native. A Unix socket to connect through.
        local_addr: Native. The (host, port) to connect from.
        use_blob_for_binary: Browser. Send binary data as `Blob`.
        diagnose: Browser. Ask over HTTP why a handshake failed.

    Example:
        >>> options = WebSocketOptions(timeout=5, connection_retry_interval=(0.5, 10))
        >>> options.replace(timeout=3).timeout
        3.0
    """

    __slots__ = ("_values",)
    _values: Mapping[str, Any]

    connection_retry_interval: ConnectionRetryInterval | None
    protocols: tuple[str, ...]
    timeout: float | None
    close_timeout: float
    after_connect: AfterConnect | None
    interceptors: tuple[WSInterceptor, ...]
    heartbeat: Heartbeat | None
    outbox: Outbox
    max_size: int | None
    stream_capacity: int | None
    stream_overflow: Overflow
    write_limit: int
    on_event: OnEvent | None
    headers: Headers | HeadersProvider | None
    compression: CompressionOptions
    custom_client: Connector | None
    user_agent: str | None
    ssl: SSLContext | None
    server_hostname: str | None
    proxy: str | bool | None
    origin: str | None
    unix_path: str | None
    local_addr: tuple[str, int] | None
    use_blob_for_binary: bool
    diagnose: bool

    def __init__(self, **options: Unpack[CommonOptions]) -> None:
        self._fill(options, CommonOptions)

    @classmethod
    def common(cls, **options: Unpack[CommonOptions]) -> Self:
        """Make options that hold on every platform.

        Raises:
            TypeError: An option of the wrong kind, or unknown.
            ValueError: An option out of range.
        """
        return cls(**options)

    @classmethod
    def vm(cls, **options: Unpack[VmOptions]) -> Self:
        """Make options for native platforms.

        Raises:
            WSUnsupportedError: This is a browser.
            TypeError: An option of the wrong kind, or unknown.
            ValueError: An option out of range.
        """
        _check_platform("vm", "native platforms", "this is a browser", "js")
        return cls.__new__(cls)._fill(options, VmOptions)  # noqa: SLF001 - our own

    @classmethod
    def js(cls, **options: Unpack[JsOptions]) -> Self:
        """Make options for browsers.

        Raises:
            WSUnsupportedError: This is not a browser.
            TypeError: An option of the wrong kind, or unknown.
            ValueError: An option out of range.
        """
        _check_platform("js", "browsers", "this is not a browser", "vm")
        return cls.__new__(cls)._fill(options, JsOptions)  # noqa: SLF001 - our own

    @classmethod
    def selector(
        cls,
        *,
        vm: Callable[[], "WebSocketOptions"],
        js: Callable[[], "WebSocketOptions"],
    ) -> "WebSocketOptions":
        """Call only the factory of the platform this runs on.

        Example:
            >>> options = WebSocketOptions.selector(
            ...     vm=lambda: WebSocketOptions.vm(user_agent="example/1.0"),
            ...     js=lambda: WebSocketOptions.js(use_blob_for_binary=True),
            ... )
        """
        return vm() if platforms.current().name == "vm" else js()

    def replace(self, **changes: Unpack[AllOptions]) -> Self:
        """Return a copy with some options changed, validated as at construction.

        Raises:
            TypeError: An option of the wrong kind, or unknown here.
            ValueError: An option out of range.
        """
        name = platforms.current().name
        _reject_unknown(changes, VmOptions if name == "vm" else JsOptions)
        return _restore(type(self), {**self._values, **changes})

    def _fill(self, given: Mapping[str, Any], keywords: Any) -> Self:
        _reject_unknown(given, keywords)
        platform = platforms.current()
        values = {
            **_DEFAULTS,
            "stream_capacity": platform.stream_capacity,
            "stream_overflow": platform.stream_overflow,
            "write_limit": platform.write_limit,
            **given,
        }
        checked = {name: CHECKS[name](name, value) for name, value in values.items()}
        object.__setattr__(self, "_values", MappingProxyType(checked))
        return self

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Read an option."""
            try:
                return object.__getattribute__(self, "_values")[name]
            except (KeyError, AttributeError):
                raise AttributeError(
                    f"WebSocketOptions has no option {name!r}"
                ) from None

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: options are immutable."""
        raise AttributeError(f"options are immutable: use options.replace({name}=…)")

    def __eq__(self, other: object) -> bool:
        """Compare option by option."""
        if not isinstance(other, WebSocketOptions):
            return NotImplemented
        return self._values == other._values

    # Headers may hold what has no hash.
    __hash__: ClassVar[None] = None  # type: ignore[assignment] # pyright: ignore[reportIncompatibleMethodOverride]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy by value."""
        return _restore, (type(self), dict(self._values))

    def __repr__(self) -> str:
        """Show what differs from the defaults, without secrets."""
        defaults = type(self)()
        changed = ", ".join(
            f"{name}={'…' if name in _SECRET else repr(value)}"
            for name, value in self._values.items()
            if value != getattr(defaults, name)
        )
        return f"WebSocketOptions({changed})"


_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "connection_retry_interval": None,
        "protocols": (),
        "timeout": 30.0,
        "close_timeout": 10.0,
        "after_connect": None,
        "interceptors": (),
        "heartbeat": Heartbeat(),
        "outbox": Outbox(),
        "max_size": 16 * 2**20,
        "on_event": None,
        "headers": None,
        "compression": True,
        "custom_client": None,
        "user_agent": None,
        "ssl": None,
        "server_hostname": None,
        "proxy": True,
        "origin": None,
        "unix_path": None,
        "local_addr": None,
        "use_blob_for_binary": False,
        "diagnose": False,
    }
)


_default_options: dict[str, WebSocketOptions] = {}


def get_default_options() -> WebSocketOptions:
    """Those of a client that is told nothing: one object for all of them."""
    name = platforms.current().name
    if name not in _default_options:
        _default_options[name] = WebSocketOptions()
    return _default_options[name]


def _restore(kind: type[Kind], values: Mapping[str, Any]) -> Kind:
    return kind.__new__(kind)._fill(values, AllOptions)  # noqa: SLF001 - our own


def _reject_unknown(given: Mapping[str, Any], keywords: Any) -> None:
    for name in given:
        if name not in keywords.__optional_keys__:
            raise TypeError(
                f"unknown option {name!r} here: {_suggest_name(name, keywords)}"
            )


def _suggest_name(name: str, keywords: Any) -> str:
    import difflib  # noqa: PLC0415 - for who has mistyped, not for every import

    names = sorted(keywords.__optional_keys__)
    similar = difflib.get_close_matches(name, names, n=1)
    if similar:
        return f"did you mean {similar[0]!r}?"
    if name in AllOptions.__optional_keys__:
        factory = "vm" if name in VmOptions.__optional_keys__ else "js"
        return f"it belongs to WebSocketOptions.{factory}()"
    return f"known are {', '.join(names)}"


def _check_platform(used: str, where: str, here: str, instead: str) -> None:
    if platforms.current().name != used:
        raise WSUnsupportedError(
            f"WebSocketOptions.{used}() is for {where}, and {here}: use .{instead}(), "
            ".common() for what holds everywhere, or .selector(vm=…, js=…) for both"
        )
