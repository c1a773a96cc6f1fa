"""The end of a connection, or of the client, as it waits among messages."""

from typing import NamedTuple

from ws_common.vocabulary.errors import WSError


class End(NamedTuple):
    """A mark between items: here a connection, or the client, came to an end.

    Attributes:
        error: Raised to the reader; None: iteration ends quietly.
        close_code: For `recv()`, which cannot end quietly.
        close_reason: Likewise.
        final: Nothing comes after it, ever.
    """

    error: WSError | None = None
    close_code: int | None = None
    close_reason: str = ""
    final: bool = False


class Ended(Exception):  # noqa: N818 - never leaves the package
    """Raised to the reader's shell where an `End` was reached."""

    def __init__(self, end: End) -> None:
        super().__init__(end)
        self.end = end
