"""The browser's `Transport`: a `js.WebSocket`, and what it reports.

A browser reports less than a socket does, which has these consequences:

- The Close frame of the peer becomes known only at the end of the connection. If the
  peer began the closing handshake, `on_closing` is called right before `on_closed`.
- There are no pings, and reading cannot be paused.
- No event reports that the send buffer has drained: see `send_buffer.py`.
- `error` has no details. If a connection could not be opened, some runtimes send no
  `close` after it (WebKitGTK, some versions of Node.js).
"""

import asyncio
from typing import TYPE_CHECKING

from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.errors import WSConnectionClosedError
from ws_common.vocabulary.messages import Data
from ws_common.vocabulary.transport import (
    CloseInfo,
    Handshake,
    Transport,
    TransportSink,
)
from ws_js.browser_types import (
    CLOSED,
    OPEN,
    JsCloseEvent,
    JsErrorEvent,
    JsMessageEvent,
    JsWebSocket,
)
from ws_js.close_info import ABNORMAL, LocalRequest, close_info, too_big_failure
from ws_js.coalescer import Coalescer
from ws_js.javascript_types import JsArray
from ws_js.message_reader import MessageReader
from ws_js.pyodide_bridge import PyodideBridge
from ws_js.pyodide_errors import JsException
from ws_js.pyodide_socket import ProxiedSocket, SocketEventHandlers
from ws_js.send_buffer import SendBuffer


