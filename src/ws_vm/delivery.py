"""From the bytes of the socket to the calls of the sink.

`websockets` offers `recv()`; frames taken where they are parsed are half as dear.
Framing, compression, Pongs, the answer to a Close and all checks remain the
library's.

What one read brings may be very much: 251 MB of compressible messages have been
measured. So it is parsed slice by slice, and where the sink pauses, what is left
waits: parsed frames in `_frames`, the rest as the bytes they were.
"""

from collections import deque
from typing import Any, cast

from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import CLOSING, OPEN, Event

from ws_common.transport import CloseInfo, TransportSink
from ws_vm.backlog import Backlog
from ws_vm.closing import Ending
from ws_vm.fragments import Fragments
from ws_vm.pings import Pings
from ws_vm.redirects import redirection
from ws_vm.sips import Sips
from ws_vm.surplus import Surplus

if not hasattr(ClientConnection, "process_event"):  # not documented, so not promised
    raise ImportError(
        "this version of websockets has no ClientConnection.process_event, which "
        "ws needs: install another one (15.0 to 17.4 are known to have it)"
    )

_SLICE = 16 * 1024
_DEFLATED_SLICE = 4 * 1024
"""Deflate makes at most about a thousandth: 4 MB are inflated at a time."""

_TEXT, _BINARY, _CONT = Opcode.TEXT, Opcode.BINARY, Opcode.CONT
_PONG, _CLOSE = Opcode.PONG, Opcode.CLOSE


class Delivery(ClientConnection):
    """The library's connection, which pushes what it parses into a sink.

    Args:
        protocol: The library's.
        sink: What to report to.
        settings: The library's.

    Attributes:
        opened: Whether the opening handshake has succeeded.
        pings: Pings that wait for their Pong.
        ending: What is known about the end.
    """

    _socket: Sips

    def __init__(
        self, protocol: ClientProtocol, *, sink: TransportSink, **settings: Any
    ) -> None:
        super().__init__(protocol, **settings)
        self.opened = False
        self.pings = Pings(self.loop)
        self.ending = Ending(protocol)
        self._sink: TransportSink | None = sink
        # Handed over by the socket and not yet delivered to the sink.
        self._backlog = Backlog()
        self._frames: deque[Event | CloseInfo] = deque()
        self._fragments = Fragments()
        self._slice = _DEFLATED_SLICE
        self._paused = False  # the sink wants nothing
        self._leaving = False  # and must take it all the same: the end is in sight
        self._pumping = False
        self._lost: tuple[Exception | None] | None = None
        self._ended = False

    def _pump(self) -> None:
        """Deliver what is here until nothing is left or the sink pauses.

        The sink may call anything from inside, `resume_reading()` too: the loop
        that is running already goes on then.
        """
        if self._pumping:
            return
        self._pumping = True
        frames = self._frames
        try:
            while not self._paused:
                if frames:
                    self.process_event(frames.popleft())
                elif self._backlog:
                    self._parse_slice()
                else:
                    break
        finally:
            self._pumping = False
        if self._lost is not None:
            self._end(self._lost[0])
        elif not self._paused:
            self._socket.resume()

    def _leave(self) -> None:
        """The end is in sight: deliver what is here, paused or not, and read on."""
        self._leaving = True
        if self._paused and self._sink is not None:
            self._sink = Surplus(self._sink)
        self._paused = False
        self._pump()

    def _parse_slice(self) -> None:
        some = self._backlog.take(self._slice)
        # It is only appended to a bytearray: a copy would do nothing for the types.
        self.protocol.receive_data(cast("bytes", some))
        self._take_events()
        self.send_data()
        if not self.opened and self.protocol.handshake_exc and not self._frames:
            # Not HTTP at all. The library would wait for the peer to hang up.
            self._drop_backlog()
            self.transport.abort()

    def _take_events(self) -> None:
        self._frames.extend(self.protocol.events_received())
        if self.protocol.parser_exc is not None:
            self._backlog.clear()  # the library would only discard it
            if failure := self.ending.of_parser():
                self._frames.append(failure)

    def process_event(self, event: Event | CloseInfo) -> None:
        """Take one frame, the handshake's response, or the library's failure."""
        if isinstance(event, Frame):  # first what is most frequent
            opcode = event.opcode
            if opcode is _TEXT or opcode is _BINARY or opcode is _CONT:
                if self._sink is not None:
                    self._on_data(self._sink, event, opcode)
            elif opcode is _PONG:
                self.pings.answered(bytes(event.data))
            elif opcode is _CLOSE:
                self._closing(self.ending.of_peer())
        elif isinstance(event, CloseInfo):
            self._closing(event)
        else:
            self._on_response(event)

    def _closing(self, close: CloseInfo | None) -> None:
        self._leaving = True  # nothing comes any more that a pause could hold back
        if close is not None and self._sink is not None:
            self._sink.on_closing(close)

    def _on_response(self, response: Event) -> None:
        if redirected := redirection(self.protocol.handshake_exc):
            self.protocol.handshake_exc = redirected
        super().process_event(response)
        self.opened = self.protocol.handshake_exc is None
        if not self.protocol.extensions:
            self._slice = _SLICE

    def _on_data(self, sink: TransportSink, frame: Frame, opcode: Opcode) -> None:
        data = frame.data
        size = len(data)
        try:
            if opcode is _CONT or not frame.fin:
                whole = self._fragments.add(frame)
                if whole is None:
                    return
                message, size = whole
            else:
                message = str(data, "utf-8") if opcode is _TEXT else bytes(data)
        except UnicodeDecodeError as error:
            self._on_bad_text(error)
        else:
            sink.on_messages((message,), size)

    def _on_bad_text(self, error: UnicodeDecodeError) -> None:
        self._drop_backlog()
        failure = self.ending.of_text(error)
        if self.protocol.state in {OPEN, CLOSING}:
            self.protocol.fail(
                CloseCode.INVALID_DATA, failure.reason if failure else ""
            )
            self.send_data()
        self._closing(failure)

    def _drop_backlog(self) -> None:
        self._frames.clear()
        self._backlog.clear()

    def _end(self, error: Exception | None) -> None:
        """Tell the library and the sink; once, and last."""
        if self._ended:
            return
        self._ended = True
        super().connection_lost(error)
        sink, self._sink = self._sink, None
        if sink is not None and self.opened:
            sink.on_closed(self.ending.info(error))
