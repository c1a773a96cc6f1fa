"""The place of one connection in the receive pipeline.

The messages of a connection are held until it is open, then delivered to the
subscribers, and from some moment on discarded. Only `Incoming` changes that stage.
"""

from collections.abc import Sequence
from typing import Any, Literal

from ws_common.options.interceptors import DONE, build
from ws_common.receive.end_marker import End
from ws_common.receive.pipeline import ReceivePipeline
from ws_common.receive.subscriber_buffer import Buffer
from ws_common.vocabulary.errors import WSNotConnectedError
from ws_common.vocabulary.messages import Data, payload_size

Stage = Literal["held", "delivered", "discarded"]
"""What happens to the messages of one connection."""


class Incoming:
    """The messages of one connection, and its opening and end, in order.

    Args:
        pipeline: The pipeline that they pass through.
        number: The number that the connection has, or will have once it is open.

    Attributes:
        held: The messages that came before the connection was open.
        number: The number of the connection.
        stage: What happens to its messages.
    """

    __slots__ = (
        "_chain",
        "_ended",
        "_pipeline",
        "_queue",
        "_unreported",
        "held",
        "number",
        "stage",
    )

    def __init__(self, pipeline: ReceivePipeline, number: int) -> None:
        self.number = number
        self.stage: Stage = "held"
        self._unreported = 0  # The messages discarded since the last report.
        self._ended = False
        self._pipeline = pipeline
        self._queue = pipeline.queue
        messages = pipeline.messages
        self.held: Buffer[Any] = Buffer(
            messages.limits, messages.on_watermark, messages.on_drop
        )
        handlers = pipeline.handlers
        # Each connection has a chain of its own, so that a `next` that an interceptor
        # calls much later still knows which connection the message came from.
        self._chain = build(handlers, self._deliver_one) if handlers else None

    def push(self, batch: Sequence[Data], size: int) -> None:
        """Accept a batch from the connection.

        Args:
            batch: One message or more.
            size: The payload bytes of all of them.
        """
        if self._chain is None or self.stage == "discarded":
            self.deliver(batch, size)
        else:
            self._queue.intercept(self, self._chain, batch)

    def deliver(self, batch: Sequence[Any], size: int) -> None:
        """Accept a batch that has passed the interceptors."""
        if self.stage == "delivered":
            self._pipeline.messages.publish(batch, size, self.number)
        elif self.stage == "held":
            # After an overflow the buffer drops everything, since a reader must not
            # get messages behind a gap without noticing the gap.
            self.held.extend(batch, size, self.number)
        else:
            self._count_discarded(len(batch))

    def _deliver_one(self, data: Any) -> Any:
        self.deliver((data,), payload_size(data))
        return DONE

    def opened(self) -> None:
        """Deliver the held messages, and from now on all others.

        The pipeline calls this in order with the messages.
        """
        # The connection may have been discarded while this call waited in the queue.
        if self.stage != "held":
            return
        self.stage = "delivered"
        held, messages = self.held, self._pipeline.messages
        overflow, size = held.end, held.bytes
        if batch := held.drain():
            messages.publish(batch, size, self.number)
        if overflow is not None:
            messages.end_current(overflow)
        error = WSNotConnectedError("after_connect is over: receive on the client")
        # Somebody may still read from `after_connect`'s view of the connection.
        held.append_end(End(error=error, final=True))
        held.resume()

    def discard(self) -> None:
        """Deliver no further messages, and count those that wait or still come."""
        if self.stage == "discarded":
            return
        self.stage = "discarded"
        self._count_discarded(
            self._queue.remove_messages_of(self) + len(self.held.drain())
        )
        self._report_discarded()
        self.held.resume()

    def ended(self, end: End) -> None:
        """Append the end of the connection behind all of its messages."""
        self._queue.call(self.held.append_end, end)
        self._ended = True
        self._report_discarded()

    def _count_discarded(self, count: int) -> None:
        """Count messages that nobody will see, and report them in few events."""
        self._unreported += count
        self._pipeline.count_discarded(count)
        # Until the end there may be more. Afterwards only an interceptor can still
        # hold some, so that each of those is reported by itself.
        if self._ended:
            self._report_discarded()

    def _report_discarded(self) -> None:
        count, self._unreported = self._unreported, 0
        if count:
            self._pipeline.report("messages_discarded", count=count)

    @property
    def should_pause(self) -> bool:
        """Whether one of the places that its messages pass through is full."""
        return (
            self._queue.full
            or self.held.full
            or (
                self.stage == "delivered" and bool(self._pipeline.messages.full_buffers)
            )
        )