class JsTransport:
    """One `WebSocket`, from the moment at which it was made.

    Args:
        bridge: The access to JavaScript.
        socket: The `WebSocket`, which is connecting.
        sink: The sink to report to.
        options: The options of the client.

    Attributes:
        opened: A future that is done once the connection is open. It has a
            `ConnectionError` if the connection could not be opened.
    """

    __slots__ = (
        "_bridge",
        "_coalescer",
        "_failure",
        "_handshake",
        "_last_activity",
        "_local_request",
        "_loop",
        "_max_size",
        "_protocol",
        "_proxied_socket",
        "_reader",
        "_send_buffer",
        "_sink",
        "_socket",
        "_use_blob",
        "opened",
    )

    def __init__(
        self,
        bridge: PyodideBridge,
        socket: JsWebSocket,
        sink: TransportSink,
        options: WebSocketOptions,
    ) -> None:
        self._bridge = bridge
        self._socket = socket
        self._sink = sink
        self._max_size = options.max_size
        self._reader = MessageReader(bridge.js, options.max_size)
        self._use_blob = options.use_blob_for_binary
        self._loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = self._loop.create_future()
        self._protocol: str | None = None
        self._handshake = Handshake()
        self._last_activity = self._loop.time()
        self._local_request = LocalRequest.NOTHING
        self._failure: CloseInfo | None = None
        self._send_buffer = SendBuffer(socket, options.write_limit, sink.on_writable)
        self._proxied_socket = ProxiedSocket(bridge, socket, self)
        self._coalescer = Coalescer(
            bridge,
            self._proxied_socket,
            self._deliver_events,
            allowed=options.stream_capacity is None,
        )

    @property
    def protocol(self) -> str | None:
        """The subprotocol that the server selected."""
        return self._protocol

    @property
    def handshake(self) -> Handshake:
        """The extensions. A browser reveals nothing else of the handshake."""
        return self._handshake

    @property
    def buffered_amount(self) -> int:
        """The payload bytes that have not been sent yet; 0 after the end."""
        return int(self._socket.bufferedAmount) if self._proxied_socket.is_live else 0

    @property
    def last_activity(self) -> float:
        """The loop time of the last event. Partial messages cause no event."""
        # Collected events prove that the peer is alive, although none was handled yet.
        return self._loop.time() if self._coalescer.has_events else self._last_activity

    @property
    def can_pause(self) -> bool:
        """False, since a browser has no way to pause reading."""
        return False

    def send(self, data: Data, *, text: bool) -> None:
        """Pass one message to the browser.

        Raises:
            WSConnectionClosedError: The connection is closing or closed.
        """
        # `WebSocket.send()` drops messages silently once the socket is closing.
        if not self._proxied_socket.is_live or self._socket.readyState != OPEN:
            raise self._closed_error()
        payload: object
        if text:
            payload = data if isinstance(data, str) else data.decode()
        else:
            raw = data.encode() if isinstance(data, str) else data
            payload = self._bridge.to_binary(raw, blob=self._use_blob)
        try:
            self._socket.send(payload)
        except JsException as error:
            raise self._closed_error() from error
        self._send_buffer.count_message(data)
        self._coalescer.count_send()

    def pause_reading(self) -> None:
        """Do nothing: see `can_pause`."""

    def resume_reading(self) -> None:
        """Do nothing: see `can_pause`."""

    def ping(self) -> None:
        """Do nothing, since a page cannot send pings."""
        return

    def close(self, code: int | None, reason: str | None) -> None:
        """Begin the closing handshake, unless it has begun.

        Raises:
            WSInvalidCloseError: A page may not send this code or reason.
        """
        if not self._proxied_socket.is_live or self._socket.readyState != OPEN:
            return
        self._proxied_socket.close(code, reason)
        self._local_request = LocalRequest.CLOSE

    def abort(self) -> None:
        """Give the socket up now. The sink gets no further events."""
        # The browser finishes the closing handshake on its own. With a silent peer it
        # sends no event for more than 35 s, so that nobody waits for one here.
        self._local_request = LocalRequest.ABORT
        if self._proxied_socket.is_live:
            self._release()
            self._proxied_socket.close(None, None)

    def socket_opened(self, _event: object, /) -> None:
        """Wake the connector, which waits for `opened`."""
        self._last_activity = self._loop.time()
        self._protocol = self._socket.protocol or None
        self._handshake = Handshake(extensions=self._socket.extensions)
        if not self.opened.done():
            self.opened.set_result(None)

    def socket_message(self, event: JsMessageEvent, /) -> None:
        """Push a message. One that is too big is never copied into Python's memory."""
        now = self._last_activity = self._loop.time()
        message, size = self._reader.read(event)
        if message is None:
            self._fail_too_big(size)
        else:
            self._sink.on_messages((message,), size)
            self._coalescer.count_message(now, size)
            self._send_buffer.poll_if_late(now)

    def _deliver_events(self, events: JsArray) -> None:
        """Push collected messages, as one batch."""
        self._last_activity = self._loop.time()
        batch: list[Data] = []
        total, excess_size = 0, 0
        for message, size in self._reader.read_all(events):
            if message is None:
                excess_size = size
                break
            batch.append(message)
            total += size
        # The messages before one that is too big are delivered. If the sink raises, the
        # connection has to be closed all the same.
        try:
            if batch:
                self._sink.on_messages(batch, total)
        finally:
            if excess_size:
                self._fail_too_big(excess_size)

    def socket_failed(self, event: JsErrorEvent, /) -> None:
        """End an attempt. An open connection waits for `close`, which has details."""
        if not self.opened.done():
            message = getattr(event, "message", None) or ""
            self._end(ABNORMAL, message, was_clean=False)
        else:
            # `close` comes in the same turn of the loop, or never. npm's `ws` sends it
            # later, but its socket is not closed until then.
            self._loop.call_soon(self._end_if_closed)

    def socket_closed(self, event: JsCloseEvent, /) -> None:
        """End the connection or the attempt, as the browser reports it."""
        self._end(event.code, event.reason, was_clean=event.wasClean)

    def _end_if_closed(self) -> None:
        if self._proxied_socket.is_live and self._socket.readyState == CLOSED:
            self._end(ABNORMAL, "", was_clean=False)

    def _fail_too_big(self, size: int) -> None:
        """Close the connection because of a message that is too big."""
        self._failure = too_big_failure(size, self._max_size)
        # Nothing is delivered behind a gap: what comes until the end is ignored.
        self._coalescer.stop()
        self._proxied_socket.stop_receiving()
        self._proxied_socket.close(self._failure.code, self._failure.reason)
        self._sink.on_closing(self._failure)

    def _end(self, code: int, reason: str, *, was_clean: bool) -> None:
        """Release everything, and report the end to the connector or to the sink."""
        self._last_activity = self._loop.time()
        try:
            self._coalescer.flush()
        finally:
            # Proxies would leak if an exception of the sink prevented this.
            self._release()
            self._report_end(code, reason, was_clean=was_clean)

    def _report_end(self, code: int, reason: str, *, was_clean: bool) -> None:
        # The sink may have called abort() as the last messages were delivered.
        if self._local_request is LocalRequest.ABORT:
            return
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(reason))
        # A cancelled future: nobody waits any more, and no connection was handed over.
        elif not self.opened.cancelled():
            close = close_info(
                code,
                reason,
                was_clean=was_clean,
                local_request=self._local_request,
                failure=self._failure,
            )
            self._report_closed(close)

    def _report_closed(self, close: CloseInfo) -> None:
        sink = self._sink
        if close.was_clean and close.initiator == "peer":
            sink.on_closing(close)
        # The sink may have called abort() in on_closing(), which ends all reports.
        if self._local_request is not LocalRequest.ABORT:
            sink.on_closed(close)

    def _release(self) -> None:
        self._coalescer.stop()
        self._proxied_socket.release()
        self._send_buffer.stop()

    def _closed_error(self) -> WSConnectionClosedError:
        return WSConnectionClosedError(
            "the connection is closing or closed, and takes no more messages",
            close_code=self._failure.code if self._failure else None,
        )


if TYPE_CHECKING:

    def _conforms(transport: JsTransport) -> tuple[Transport, SocketEventHandlers]:
        return transport, transport
