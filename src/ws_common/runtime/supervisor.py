"""The asyncio shell around the client's table: it feeds events and runs commands.

It decides nothing: `client_table.py` says what follows an event. `connections.py` has
the attempts and the connections that they open.
"""

from ws_common.connection.connection import Connection
from ws_common.diagnostics.metrics import Counters
from ws_common.diagnostics.reporter import Reporter
from ws_common.lifecycle import client_state as lifecycle
from ws_common.lifecycle import client_table as machine
from ws_common.lifecycle.state_machine import MachineDriver
from ws_common.lifecycle.states import Closed, WebSocketClientState
from ws_common.options.backoff import SYSTEM_RANDOM
from ws_common.options.options import Connector, WebSocketOptions
from ws_common.options.platform import Platform
from ws_common.receive.broadcast import Broadcast
from ws_common.receive.limits import Limits, limits_of
from ws_common.receive.pipeline import ReceivePipeline
from ws_common.runtime.connections import Connections
from ws_common.runtime.environment import Environment
from ws_common.runtime.pending_calls import PendingCalls
from ws_common.runtime.sessions import Sessions, make_end
from ws_common.send.send_queue import SendQueue
from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.client_loop import ClientLoop
from ws_common.vocabulary.durations import seconds
from ws_common.vocabulary.errors import WSClientClosedError
from ws_common.vocabulary.timers import Timer, call_later

# A reader of states that does not keep up loses the oldest: the latest says where the
# client is, and pausing the lifecycle for a reader would be worse than any gap.
_STATE_LIMITS = Limits(1024, None, "drop_oldest")
"""The limits of a subscriber to `state_changes`."""


