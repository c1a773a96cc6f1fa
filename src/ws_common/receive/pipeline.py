"""What arrives, on its way from the connections to the subscribers: one sequence.

    connection ──▶ interceptors ──▶ held until open ──▶ subscribers

Messages, the opening of a connection and its end pass in the order in which they came
about, whatever an interceptor does. While every handler is synchronous, a message
passes in one call. From the first that is awaited on, what follows waits in a queue,
and a task works it off; the task ends when it has caught up.

What a connection brings before it is open is held: `after_connect` may read it, and
what it leaves goes to the subscribers first. `Incoming` is the place of one connection
in the sequence, and it alone decides what becomes of that connection's messages.

Memory is bounded wherever messages wait: each place says when it holds too much, and
reading is paused until it is well below that again.
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
        interceptors: The last is nearest the wire.
        limits: Of every buffer, unless a subscriber says otherwise.
        report: Reports an event.
        count_discarded: Told of messages that nobody will see.
        on_drop: Told of messages that an overflow has dropped.
        on_watermark: Called when a place holds too much, or no longer does.
        client_loop: The loop of the client.

    Attributes:
        messages: Hands messages to the subscribers.
        handlers: The handlers of the interceptors, outermost (at the wire) first.
        queue: What waits for an interceptor.
        report: Reports an event.
        stalled_readers: Names the subscriber that holds the socket and is not read.
    """

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
            one.on_message for one in reversed(interceptors)
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
        """Do something in order with the messages: now, if none is under way."""
        self.queue.call(action, *arguments)

    def discard(self) -> None:
        """Deliver nothing more of what is with an interceptor, or waits for one."""
        self.queue.discard()

    def stop(self) -> None:
        """Cancel what is under way; of what waits, the actions are still done."""
        self.queue.stop()
        self.stalled_readers.stop()

    def check_not_in_interceptor(self) -> None:
        """Raise where an interceptor would wait for what waits for it.

        Raises:
            WSNotConnectedError: An `on_message` that is awaited is calling.
        """
        self.queue.check_not_in_interceptor()

    def _watermark_crossed(self) -> None:
        """A place holds too much, or no longer does."""
        self._on_watermark()
        self.stalled_readers.watch()
