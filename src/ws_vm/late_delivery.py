"""Delivery to a paused sink after the peer has closed.

Waiting for a reader that is stuck would keep the client believing that it is connected.
Therefore the messages that have been received are delivered despite the pause, up to a
limit that bounds memory. The messages beyond this limit are dropped and reported.
"""

import dataclasses
import logging
from collections.abc import Sequence

from ws_common.vocabulary.messages import Data
from ws_common.vocabulary.transport import CloseInfo, TransportSink

MAX_LATE = 8 * 2**20
"""The most bytes of payload that are delivered despite a pause.

The data that was held back may be compressed: without a limit 1 MiB could become 1 GB.
"""

_log = logging.getLogger("ws.vm")


class LateDelivery:
    """A sink that passes batches on while they fit, and then reports what was dropped.

    Args:
        sink: The sink that has paused.
    """

    __slots__ = ("_dropped", "_dropped_size", "_error", "_remaining", "_sink")

    def __init__(self, sink: TransportSink) -> None:
        self._sink = sink
        self._remaining = MAX_LATE
        self._dropped = 0
        self._dropped_size = 0
        self._error: OverflowError | None = None

    def on_messages(self, batch: Sequence[Data], size: int) -> None:
        """Pass the batch on while it fits.

        Args:
            batch: The messages.
            size: Their payload in bytes.
        """
        # Once a batch was dropped, all later ones are, also those that would fit:
        # otherwise the program would see a gap in the sequence.
        if self._dropped or size > self._remaining:
            self._dropped += len(batch)
            self._dropped_size += size
            return
        self._remaining -= size
        self._sink.on_messages(batch, size)

    def on_closing(self, close: CloseInfo) -> None:
        """Pass the end on, with an error that counts the dropped messages."""
        self._sink.on_closing(self._add_overflow(close))

    def on_closed(self, close: CloseInfo) -> None:
        """Pass the end on, with an error that counts the dropped messages."""
        self._sink.on_closed(self._add_overflow(close))

    def on_writable(self) -> None:
        """Pass it on: sending is not affected."""
        self._sink.on_writable()

    def _add_overflow(self, close: CloseInfo) -> CloseInfo:
        if not self._dropped:
            return close
        # on_closing and on_closed report the same error, and it is logged once.
        if self._error is None:
            self._error = OverflowError(
                f"{self._dropped_size} bytes in {self._dropped} messages were received "
                "but not delivered: the reader is paused, and the peer has closed"
            )
            # The network's own error, such as a reset, is kept as the cause.
            self._error.__cause__ = close.error
            _log.warning("%s", self._error)
        return dataclasses.replace(close, error=self._error)


class Discard:
    """The sink of a connection that must not report anything any more."""

    __slots__ = ()

    def _ignore(self, *_: object, **__: object) -> None:
        """Do nothing."""

    on_messages = on_closing = on_closed = on_writable = _ignore


# One object for all connections, so that `sink is DISCARD` tells whether one has ended.
DISCARD = Discard()