class Supervisor:
    """The parts of one client, and the shell around its table.

    Args:
        options: The options of the client.
        platform: What the platform offers.
        connector: Opens the transports.

    Attributes:
        calls: The calls that wait for an outcome.
        client_loop: The event loop that the client belongs to.
        clock: Tells the time.
        connections: The attempts, and the connections that they open.
        counters: The figures behind `metrics`.
        driver: Feeds events to the table.
        environment: The page, the network and the wait for a retry.
        options: The options of the client.
        received: The receive pipeline.
        reporter: Reports events, and keeps the history.
        send_queue: The send queue.
        sessions: The sessions that programs iterate over.
        states: The broadcast of state changes.
    """

    __slots__ = (
        "__weakref__",
        "_stable_timer",
        "calls",
        "client_loop",
        "clock",
        "connections",
        "counters",
        "driver",
        "environment",
        "options",
        "received",
        "reporter",
        "send_queue",
        "sessions",
        "states",
    )

    def __init__(
        self, options: WebSocketOptions, platform: Platform, connector: Connector
    ) -> None:
        self.options = options
        self.driver = MachineDriver(
            lifecycle.ClientState(), machine.step, self._carry_out
        )
        self.counters = Counters()
        self.client_loop = ClientLoop()
        self.clock = platform.clock
        self.reporter = Reporter(
            options.on_event, self.clock, self.counters, options.name
        )
        self.received = ReceivePipeline(
            options.interceptors,
            limits_of(options, platform),
            report=self.reporter.report,
            count_discarded=self.reporter.count_discarded,
            on_drop=self.reporter.report_dropped_received,
            on_watermark=self._adjust_reading,
            client_loop=self.client_loop,
        )
        self.received.messages.on_discarded = self.reporter.report_discarded
        self.received.messages.check_connect_called = self._check_connect_called
        self.states: Broadcast[WebSocketClientState] = Broadcast(
            _STATE_LIMITS, keep=False, client_loop=self.client_loop
        )
        self.send_queue = SendQueue(
            options,
            self.clock,
            check_coming=self.check_expected,
            report=self.reporter.report,
            on_drop=self.reporter.report_dropped_unsent,
        )
        self.connections = Connections(
            options,
            connector,
            self.driver,
            self.clock,
            reporter=self.reporter,
            counters=self.counters,
            received=self.received,
            send_queue=self.send_queue,
        )
        self.sessions = Sessions(self.received, self.send_queue)
        self._stable_timer: Timer | None = None
        self.calls = PendingCalls()
        self.environment = Environment(
            platform,
            SYSTEM_RANDOM,
            on_due=self._on_retry_due,
            probe=self._probe,
            report=self.reporter.report,
        )

    # What other modules ask

    @property
    def client_state(self) -> lifecycle.ClientState:
        """The state of the table."""
        return self.driver.state

    @property
    def connection(self) -> Connection | None:
        """The last connection; the table says whether it is live."""
        return self.connections.live

    @property
    def open_connection(self) -> Connection | None:
        """The open connection; None while its opening is still being reported."""
        # `Open` is published before the connection is opened. A call that `on_event`
        # makes in between, such as sessions() or ping(), must not find it yet: it
        # would get the connection a second time when it opens.
        connection = self.connection
        is_open = (
            self.client_state.phase is lifecycle.Phase.OPEN
            and self._live_connection().was_opened
        )
        return connection if is_open else None

    def _check_connect_called(self) -> None:
        if self.client_state.phase is lifecycle.Phase.NEW:
            raise self.client_state.not_connected()
        self.received.check_not_in_interceptor()

    def check_usable(self) -> None:
        """Check that the client can be used here.

        Raises:
            WSClientClosedError: `close()` was called.
            RuntimeError: The client belongs to another event loop.
        """
        self.client_loop.check()
        if self.client_state.is_finishing:
            msg = "the client was closed; make a new one"
            raise WSClientClosedError(msg)

    def check_expected(self) -> None:
        """Check that a connection is open or expected.

        Raises:
            WSNotConnectedError: A message would wait for a connection that was not
                asked for.
            WSClientClosedError: `close()` was called.
            RuntimeError: The client belongs to another event loop.
        """
        self.check_usable()
        retries = self.options.connection_retry_interval is not None
        if not self.client_state.expects_connection(retries=retries):
            raise self.client_state.not_connected()

    # The table

    def feed(self, event: lifecycle.Event, cause: Cause) -> None:
        """Advance the table by one event.

        Args:
            event: What was asked for, or what happened.
            cause: Why; the history and `on_event` show it.
        """
        self.driver.feed(event, cause)

    def _carry_out(self, command: lifecycle.Command, cause: Cause) -> None:  # noqa: C901, PLR0912 - one case for each command
        match command:
            case lifecycle.StartAttempt(attempt):
                self.connections.start_attempt(attempt)
            case lifecycle.Abandon(attempt):
                self.connections.abandon(attempt)
            case lifecycle.BeginClose(_, code, reason):
                self._live_connection().close(code, reason)
            case lifecycle.DiscardReceived():
                self._live_connection().discard()
                self.received.discard()
            case lifecycle.CloseInBackground(attempt):
                self.connections.close_in_background(attempt)
            case lifecycle.Wait(attempt, delay):
                self.environment.retry_timer.start(attempt, delay)
            case lifecycle.StopWaiting():
                self.environment.retry_timer.stop()
            case lifecycle.FailSends():
                self.send_queue.fail(self.client_state.not_connected)
            case lifecycle.PublishState(state, final):
                self.reporter.report_state(state, cause, final=final)
                # `on_event` was called first, in this very call: it is the one way to
                # learn of a state before anything else happens. Streams are read later.
                self.states.publish((state,), 0)
            case lifecycle.OpenConnection():
                self._open_connection()
            case lifecycle.StartStableTimer(attempt):
                # Without retries nothing depends on whether a connection is stable: it
                # counts as stable at once.
                interval = self.options.connection_retry_interval
                uptime = 0.0 if interval is None else seconds(interval.min_uptime)
                is_stable = lifecycle.BecameStable(attempt)
                self._stable_timer = call_later(uptime, self.feed, is_stable, "opened")
            case lifecycle.AnswerConnect():
                self.calls.on_opened()
            case lifecycle.StopSending():
                self.send_queue.shut()
            case lifecycle.CountEnd(code, reason):
                self.counters.count_ended(self.clock.now(), code, reason)
                if self._stable_timer is not None:
                    self._stable_timer.cancel()
                self.sessions.on_ended(self._live_connection())
            case lifecycle.WatchEnvironment():
                self.environment.start()
            case lifecycle.StopWatchingEnvironment():
                self.environment.stop()
            case lifecycle.ReportIdle(closed):
                self.sessions.on_idle(closed)
                self.calls.on_idle(closed.error)
            case lifecycle.Finish(closed):
                self._finish(closed)

    def _live_connection(self) -> Connection:
        connection = self.connections.live
        assert connection is not None  # noqa: S101 - the table has started one
        return connection

    # Commands that take several steps

    def _open_connection(self) -> None:
        # The order matters. Sessions begin before messages flow, or the first ones
        # would be given to other readers. A pause that is due applies before the
        # keepalive starts, which does not expect a pong while nothing is read. The send
        # queue is last: it sends at once, and a send that fails ends the connection
        # again.
        connection = self._live_connection()
        self.counters.count_opened(self.clock.now(), again=connection.number > 1)
        self.sessions.on_opened(connection)
        connection.adjust_reading()
        connection.open()
        self.send_queue.open(connection)

    def _finish(self, closed: Closed) -> None:
        # The streams end first, and the calls return last: a program that `close()`
        # lets go on finds every stream ended and every message accounted for.
        self.states.end_all(make_end(closed, final=True))
        self.received.stop()
        self.send_queue.stop()
        self.sessions.on_closed(closed)
        self.connections.abandon_replaced()
        self.calls.finish()

    # Callbacks of the environment and of the receive pipeline

    def _on_retry_due(self, attempt: int, cause: Cause) -> None:
        self.feed(lifecycle.RetryDue(attempt=attempt), cause)

    def _probe(self, *, after_gap: bool) -> None:
        connection = self.connections.live
        if self.client_state.phase is lifecycle.Phase.OPEN and connection is not None:
            connection.probe(after_gap=after_gap)

    def _adjust_reading(self) -> None:
        # Buffers may be released by a program that goes on after its loop was closed.
        # Transports of a closed loop raise, and there is no socket left to resume.
        connection = self.connections.live
        if connection is not None and not self.client_loop.is_closed:
            connection.adjust_reading()
