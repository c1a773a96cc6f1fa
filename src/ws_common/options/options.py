"""The options of a client: immutable, and validated when they are created."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
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
from ws_common.options.json_codec import Json
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
    # At run time too, so that `typing.get_type_hints()` works on the annotations below.
    try:  # asyncio has already imported `ssl`, so that this costs nothing
        from ssl import SSLContext
    except ImportError:  # a browser, where no option accepts a context
        SSLContext = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectContext:
    """What a provider of URLs or headers is called with before every attempt.

    Attributes:
        attempt: The number of the attempt, counted from 1 since the last stable
            connection.
        last_error: Why the previous attempt failed or the connection was lost, or None.

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
    """What a connector is called with.

    Attributes:
        url: A valid `ws://` or `wss://` URL.
        headers: Additional headers of the handshake, which the provider, if any, has
            returned for this attempt.
        options: The options of the client.

    Example:
        The test of a connector can create a request:

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
        """Show the request without secrets: headers are shown by name only."""
        # Connectors log their requests, and a dataclass would show `Authorization`.
        return (
            f"ConnectRequest(url={redact(self.url)!r}, headers={list(self.headers)!r}, "
            f"options={self.options!r})"
        )


class Connector(Protocol):
    """Opens connections.

    Native clients use the library `websockets`, browsers `js.WebSocket`. The option
    `custom_client` replaces the native one.

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

        Cancelling it closes the socket. The caller enforces the option `timeout`.

        Args:
            request: The URL, headers and options.
            sink: Receives the events of the transport.

        Returns:
            The transport of the open connection.

        Raises:
            WSError: The server refused, or this platform cannot serve the request.
            OSError: The network failed.
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
    on_event: OnEvent | Sequence[OnEvent] | None
    name: str | None
    json: Json | None
    reconnect: bool | ConnectionRetryInterval | tuple[Seconds, Seconds]


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

# Options whose values `repr()` hides: headers hold tokens, a proxy URL a password.
_SECRET = frozenset({"headers", "proxy"})


