"""Opens connections: a fresh `websockets.connect` for every attempt.

Fresh, because the library's own loop makes a redirect permanent and never asks for
new headers. Its keepalive and its deadlines are off: those above hold for every
platform and transport.
"""

import asyncio
import logging
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from ws_common.compression import CompressionOptions
from ws_common.headers import is_owned
from ws_common.options import WebSocketOptions
from ws_common.transport import Connector, ConnectRequest, TransportSink
from ws_common.urls import redact
from ws_vm.engine import Engine
from ws_vm.failures import translate
from ws_vm.transport import VmTransport

_log = logging.getLogger("ws.vm")

_library_log = logging.getLogger("ws.vm.websockets")
# At DEBUG the library logs every header and frame, secrets too. Whoever wants that
# asks for it by name, and does not get it with the rest of `ws`.
_library_log.setLevel(logging.WARNING)

_HAPPY_EYEBALLS_DELAY = 0.25
"""Seconds until the next address is tried beside the first (RFC 8305 section 5)."""

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
        engines: list[Engine] = []  # one for each hop of a redirect

        def create(protocol: ClientProtocol, **settings: Any) -> Engine:
            engine = Engine(protocol, sink=sink, **settings)
            engines.append(engine)
            return engine

        try:
            engine = await connect(
                request.url,
                create_connection=cast("type[ClientConnection]", create),
                additional_headers=list(self._headers(request)),
                **_settings(request),
            )
        except BaseException as error:
            for abandoned in engines:
                abandoned.abort()
            if isinstance(error, Exception):
                raise (ours := translate(error, request.url)) from ours.__cause__
            raise
        _log.debug("connected to %s", redact(request.url))
        return VmTransport(cast("Engine", engine))

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


def _settings(request: ConnectRequest) -> dict[str, Any]:
    options = request.options
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
        "proxy": options.proxy or None,
    }
    if options.user_agent is not None:
        settings["user_agent_header"] = options.user_agent
    if request.url.startswith("wss:"):  # elsewhere they are refused, even if None
        if options.ssl is not None:
            settings["ssl"] = options.ssl
        if options.server_hostname is not None:
            settings["server_hostname"] = options.server_hostname
    return {**settings, **_address(options)}


def _address(options: WebSocketOptions) -> dict[str, Any]:
    if options.unix_path is not None:
        return {"unix": True, "path": options.unix_path}
    address: dict[str, Any] = {}
    if options.local_addr is not None:
        address["local_addr"] = options.local_addr
    # uvloop does not know the argument.
    if isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop):
        address["happy_eyeballs_delay"] = _HAPPY_EYEBALLS_DELAY
    return address


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
