"""The receive pipeline: one ordered sequence of everything that connections bring.

    connection ──▶ interceptors ──▶ held until open ──▶ subscribers

Messages, the opening of a connection and its end pass in the order in which they
occurred, whatever an interceptor does. `InterceptorQueue` keeps that order while an
interceptor is awaited.

Messages that arrive before the connection is open are held: `after_connect` may read
them, and the subscribers get those that it leaves first. `Incoming` stands for one
connection in the sequence, and it alone decides what becomes of the messages of that
connection.

Memory is bounded wherever messages wait. Each of those places reports when it goes
above its high watermark, and reading pauses until it is below its low one.
"""

from collections.abc import Callable, Sequence
from typing import Any

from ws_common.options.interceptors import Handler, WSInterceptor
from ws_common.receive.broadcast import Broadcast
from ws_common.receive.interceptor_queue import InterceptorQueue
from ws_common.receive.limits import Limits
from ws_common.receive.stalled_readers import StalledReaders
from ws_common.vocabulary.client_loop import ClientLoop


class ReceivePipeline:
    """The sequence that all connections of a client feed.

    Args:
        interceptors: The interceptors of the client. The last one is next to the wire.
        limits: The limits of every buffer whose subscriber sets none of its own.
        report: Reports an event.
        count_discarded: Called with the number of messages that nobody will see.
        on_drop: Called with the number of messages that an overflow has dropped.
        on_watermark: Called when one of the places where messages wait has crossed a
            watermark.
        client_loop: The event loop of the client.

    Attributes:
        messages: The broadcast to all subscribers.
        handlers: The `on_message` handlers in the order in which a message passes
            them, which begins next to the wire.
        queue: The queue in front of the interceptors.
        report: Reports an event.
        stalled_readers: Reports subscribers that pause the socket and are not read.
    """

    # Nothing here is assigned again after `__init__`. What changes with a connection
    # belongs to its `Incoming`: earlier, the routes of messages were changed by
    # assigning attributes while messages were passing, and their order got lost.

    __slots__ = (
        "_on_watermark",
        "count_discarded",
        "handlers",
        "messages",
        "queue",
        "report",
        "stalled_readers",
    )

    def __init__(
        self,
        interceptors: tuple[WSInterceptor, ...],
        limits: Limits,
        *,
        report: Callable[..., None],
        count_discarded: Callable[[int], None],
        on_drop: Callable[[int], None],
        on_watermark: Callable[[], None],
        client_loop: ClientLoop | None = None,
    ) -> None:
        self.messages: Broadcast[Any] = Broadcast(
            limits,
            keep=True,
            client_loop=client_loop,
            on_watermark=self._watermark_crossed,
            on_drop=on_drop,
        )
        self.handlers: Sequence[Handler] = [
            # The list of interceptors begins at the application, and so does sending.
            # Received messages pass it the other way round.
            one.on_message
            for one in reversed(interceptors)
        ]
        self.count_discarded = count_discarded
        self.report = report
        self._on_watermark = on_watermark
        self.queue = InterceptorQueue(
            self.messages,
            has_interceptors=bool(interceptors),
            report=report,
            on_watermark=on_watermark,
        )
        self.stalled_readers = StalledReaders(self.messages, report)

    def call(self, action: Callable[..., None], *arguments: Any) -> None:
        """Perform an action in order with the messages: now, if none of them waits."""
        self.queue.call(action, *arguments)

    def discard(self) -> None:
        """Discard all messages that wait, or that an interceptor is handling."""
        self.queue.discard()

    def stop(self) -> None:
        """Stop the queue. Actions that wait are performed, messages are discarded."""
        self.queue.stop()
        self.stalled_readers.stop()

    def check_not_in_interceptor(self) -> None:
        """Raise if the caller is an interceptor that would wait for itself.

        Raises:
            WSNotConnectedError: The caller is an `on_message` that is being awaited.
        """
        self.queue.check_not_in_interceptor()

    def _watermark_crossed(self) -> None:
        """Report that a subscriber has crossed a watermark."""
        # The queue of the interceptors reports to `_on_watermark` directly: it is not
        # a subscriber, so that there is no reader that could be named.
        self._on_watermark()
        self.stalled_readers.watch()
