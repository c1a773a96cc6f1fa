"""The real connection, with a fake transport and a fake receive pipeline."""

import asyncio
from typing import Any

from tests.support.connection_pair import (
    CLOSE_TIMEOUT,
    ENDS,
    HEARTBEAT,
    Reactions,
    Side,
    facts,
)
from tests.support.eager_tasks import eager_task_factory
from tests.support.fake_transport import FakeTransport
from ws_common.connection.connection import Connection
from ws_common.connection.connection_table import State
from ws_common.diagnostics.metrics import Counters
from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.clock import Clock
from ws_common.vocabulary.errors import WSConnectionClosedError
from ws_common.vocabulary.transport import CloseInfo


class _Transport(FakeTransport):
    """A transport that logs its calls on the real side."""

    def __init__(self, side: "RealSide", sink: Connection) -> None:
        super().__init__(sink, pings=True, can_pause=True)
        self.buffered_amount = 2**30
        self._side = side

    def pause_reading(self) -> None:
        super().pause_reading()
        self._side.emit("pause")

    def resume_reading(self) -> None:
        super().resume_reading()
        self._side.emit("resume")

    def close(self, code: int | None, reason: str | None) -> None:
        super().close(code, reason)
        self._side.emit("close", code, reason)

    def abort(self) -> None:
        super().abort()
        self._side.emit_abort()


class _Incoming:
    """A fake place in the receive pipeline."""

    number = 1
    should_pause = False

    def __init__(self, side: "RealSide") -> None:
        self._side = side

    def push(self, batch: object, size: int) -> None:
        self._side.emit("push", batch, size)

    def discard(self) -> None:
        self._side.emit("discard")

    def ended(self, end: Any) -> None:
        self._side.emit("ended", end.close_code, end.close_reason)


class RealSide(Side):
    """The real connection, and its owner."""

    def __init__(self, reactions: Reactions, *, heartbeat: bool) -> None:
        super().__init__(reactions)
        options = WebSocketOptions.vm(
            close_timeout=CLOSE_TIMEOUT, heartbeat=HEARTBEAT if heartbeat else None
        )
        self.counters = Counters()
        self.incoming: Any = _Incoming(self)
        self.connection = Connection(
            1, options, self.incoming, self.counters, owner=self, clock=Clock()
        )
        self.transport = _Transport(self, self.connection)
        self._drains: list[asyncio.Task[None]] = []

    @property
    def state(self) -> State:
        return self.connection._driver.state

    @property
    def rooms(self) -> list[str]:
        """What has become of each wait for room in the transport's buffer."""
        return [
            "waits" if not one.done() else "lost" if one.exception() else "room"
            for one in self._drains
        ]

    # What is played

    def do_attach(self) -> None:
        try:
            self.connection.attach(self.transport, "ws://host/")
        except WSConnectionClosedError:
            self.emit("attached too late")

    def do_open(self) -> None:
        self.connection.open()

    def do_close(self) -> None:
        self.connection.close(4001, "bye")

    def do_replace(self) -> None:
        self.connection.replace()

    def do_abandon(self) -> None:
        self.connection.abandon()

    def do_pause(self) -> None:
        self.incoming.should_pause = True
        self.connection.adjust_reading()

    def do_resume(self) -> None:
        self.incoming.should_pause = False
        self.connection.adjust_reading()

    def do_probe(self) -> None:
        self.connection.probe()

    def do_send(self) -> None:
        try:
            self.connection.send(b"x", text=False)
        except WSConnectionClosedError:
            self.emit("not sent")

    def do_others(self) -> None:
        """Another connection of the same client sends."""
        self.counters.transferred_count += 1

    def do_wait_for_room(self) -> None:
        loop = asyncio.get_running_loop()
        self._drains.append(eager_task_factory(loop, self.connection.wait_writable()))

    def do_message(self) -> None:
        self.transport.message("m")

    def do_byte(self) -> None:
        self.transport.byte()

    def do_drain(self) -> None:
        self.transport.drain(left=self.transport.buffered_amount)

    def do_closing(self, how: str) -> None:
        self.connection.on_closing(ENDS[how])

    def do_closed(self, how: str) -> None:
        self.transport.over = True
        self.transport._forget_pongs()
        self.connection.on_closed(ENDS[how])

    # What an owner is told

    def connection_closing(self, _connection: Connection, close: CloseInfo) -> None:
        self.emit("report closing", *facts(close))

    def connection_ended(
        self, _connection: Connection, cause: Cause, close: CloseInfo
    ) -> None:
        self.emit("report end", cause, *facts(close))

    def connection_writable(self, _connection: Connection) -> None:
        self.emit("writable")

    def report(self, name: str, **details: Any) -> None:
        self.emit(name, *details.values())
