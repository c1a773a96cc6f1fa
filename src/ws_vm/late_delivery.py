"""Delivery after the peer's end: what a paused reader is handed all the same.

Waiting for a reader that is stuck would keep the client believing that it is
connected. So what is here is delivered although a pause was asked for, and only so
much of it that memory stays bounded. What is left out is said.
"""

import dataclasses
import logging
from collections.abc import Sequence

from ws_common.vocabulary.messages import Data
from ws_common.vocabulary.transport import CloseInfo, TransportSink

MAX_LATE = 8 * 2**20
"""Bytes of payload that are delivered beyond a pause."""

_log = logging.getLogger("ws.vm")


class LateDelivery:
    """Passes on what fits, and adds to the end what did not.

    Nothing is delivered behind a batch that was left out: there are no gaps.
    """

    __slots__ = ("_dropped", "_dropped_size", "_error", "_remaining", "_sink")

    def __init__(self, sink: TransportSink) -> None:
        self._sink = sink
        self._remaining = MAX_LATE
        self._dropped = 0
        self._dropped_size = 0
        self._error: OverflowError | None = None

    def on_messages(self, batch: Sequence[Data], size: int) -> None:
        """Pass it on while there is room."""
        if self._dropped or size > self._remaining:
            self._dropped += len(batch)
            self._dropped_size += size
            return
        self._remaining -= size
        self._sink.on_messages(batch, size)

    def on_closing(self, close: CloseInfo) -> None:
        """Pass it on, with what was left out."""
        self._sink.on_closing(self._add_overflow(close))

    def on_closed(self, close: CloseInfo) -> None:
        """Pass it on, with what was left out."""
        self._sink.on_closed(self._add_overflow(close))

    def on_writable(self) -> None:
        """Pass it on."""
        self._sink.on_writable()

    def _add_overflow(self, close: CloseInfo) -> CloseInfo:
        if not self._dropped:
            return close
        if self._error is None:
            self._error = OverflowError(
                f"{self._dropped_size} bytes in {self._dropped} messages were received "
                "and could not be delivered: nobody reads, and the peer is gone"
            )
            self._error.__cause__ = close.error
            _log.warning("%s", self._error)
        return dataclasses.replace(close, error=self._error)


class Discard:
    """The sink of a connection that reports nothing any more."""

    __slots__ = ()

    def _ignore(self, *_: object, **__: object) -> None:
        """Report nothing."""

    on_messages = on_closing = on_closed = on_writable = _ignore


DISCARD = Discard()
