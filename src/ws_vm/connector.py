"""Opens connections: a new socket and a new handshake for every attempt and redirect.

Nothing is remembered from one attempt to the next, neither a redirect nor a header. The
library's own client makes a 307 permanent, and never refreshes a token. Keepalive and
deadlines are not handled here, since they are the same on every platform.
"""

import logging
import ssl
from collections.abc import Iterator, Sequence
from typing import cast

from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.http11 import USER_AGENT
from websockets.typing import Origin, Subprotocol
from websockets.uri import parse_uri

from ws_common.options.compression import CompressionOptions
from ws_common.options.options import ConnectRequest, WebSocketOptions
from ws_common.vocabulary.headers import is_reserved
from ws_common.vocabulary.transport import TransportSink
from ws_common.vocabulary.urls import origin, redact
from ws_vm.failures import translate_error
from ws_vm.redirects import MAX_REDIRECTS, redirect_target, without_credentials
from ws_vm.route import connect_transport
from ws_vm.transport import VmTransport

_log = logging.getLogger("ws.vm")

_library_log = logging.getLogger("ws.vm.websockets")
# At DEBUG the library logs every header and every frame, including secrets. It has to
# be enabled by its own name, and is not enabled together with the logger `ws`.
_library_log.setLevel(logging.WARNING)

_MEMORY_LEVEL = 5
"""The memory level of zlib, as in the library: it halves the memory at little cost."""

_HeaderList = Sequence[tuple[str, str]]


class WebsocketsConnector:
    """The native `Connector`: it opens connections with the library `websockets`.

    Args:
        options: The options of the client.
    """

    __slots__ = ("_warned",)

    def __init__(self, options: WebSocketOptions) -> None:
        """Check the options that only this platform has.

        Raises:
            TypeError: `ssl` is not an SSL context.
            ValueError: `compression` has a window size that zlib does not support.
        """
        if options.ssl is not None and not isinstance(options.ssl, ssl.SSLContext):
            msg = f"ssl must be an ssl.SSLContext or None, not {options.ssl!r}"
            raise TypeError(msg)
        if options.compression.client_max_window_bits == 8:  # noqa: PLR2004
            # RFC 7692 allows 8, but zlib cannot compress with such a window:
            # https://github.com/madler/zlib/issues/171
            msg = "compression.client_max_window_bits: zlib needs at least 9"
            raise ValueError(msg)
        self._warned: set[str] = set()

    async def __call__(
        self, request: ConnectRequest, sink: TransportSink
    ) -> VmTransport:
        """Open one connection.

        Cancelling it closes the socket. There is no timeout: the caller cancels it.

        Args:
            request: The URL, the headers and the options.
            sink: The object that the connection reports to. It may be called before
                this returns, if frames arrive together with the response.

        Raises:
            WSHandshakeError: The server refused, is not a WebSocket server, or has
                a certificate that is not trusted. The `__cause__` is the reason.
            WSNotConnectedError: The network has failed.
            WSUnsupportedError: A SOCKS proxy needs python-socks, which is missing.
        """
        url, options = request.url, request.options
        headers: _HeaderList = list(self._headers(request))
        for hop in range(MAX_REDIRECTS + 1):
            # The certificate of another origin is not for the configured name.
            same_origin = hop == 0 or origin(url) == origin(request.url)
            name = options.server_hostname if same_origin else None
            try:
                return await _open(url, headers, options, sink, name)
            except Exception as error:  # noqa: BLE001 - whatever it is, it becomes ours
                # A redirect that must not be followed raises an error of ours.
                target = redirect_target(
                    error, url, hop, any_origin=options.unix_path is None
                )
                if target is None:
                    raise (ours := translate_error(error, url)) from ours.__cause__
            if origin(target) != origin(url):
                headers = without_credentials(headers)
            url = target
        raise AssertionError("the loop above returns or raises")

    def _headers(self, request: ConnectRequest) -> Iterator[tuple[str, str]]:
        for name, values in request.headers.items():
            if not is_reserved(name):
                for value in (values,) if isinstance(values, str) else values:
                    yield name, value
            elif name.lower() not in self._warned:
                self._warned.add(name.lower())
                _log.warning("the header %s belongs to the handshake: ignored", name)


async def _open(
    url: str,
    headers: _HeaderList,
    options: WebSocketOptions,
    sink: TransportSink,
    server_hostname: str | None,
) -> VmTransport:
    """Open one connection to this URL, without following redirects."""
    uri = parse_uri(url)
    library = ClientProtocol(
        uri,
        origin=cast("Origin | None", options.origin),
        extensions=_extensions(options.compression),
        subprotocols=cast("Sequence[Subprotocol]", options.protocols) or None,
        max_size=options.max_size,
        logger=_library_log,
    )
    request = library.connect()
    request.headers.update(headers)
    request.headers.setdefault("User-Agent", options.user_agent or USER_AGENT)
    transport = VmTransport(library, request, options, sink)
    try:
        await connect_transport(transport, uri, options, server_hostname)
        await transport.wait_for_handshake()
    except BaseException:
        transport.abort()
        raise
    if _log.isEnabledFor(logging.DEBUG):
        _log.debug("connected to %s", redact(url))
    return transport


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
            # True offers the parameter without a value: the server may choose one.
            client_max_window_bits=compression.client_max_window_bits or True,
            compress_settings={"memLevel": _MEMORY_LEVEL},
        )
    ]
