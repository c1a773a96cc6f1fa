"""The end of a connection, or of the client, as a marker between messages.

An end waits in the same buffer as the messages before it. A reader therefore meets it
exactly where it happened, however far behind it is.
"""

from typing import NamedTuple

from ws_common.vocabulary.errors import WSError


class End(NamedTuple):
    """A marker behind the messages of a connection or of a client that has ended.

    Attributes:
        error: The error to raise to the reader; None: iteration ends quietly.
        close_code: The close code, for `recv()`, which cannot end quietly.
        close_reason: The close reason, for `recv()`.
        final: Whether nothing can follow this marker.
    """

    error: WSError | None = None
    close_code: int | None = None
    close_reason: str = ""
    final: bool = False


class Ended(Exception):  # noqa: N818 - never leaves the package
    """Raised by a buffer where its reader has reached an `End`.

    The caller turns it into what its own interface promises: `StopAsyncIteration`, or
    an error of the package.
    """

    # An exception and not a return value: items may be any object, None included,
    # so that no value is left that could stand for "there is no item".
    def __init__(self, end: End) -> None:
        super().__init__(end)
        self.end = end
