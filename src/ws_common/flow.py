"""The data path of a client: what is received and sent, across its connections.

    in:   connection ──▶ interceptors ──▶ early buffer, or hub ──▶ subscribers
    out:  add() ──▶ interceptors ──▶ queue ──▶ connection

It outlives connections: the supervisor says when one begins, opens and ends.
"""

from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import WeakSet

from ws_common.buffer import Buffer, End, Limits
from ws_common.connection import Connection
from ws_common.entry import Entry
from ws_common.errors import WSStreamOverflowError
from ws_common.hub import Hub
from ws_common.inbound import Inbound, Nowhere
from ws_common.metrics import Counters
from ws_common.options import WebSocketOptions
from ws_common.outbound import Outbound
from ws_common.platform import Platform
from ws_common.reporter import Reporter
from ws_common.sessions import SessionFeed, SessionSubscriber
from ws_common.states import WebSocketClientState
from ws_common.stuckwatch import StuckWatch

STATES_KEPT = 1024
"""State changes in a subscriber's buffer."""


class Flow:
    """Hubs, interceptors, the queue, and the pressure between them.

    Args:
        options: The client's options.
        platform: For the limits of what is buffered.
        counters: Where drops are counted.
        reporter: Where they are told.
        may_wait: Raises where no connection is open or coming.

    Attributes:
        messages: Fans messages out.
        states: Fans state changes out.
        outbound: The way out.
        stuck: Names the subscriber that holds the socket and is not read.
        limits: Of every buffer, unless a subscriber says otherwise.
    """

    def __init__(
        self,
        options: WebSocketOptions,
        platform: Platform,
        counters: Counters,
        reporter: Reporter,
        may_wait: Callable[[], None],
    ) -> None:
        self._counters = counters
        self._reporter = reporter
        self._connection: Connection | None = None
        self._number = 0
        self._pauses: set[str] = set()
        self._feeds: WeakSet[SessionFeed] = WeakSet()
        # Here, and not in the feeds: a program may keep nothing but the iterator.
        self._sessions: WeakSet[SessionSubscriber] = WeakSet()
        self.limits = Limits(
            options.stream_capacity,
            platform.stream_max_bytes,
            options.stream_overflow,
            can_pause=platform.stream_overflow == "pause",
        )
        self.messages: Hub[Any] = Hub(self.limits, keep=True)
        self.messages.on_pressure = self._pressed
        self.stuck = StuckWatch(self.messages, reporter.note)
        self.messages.on_drop = self._dropped
        self.states: Hub[WebSocketClientState] = Hub(
            Limits(STATES_KEPT, None, "drop_oldest"), keep=False
        )
        self.outbound = Outbound(options, may_wait, self._entry_dropped)
        self._inbound = Inbound(
            options.interceptors,
            self.messages,
            reporter.fault,
            partial(self._press, "interceptors"),
            options.stream_capacity or STATES_KEPT,
        )

    # What the supervisor says

    def begin(self, connection: Connection) -> None:
        """An attempt begins: what it brings is kept until it is open."""
        self._inbound.call(self.messages.revive)
        connection.early.buffer.on_drop = self._dropped
        self._inbound.aim(connection.early)
        connection.redirect(self._inbound.entrance)

    def open(self, connection: Connection, number: int) -> None:
        """A connection is open: let everything flow."""
        self._connection, self._number = connection, number
        self._inbound.call(self.messages.begin)
        for feed in tuple(self._feeds):
            self._inbound.call(partial(feed.begin, connection, number))
        self._inbound.aim(self.messages, after=connection.early)
        for why in self._pauses:
            connection.pause(why)
        connection.open(self._inbound.entrance)
        # Only now: what was held back comes at once, and goes the new way.
        self._inbound.call(partial(self._early_over, connection.early.buffer))
        self.outbound.open(connection)

    def shut(self) -> None:
        """Nothing can be sent any more, and nothing more is to be paused."""
        self._connection = None
        self.outbound.shut()

    def discard(self) -> None:
        """Nothing that is under way may be delivered any more."""
        self._discarded(self._inbound.discard(Nowhere(self._discarded)))

    def end(self, connection: Connection) -> None:
        """A connection is over, and its session with it."""
        self._inbound.call(partial(self._end_sessions, connection))

    def rest(self, end: End) -> None:
        """Nothing comes any more, for the time being or for good."""
        if end.final:
            self.states.mark(end)
            self._inbound.stop()
            self.outbound.stop()
            self.stuck.stop()
            self._mark(end, tuple(self._feeds))
        else:
            # Those alone that are there now: later ones may be of a later connection.
            self._inbound.call(partial(self._mark, end, tuple(self._feeds)))

    def new_feed(self) -> SessionFeed:
        """Make what `sessions()` returns; it begins with the open connection."""
        feed = SessionFeed(self.messages, self.outbound, self._sessions)
        self._feeds.add(feed)
        ended = self.messages.ended
        if ended is not None and ended.final:
            feed.mark(ended)
        elif self._connection is not None:
            # Behind what an earlier connection has brought and interceptors still hold.
            begin = partial(feed.begin, self._connection, self._number)
            self._inbound.call(begin)
        else:
            self._inbound.call(partial(self._mark_at_rest, feed))
        return feed

    # Inside

    def _early_over(self, early: Buffer[Any]) -> None:
        early.relieve()
        if early.end is not None and isinstance(early.end.error, WSStreamOverflowError):
            self.messages.fail(early.end)

    def _end_sessions(self, connection: Connection) -> None:
        for session in [one for one in self._sessions if one.is_of(connection)]:
            self._sessions.discard(session)
            session.end()

    def _mark(self, end: End, feeds: tuple[SessionFeed, ...]) -> None:
        self.messages.mark(end)
        for feed in feeds:
            feed.mark(end)

    def _mark_at_rest(self, feed: SessionFeed) -> None:
        if self.messages.ended is not None:
            feed.mark(self.messages.ended)

    def _pressed(self, full: bool) -> None:  # noqa: FBT001
        self._press("subscriber", full)
        self.stuck.pressed(full)

    def _press(self, why: str, full: bool) -> None:  # noqa: FBT001
        (self._pauses.add if full else self._pauses.discard)(why)
        if self._connection is not None:
            (self._connection.pause if full else self._connection.resume)(why)

    def _discarded(self, count: int) -> None:
        if count:
            self._counters.dropped_count += count
            self._reporter.note("messages_discarded", count=count)

    def _dropped(self, _buffer: Buffer[Any], count: int) -> None:
        self._counters.dropped_count += count
        self._reporter.note("message_dropped", direction="in", count=count)

    def _entry_dropped(self, entry: Entry, why: str) -> None:
        self._counters.dropped_count += 1
        self._reporter.note(
            "message_dropped", direction="out", size=entry.size, why=why
        )
