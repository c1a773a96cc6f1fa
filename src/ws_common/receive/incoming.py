"""The place of one connection in the receive pipeline."""

from collections.abc import Sequence
from typing import Any, Literal

from ws_common.options.interceptors import DONE, build
from ws_common.receive.end_marker import End
from ws_common.receive.pipeline import ReceivePipeline
from ws_common.receive.subscriber_buffer import Buffer
from ws_common.vocabulary.errors import WSNotConnectedError
from ws_common.vocabulary.messages import Data, payload_size

Stage = Literal["held", "delivered", "discarded"]
"""What becomes of the messages of one connection."""


class Incoming:
    """What one connection brings, in order.

    Args:
        pipeline: What it passes through.
        number: The number that the connection has, or will have.

    Attributes:
        held: What came before the connection was open.
        stage: What becomes of its messages.
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
        self._unreported = 0  # and not reported yet
        self._ended = False
        self._pipeline = pipeline
        self._queue = pipeline.queue
        messages = pipeline.messages
        self.held: Buffer[Any] = Buffer(
            messages.limits, messages.on_watermark, messages.on_drop
        )
        handlers = pipeline.handlers
        # Each connection has its own, so that a `next` that is called late still
        # knows where the message came from.
        self._chain = build(handlers, self._deliver_one) if handlers else None

    def push(self, batch: Sequence[Data], size: int) -> None:
        """Take what the connection has brought."""
        if self._chain is None or self.stage == "discarded":
            self.deliver(batch, size)
        else:
            self._queue.intercept(self, self._chain, batch)

    def deliver(self, batch: Sequence[Any], size: int) -> None:
        """Take what has passed the interceptors."""
        if self.stage == "delivered":
            self._pipeline.messages.publish(batch, size, self.number)
        elif self.stage == "held":
            # Once it has overflowed, it drops: nothing is delivered behind a gap.
            self.held.extend(batch, size, self.number)
        else:
            self._count_discarded(len(batch))

    def _deliver_one(self, data: Any) -> Any:
        self.deliver((data,), payload_size(data))
        return DONE

    def opened(self) -> None:
        """Let flow what is held, and what comes; called in order."""
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
        held.append_end(End(error=error, final=True))
        held.resume()

    def discard(self) -> None:
        """Deliver nothing more; what waits is counted, and so is what comes."""
        if self.stage == "discarded":
            return
        self.stage = "discarded"
        self._count_discarded(
            self._queue.remove_messages_of(self) + len(self.held.drain())
        )
        self._report_discarded()
        self.held.resume()

    def ended(self, end: End) -> None:
        """The connection has ended, behind all that it has brought."""
        self._queue.call(self.held.append_end, end)
        self._ended = True
        self._report_discarded()

    def _count_discarded(self, count: int) -> None:
        """Count what nobody will see; it is reported when all is known, once each."""
        self._unreported += count
        self._pipeline.count_discarded(count)
        if self._ended:
            self._report_discarded()

    def _report_discarded(self) -> None:
        count, self._unreported = self._unreported, 0
        if count:
            self._pipeline.report("messages_discarded", count=count)

    @property
    def should_pause(self) -> bool:
        """Whether a place that its messages pass through holds too much."""
        return (
            self._queue.full
            or self.held.full
            or (
                self.stage == "delivered" and bool(self._pipeline.messages.full_buffers)
            )
        )
