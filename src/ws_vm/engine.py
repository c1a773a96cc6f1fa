"""One connection of the library `websockets`, which pushes into a sink.

`websockets` offers `recv()`; frames taken where they are parsed are half as dear.
So `Engine` takes over what comes from the socket. The opening handshake, framing,
compression, Pongs, the answer to a Close and all checks remain the library's.

What one read brings may be very much: 251 MB of compressible messages have been
measured. So it is parsed slice by slice, and where the sink pauses, what is left
waits: parsed frames in `_frames`, the rest as the bytes they were.
"""

import asyncio
from collections import deque
from typing import Any, cast

from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import CLOSING, OPEN, Event

from ws_common.transport import CloseInfo, TransportSink
from ws_vm.closing import Ending
from ws_vm.fragments import Fragments
from ws_vm.pings import Pings
from ws_vm.redirects import redirection

if not hasattr(ClientConnection, "process_event"):  # not documented, so not promised
    raise ImportError(
        "this version of websockets has no ClientConnection.process_event, which "
        "ws needs: install another one (15.0 to 17.4 are known to have it)"
    )

_SLICE = 16 * 1024
_DEFLATED_SLICE = 4 * 1024
"""Deflate makes at most about a thousandth: 4 MB are inflated at a time."""

_TEXT, _CONT = Opcode.TEXT, Opcode.CONT
_PING, _PONG, _CLOSE = Opcode.PING, Opcode.PONG, Opcode.CLOSE
_NOTHING = memoryview(b"")


class Engine(ClientConnection):
    """The socket side of a connection; `VmTransport` is the face it shows.

    Attributes:
        opened: Whether the opening handshake has succeeded.
        last_activity: Loop time of the last byte from the peer.
        pings: Pings that wait for their Pong.
        ending: What is known about the end.
    """

    def __init__(
        self, protocol: ClientProtocol, *, sink: TransportSink, **settings: Any
    ) -> None:
        super().__init__(protocol, **settings)
        self.opened = False
        self.last_activity = self.loop.time()
        self.pings = Pings(self.loop)
        self.ending = Ending(protocol)
        self._sink: TransportSink | None = sink
        self._tcp: asyncio.Transport | None = None
        # Handed over by the socket and not yet delivered to the sink.
        self._unparsed = _NOTHING
        self._frames: deque[Event | CloseInfo] = deque()
        self._fragments = Fragments()
        self._slice = _DEFLATED_SLICE
        self._paused = False  # the sink wants nothing
        self._stopped = False  # so the socket is not read
        self._pumping = False
        self._lost: tuple[Exception | None] | None = None
        self._ended = False

    # What `VmTransport` asks for.

    @property
    def can_send(self) -> bool:
        """Whether a message would be taken; a doomed socket swallows them."""
        tcp = self._tcp
        return self.protocol.state is OPEN and tcp is not None and not tcp.is_closing()

    def begin_close(self, code: int | None, reason: str) -> None:
        """Send a Close frame, unless one was sent."""
        if self.can_send:
            self.protocol.send_close(code, reason if code is not None else "")
            self.ending.asked = True
            self.send_data()

    def abort(self) -> None:
        """Free the socket; the sink hears nothing of it, now or later."""
        self._sink = None
        self._paused = False
        self._drop_backlog()
        if self._tcp is not None:
            self._tcp.abort()

    def pause_reading(self) -> None:
        """Deliver nothing more, even of what has been read, and read no more."""
        self._paused = True
        if self._tcp is not None and self._lost is None:
            self._stopped = True
            self._tcp.pause_reading()

    def resume_reading(self) -> None:
        """Deliver what waits, then read the socket again.

        Calls the sink before it returns; the sink may pause again meanwhile.
        """
        self._paused = False
        self._pump()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket's transport."""
        super().connection_made(transport)
        self._tcp = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse and deliver, as far as the sink wants it."""
        self.last_activity = self.loop.time()
        if self._unparsed:  # a transport that reads on although paused
            data = b"".join((self._unparsed, data))
        self._unparsed = memoryview(data)
        self._pump()

    def eof_received(self) -> None:
        """Note the end of the stream, unless something of it is still waiting.

        The socket closes itself after this, and `connection_lost()` follows.
        """
        if not self._waiting:
            super().eof_received()
            self._take_events()
            self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        """End; where something waits to be delivered, only after that."""
        self._lost = (exc,)
        self.pings.cancel()
        if not self.opened:
            self._drop_backlog()
        self._pump()

    def resume_writing(self) -> None:
        """Pass on that there is room again."""
        super().resume_writing()
        if self.opened and self._sink is not None:
            self._sink.on_writable()

    # From the socket to the sink.

    @property
    def _waiting(self) -> bool:
        return bool(self._frames or self._unparsed)

    def _pump(self) -> None:
        """Deliver what is here until nothing is left or the sink pauses.

        The sink may call anything from inside, `resume_reading()` too: the loop
        that is running already goes on then.
        """
        if self._pumping:
            return
        self._pumping = True
        try:
            while not self._paused:
                if self._frames:
                    self.process_event(self._frames.popleft())
                elif self._unparsed:
                    self._parse_slice()
                else:
                    break
        finally:
            self._pumping = False
        if self._lost is not None:
            if not self._waiting:
                self._end(self._lost[0])
        elif self._stopped and not self._paused and self._tcp is not None:
            self._stopped = False
            self._tcp.resume_reading()

    def _parse_slice(self) -> None:
        some, self._unparsed = (
            self._unparsed[: self._slice],
            self._unparsed[self._slice :],
        )
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
            self._unparsed = _NOTHING  # the library would only discard it
            if failure := self.ending.of_parser():
                self._frames.append(failure)

    def process_event(self, event: Event | CloseInfo) -> None:
        """Take the handshake's response, one frame, or the library's failure."""
        sink = self._sink
        if isinstance(event, CloseInfo):
            self._closing(event)
        elif not isinstance(event, Frame):
            self._on_response(event)
        elif sink is None:
            return
        elif event.opcode is _PONG:
            self.pings.answered(bytes(event.data))
        elif event.opcode is _CLOSE:
            self._closing(self.ending.of_peer())
        elif event.opcode is not _PING:
            self._on_data(sink, event)

    def _closing(self, close: CloseInfo | None) -> None:
        if close is not None and self._sink is not None:
            self._sink.on_closing(close)

    def _on_response(self, response: Event) -> None:
        if redirected := redirection(self.protocol.handshake_exc):
            self.protocol.handshake_exc = redirected
        super().process_event(response)
        self.opened = self.protocol.handshake_exc is None
        if not self.protocol.extensions:
            self._slice = _SLICE

    def _on_data(self, sink: TransportSink, frame: Frame) -> None:
        data = frame.data
        size = len(data)
        try:
            if not frame.fin or frame.opcode is _CONT:
                whole = self._fragments.add(frame)
                if whole is None:
                    return
                message, size = whole
            else:
                message = str(data, "utf-8") if frame.opcode is _TEXT else bytes(data)
        except UnicodeDecodeError as error:
            self._on_bad_text(error)
        else:
            sink.on_message(message, size)

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
        self._unparsed = _NOTHING

    def _end(self, error: Exception | None) -> None:
        """Tell the library and the sink; once, and last."""
        if self._ended:
            return
        self._ended = True
        super().connection_lost(error)
        sink, self._sink = self._sink, None
        if sink is not None and self.opened:
            sink.on_closed(self.ending.info(error))
