"""One connection of the library `websockets`, as the socket and `VmTransport` see it.

A pause holds messages back, and not the peer: in sips the socket is read on, and
what they bring is looked through for Pings and for the end. Once that is in sight,
no pause holds any more.
"""

import asyncio
from typing import Any, cast

from websockets.client import ClientProtocol
from websockets.frames import Opcode
from websockets.protocol import OPEN

from ws_common.transport import TransportSink
from ws_vm.delivery import Delivery
from ws_vm.sips import MAX_SIPPED, SIP_INTERVAL, Sips


class Engine(Delivery):
    """The socket side of a connection; `VmTransport` is the face it shows.

    Args:
        protocol: The library's.
        sink: What to report to.
        sip_interval: Seconds between sips while paused.
        settings: The library's.

    Attributes:
        last_activity: Loop time of the last byte from the peer.
    """

    def __init__(
        self,
        protocol: ClientProtocol,
        *,
        sink: TransportSink,
        sip_interval: float = SIP_INTERVAL,
        **settings: Any,
    ) -> None:
        super().__init__(protocol, sink=sink, **settings)
        self.last_activity = self.loop.time()
        self._socket = Sips(self.loop, sip_interval, self._sip_due)

    # What `VmTransport` asks for.

    @property
    def can_send(self) -> bool:
        """Whether a message would be taken; a doomed socket swallows them."""
        tcp = self._socket.tcp
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
        self._socket.cancel()
        if self._socket.tcp is not None:
            self._socket.tcp.abort()

    def pause_reading(self) -> None:
        """Deliver nothing more, even of what has been read, and read only sips."""
        if self._leaving or self._sink is None:
            return
        self._paused = True
        self._socket.stop()

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
        self._socket.tcp = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse and deliver, as far as the sink wants it."""
        self.last_activity = self.loop.time()
        if not self._paused:
            self._backlog.add(data)
            self._pump()
            return
        before = len(self._backlog)
        self._backlog.add(data)
        self._look_through()
        if len(self._backlog) > before:  # Pings alone do not end a sip
            self._socket.sipped()

    def eof_received(self) -> None:
        """Note the end of the stream, behind all that came before it.

        The socket closes itself after this, and `connection_lost()` follows.
        """
        self._leave()
        super().eof_received()
        self._take_events()
        self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, behind all that came before."""
        self._lost = (exc,)
        self._socket.cancel()
        self.pings.cancel()
        if not self.opened:
            self._drop_backlog()
        self._leave()

    def resume_writing(self) -> None:
        """Pass on that there is room again."""
        super().resume_writing()
        if self.opened and self._sink is not None:
            self._sink.on_writable()

    # While the sink has paused.

    def _sip_due(self) -> None:
        if self.protocol.state is OPEN:
            self._look_through()  # what was read before the pause has not been
        else:
            self._leave()  # the slice that was parsed before the pause held a Close
        if self._paused and len(self._backlog) < MAX_SIPPED:
            self._socket.sip()

    def _look_through(self) -> None:
        """Answer the Pings that wait, and see whether a Close does."""
        for opcode, payload, _, _ in self._backlog.look():
            if opcode is Opcode.PONG:
                self.pings.answered(payload)
            elif opcode is Opcode.CLOSE:
                self._leave()
            elif self.can_send:
                self.protocol.send_pong(payload)
                self.send_data()