class WebSocketOptions:
    """The options of a client. They are immutable.

    An invalid value raises an error that names the option. `WebSocketOptions(...)` and
    `common(...)` accept the options that exist on every platform; `vm(...)` and
    `js(...)` accept those of one platform too. Everywhere `reconnect` is short for
    `connection_retry_interval`: `True` means the defaults of `ConnectionRetryInterval`,
    `False` means never, and `(min, max)` are seconds.

    Attributes:
        connection_retry_interval: The delays between attempts; None: never reconnect.
        protocols: The subprotocols to offer, in order of preference.
        timeout: Seconds that each single attempt may take; None: no limit.
        close_timeout: Seconds that the closing handshake may take.
        after_connect: A function or coroutine function that is called with a `Session`
            after a connection has opened, while the state is still `Connecting` and
            other messages wait. Messages that it does not receive are delivered to the
            subscribers, in order. If it fails or exceeds `timeout`, the attempt fails.
        interceptors: See `WSInterceptor`.
        heartbeat: See `Heartbeat`; None: off.
        outbox: The limits of what `add_nowait()` keeps; None: it keeps nothing.
        max_size: The maximal size of an incoming message in bytes; None: no limit.
        stream_capacity: The messages that the buffer of each subscriber holds; None: no
            limit by count.
        stream_overflow: What happens to messages above that limit.
        write_limit: Bytes in the send buffer above which `add()` waits.
        on_event: A function, or several, called with every `ClientEvent`.
        name: A name for the log, `explain()`, events and metrics. It tells apart
            clients of the same URL.
        json: What `send_json()`, `recv_json()` and `stream.json` use; None: the
            standard library, strictly.
        headers: Native. Additional headers of the handshake, or a function that returns
            them for each attempt.
        compression: Native. Whether and how to offer permessage-deflate.
        custom_client: Native. A `Connector` that opens the connections instead.
        user_agent: Native. The `User-Agent` header.
        ssl: Native. The TLS context; None: the default, which verifies certificates.
        server_hostname: Native. The host name to verify the certificate for.
        proxy: Native. The URL of a proxy; True: the one of the environment variables;
            None: no proxy.
        origin: Native. The `Origin` header.
        unix_path: Native. The path of a Unix socket to connect to.
        local_addr: Native. The (host, port) to connect from.
        use_blob_for_binary: Browser. Whether to send binary data as `Blob`.
        diagnose: Browser. Whether to find out over HTTP why a handshake failed.

    Example:
        >>> options = WebSocketOptions(timeout=5, connection_retry_interval=(0.5, 10))
        >>> options.replace(timeout=3).timeout
        3.0
    """

    # One mapping and not 25 slots, because `replace()`, `==`, `repr()` and pickling
    # work option by option, and each platform accepts keywords of its own.
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
    on_event: OnEvent | tuple[OnEvent, ...] | None
    name: str | None
    json: Json | None
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
        """Make options that are valid on every platform.

        Raises:
            TypeError: An option is unknown, or its value has the wrong type.
            ValueError: A value is out of range.
        """
        return cls(**options)

    @classmethod
    def vm(cls, **options: Unpack[VmOptions]) -> Self:
        """Make options for native platforms.

        Raises:
            WSUnsupportedError: This is a browser.
            TypeError: An option is unknown, or its value has the wrong type.
            ValueError: A value is out of range.
        """
        _check_platform("vm", "native platforms", "this is a browser", "js")
        return cls.__new__(cls)._fill(options, VmOptions)  # noqa: SLF001 - our own

    @classmethod
    def js(cls, **options: Unpack[JsOptions]) -> Self:
        """Make options for browsers.

        Raises:
            WSUnsupportedError: This is not a browser.
            TypeError: An option is unknown, or its value has the wrong type.
            ValueError: A value is out of range.
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
        """Make options with the factory of the platform that the program runs on.

        Args:
            vm: Called on native platforms only.
            js: Called in browsers only.

        Example:
            >>> options = WebSocketOptions.selector(
            ...     vm=lambda: WebSocketOptions.vm(user_agent="example/1.0"),
            ...     js=lambda: WebSocketOptions.js(use_blob_for_binary=True),
            ... )
        """
        return vm() if platforms.current().name == "vm" else js()

    def replace(self, **changes: Unpack[AllOptions]) -> Self:
        """Return a copy with some options changed; the new values are validated.

        Raises:
            WSUnsupportedError: An option is for the other platform.
            TypeError: An option is unknown, or its value has the wrong type.
            ValueError: A value is out of range.
        """
        _reject_other_platform(changes)
        _reject_unknown(changes, AllOptions)
        return _restore(type(self), {**self._values, **_expanded(changes)})

    def _fill(self, given: Mapping[str, Any], keywords: Any) -> Self:
        _reject_unknown(given, keywords)
        platform = platforms.current()
        values = {
            **_DEFAULTS,
            "stream_capacity": platform.stream_capacity,
            "stream_overflow": platform.stream_overflow,
            "write_limit": platform.write_limit,
            **_expanded(given),
        }
        # The defaults are checked as well: that converts them to their stored form.
        checked = {name: CHECKS[name](name, value) for name, value in values.items()}
        # Past our own `__setattr__`, which refuses.
        object.__setattr__(self, "_values", MappingProxyType(checked))
        return self

    # Hidden from type checkers, which would accept any name otherwise; they use the
    # annotations above.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Return an option."""
            # `_values` is missing while a copy is being made, and `copy` asks for names
            # of its own: the lookup must raise AttributeError, and not recurse.
            try:
                return object.__getattribute__(self, "_values")[name]
            except (KeyError, AttributeError):
                raise AttributeError(
                    f"WebSocketOptions has no option {name!r}"
                ) from None

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Raise: options are immutable."""
        raise AttributeError(f"options are immutable: use options.replace({name}=…)")

    def __eq__(self, other: object) -> bool:
        """Compare option by option."""
        if not isinstance(other, WebSocketOptions):
            return NotImplemented
        return self._values == other._values

    # Headers are a mapping, and a mapping has no hash.
    __hash__: ClassVar[None] = None  # type: ignore[assignment] # pyright: ignore[reportIncompatibleMethodOverride]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy by value."""
        return _restore, (type(self), dict(self._values))

    def __repr__(self) -> str:
        """Show the options that differ from the defaults, without secrets."""
        defaults = type(self)()
        changed = ", ".join(
            f"{name}={'…' if name in _SECRET else repr(value)}"
            for name, value in self._values.items()
            if value != getattr(defaults, name)
        )
        return f"WebSocketOptions({changed})"


