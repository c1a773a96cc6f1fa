"""A receive pipeline by itself, and everything that it reports."""

from typing import Any

from ws_common.options.interceptors import WSInterceptor
from ws_common.receive.incoming import Incoming
from ws_common.receive.limits import Limits
from ws_common.receive.pipeline import ReceivePipeline


class ObservedPipeline:
    """A pipeline without a client.

    Args:
        interceptors: The interceptors.
        capacity: The messages that each buffer has room for.

    Attributes:
        pipeline: The pipeline.
        events: The names and details of the events that it has reported.
        discarded: How many messages it has discarded, each time.
        watermarks: How often a watermark was crossed.
    """

    def __init__(self, *interceptors: WSInterceptor, capacity: int = 2) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.discarded: list[int] = []
        self.watermarks = 0
        self.pipeline = ReceivePipeline(
            interceptors,
            Limits(capacity, None, "pause"),
            report=lambda name, **details: self.events.append((name, details)),
            count_discarded=self.discarded.append,
            on_drop=lambda _count: None,
            on_watermark=self._count_watermark,
        )

    def connect(self, number: int = 1, *, is_open: bool = True) -> Incoming:
        """Add a connection."""
        incoming = Incoming(self.pipeline, number)
        if is_open:
            self.pipeline.call(incoming.opened)
        return incoming

    def _count_watermark(self) -> None:
        self.watermarks += 1
