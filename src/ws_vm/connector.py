"""Opens connections: a fresh `websockets.connect` for every attempt and every hop.

Fresh, because the library's own loop makes a redirect permanent and never asks for
new headers. Its keepalive and its deadlines are off: those above hold for every
platform and transport.
"""

import logging
import socket
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from ws_common.compression import CompressionOptions
from ws_common.durations import seconds
from ws_common.headers import is_owned
from ws_common.options import Connector, ConnectRequest, WebSocketOptions
from ws_common.transport import TransportSink
from ws_common.urls import origin, redact
from ws_vm.dialing import dial, proxy_of_environment
from ws_vm.engine import Engine
from ws_vm.failures import translate
from ws_vm.redirects import (
    MAX_REDIRECTS,
    Redirected,
    follow,
    too_many,
    without_credentials,
)
from ws_vm.sips import SIP_INTERVAL
from ws_vm.transport import VmTransport

_log = logging.getLogger("ws.vm")

_library_log = logging.getLogger("ws.vm.websockets")
# At DEBUG the library logs every header and frame, secrets too. Whoever wants that
# asks for it by name, and does not get it with the rest of `ws`.
_library_log.setLevel(logging.WARNING)

_MEMORY_LEVEL = 5
"""Of zlib. The library's default, which halves the memory at little cost."""


class WebsocketsConnector:
    """Opens connections with the library `websockets`."""

    __slots__ = ("_warned",)

    def __init__(self, options: WebSocketOptions) -> None:
        """Check the options that only this platform understands.

        Raises:
            TypeError: `ssl` is no SSL context.
            ValueError: `compression` asks for what zlib cannot do.
        """
        _check(options)
        self._warned: set[str] = set()

    async def __call__(
        self, request: ConnectRequest, sink: TransportSink
    ) -> VmTransport:
        """Open one connection.

        Cancelling it leaves no socket behind. The caller bounds the time.

        Raises:
            WSHandshakeError: The server refused, is not a WebSocket server, or has
                a certificate that is not trusted (the `__cause__` tells).
            WSNotConnectedError: The network did not let us.
            WSUnsupportedError: A SOCKS proxy, without python-socks.
        """
        url, headers = request.url, list(self._headers(request))
        options = request.options
        for hop in range(MAX_REDIRECTS + 1):
            settings = _settings(
                url, options, at_home=origin(url) == origin(request.url)
            )
            try:
                return await _open(
                    url,
                    sink,
                    _sip_interval(options),
                    additional_headers=headers,
                    **settings,
                )
            except Redirected as redirected:
                if hop == MAX_REDIRECTS:
                    raise too_many(redirected, url) from redirected.refusal
                target = follow(redirected, url, anywhere=options.unix_path is None)
                if origin(target) != origin(url):
                    headers = without_credentials(headers)
                url = target
        raise AssertionError("the loop above returns or raises")

    def _headers(self, request: ConnectRequest) -> Iterator[tuple[str, str]]:
        for name, values in request.headers.items():
            if is_owned(name):
                self._warn_of(name)
                continue
            for value in (values,) if isinstance(values, str) else values:
                yield name, value

    def _warn_of(self, name: str) -> None:
        if name.lower() not in self._warned:
            self._warned.add(name.lower())
            _log.warning("the header %s belongs to the handshake: ignored", name)


async def _open(
    url: str, sink: TransportSink, sip_interval: float, **settings: Any
) -> VmTransport:
    engines: list[Engine] = []

    def create(protocol: ClientProtocol, **more: Any) -> Engine:
        engine = Engine(protocol, sink=sink, sip_interval=sip_interval, **more)
        engines.append(engine)
        return engine

    sock: socket.socket | None = None
    try:
        if _is_direct(settings):
            sock = await dial(url, settings.pop("local_addr", None))
            settings["sock"] = sock
        # A type is asked for, and a function that makes one is all that is used.
        factory = cast("type[ClientConnection]", create)
        engine = await connect(url, create_connection=factory, **settings)
    except BaseException as error:
        for abandoned in engines:
            abandoned.abort()
        if sock is not None and not engines:  # nobody else has taken it
            sock.close()
        if isinstance(error, Exception) and not isinstance(error, Redirected):
            raise (ours := translate(error, url)) from ours.__cause__
        raise
    _log.debug("connected to %s", redact(url))
    return VmTransport(cast("Engine", engine))


def _sip_interval(options: WebSocketOptions) -> float:
    heartbeat = options.heartbeat
    return SIP_INTERVAL if heartbeat is None else seconds(heartbeat.interval)


def _settings(url: str, options: WebSocketOptions, *, at_home: bool) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "origin": options.origin,
        "subprotocols": list(options.protocols) or None,
        "compression": None,
        "extensions": _extensions(options.compression),
        "open_timeout": None,
        "ping_interval": None,
        "close_timeout": None,
        "max_size": options.max_size,
        "max_queue": None,
        "write_limit": options.write_limit,
        "logger": _library_log,
        "proxy": _proxy(url, options),
    }
    if options.user_agent is not None:
        settings["user_agent_header"] = options.user_agent
    if url.startswith("wss:"):  # elsewhere they are refused, even if None
        if options.ssl is not None:
            settings["ssl"] = options.ssl
        if options.server_hostname is not None and at_home:
            settings["server_hostname"] = options.server_hostname
    return {**settings, **_address(options)}


def _proxy(url: str, options: WebSocketOptions) -> str | Literal[True] | None:
    if options.proxy is True and options.unix_path is None:
        return proxy_of_environment(url)
    return options.proxy or None


def _address(options: WebSocketOptions) -> dict[str, Any]:
    if options.unix_path is not None:
        return {"unix": True, "path": options.unix_path}
    address: dict[str, Any] = {}
    if options.local_addr is not None:
        address["local_addr"] = options.local_addr
    return address


def _is_direct(settings: dict[str, Any]) -> bool:
    """Whether no proxy stands between; where one might, the library finds out."""
    return settings["proxy"] is None and not settings.get("unix")


def _extensions(
    compression: CompressionOptions,
) -> list[ClientPerMessageDeflateFactory] | None:
    if not compression.enabled:
        return None
    return [
        ClientPerMessageDeflateFactory(
            server_no_context_takeover=compression.server_no_context_takeover,
            client_no_context_takeover=compression.client_no_context_takeover,
            server_max_window_bits=compression.server_max_window_bits,
            # True: we can, the server may choose.
            client_max_window_bits=compression.client_max_window_bits or True,
            compress_settings={"memLevel": _MEMORY_LEVEL},
        )
    ]


def _check(options: WebSocketOptions) -> None:
    if options.ssl is not None and not isinstance(options.ssl, ssl.SSLContext):
        raise TypeError(f"ssl must be an ssl.SSLContext or None, not {options.ssl!r}")
    if options.compression.client_max_window_bits == 8:  # noqa: PLR2004
        # zlib cannot compress so: https://github.com/madler/zlib/issues/171
        raise ValueError("compression.client_max_window_bits: zlib needs at least 9")


if TYPE_CHECKING:

    def _conforms(connector: WebsocketsConnector) -> Connector:
        return connector