# Those of the streams and the write limit differ by platform: see `Platform`.
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
        "name": None,
        "json": None,
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


# By platform, because tests bind several. Making options checks 25 values: too much for
# thousands of clients that use the same defaults.
_default_options: dict[str, WebSocketOptions] = {}


def get_default_options() -> WebSocketOptions:
    """Return the options of a client for which none are given; all share one object."""
    name = platforms.current().name
    if name not in _default_options:
        _default_options[name] = WebSocketOptions()
    return _default_options[name]


def merge_options(
    options: WebSocketOptions | None, keywords: Mapping[str, Any]
) -> WebSocketOptions:
    """The options of a client that is given an object, keywords, or both.

    Raises:
        WSUnsupportedError: A keyword of the other platform.
        TypeError: `options` is no `WebSocketOptions`; a keyword of the wrong kind, or
            unknown.
        ValueError: A keyword out of range.
    """
    if options is None:
        options = get_default_options()
    elif not isinstance(options, WebSocketOptions):
        raise TypeError(
            # The value is not shown: it may be a dictionary of headers, with a token.
            f"options must be WebSocketOptions, not {type(options).__name__}: single "
            "options are keywords, such as timeout=5"
        )
    return options.replace(**keywords) if keywords else options


def _expanded(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Replace `reconnect` by what it is short for."""
    if "reconnect" not in given:
        return given
    if "connection_retry_interval" in given:
        raise TypeError(
            "reconnect is short for connection_retry_interval: give one of them"
        )
    expanded = dict(given)
    match expanded.pop("reconnect"):
        case False:
            interval = None
        case True:
            interval = ConnectionRetryInterval()
        case ConnectionRetryInterval() as interval:
            pass
        case (_, _) as ends:
            interval = ConnectionRetryInterval(*ends)
        case other:
            raise TypeError(
                "reconnect must be True, False, (min, max) in seconds or a "
                f"ConnectionRetryInterval, not {other!r}"
            )
    expanded["connection_retry_interval"] = interval
    return expanded


def _restore(kind: type[Kind], values: Mapping[str, Any]) -> Kind:
    return kind.__new__(kind)._fill(values, AllOptions)  # noqa: SLF001 - our own


def _reject_unknown(given: Mapping[str, Any], keywords: Any) -> None:
    for name in given:
        if name not in keywords.__optional_keys__:
            raise TypeError(
                f"unknown option {name!r} here: {_suggest_name(name, keywords)}"
            )


def _suggest_name(name: str, keywords: Any) -> str:
    import difflib  # noqa: PLC0415 - imported only after a mistake

    names = sorted(keywords.__optional_keys__)
    similar = difflib.get_close_matches(name, names, n=1)
    if similar:
        return f"did you mean {similar[0]!r}?"
    if name in AllOptions.__optional_keys__:
        factory = "vm" if name in VmOptions.__optional_keys__ else "js"
        return f"it belongs to WebSocketOptions.{factory}()"
    return f"known are {', '.join(names)}"


def _reject_other_platform(given: Mapping[str, Any]) -> None:
    is_native = platforms.current().name == "vm"
    other = JsOptions if is_native else VmOptions
    for name in given:
        if name in other.__optional_keys__ - CommonOptions.__optional_keys__:
            where, here = ("browsers", "this is not a browser")
            if not is_native:
                where, here = "native platforms", "this is a browser"
            raise WSUnsupportedError(
                f"{name} is for {where}, and {here}: use WebSocketOptions.selector("
                "vm=…, js=…) in a program for both"
            )


def _check_platform(used: str, where: str, here: str, instead: str) -> None:
    if platforms.current().name != used:
        raise WSUnsupportedError(
            f"WebSocketOptions.{used}() is for {where}, and {here}: use .{instead}(), "
            ".common() for options of every platform, or .selector(vm=…, js=…) for both"
        )
