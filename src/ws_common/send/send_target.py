"""What the send queue needs of a connection, and the errors of a send."""

import asyncio
from collections.abc import Awaitable
from typing import Protocol

from ws_common.vocabulary.errors import (
    WSConnectionClosedError,
    WSError,
    WSMessageDroppedError,
)
from ws_common.vocabulary.messages import Data


class SendTarget(Protocol):
    """What the send queue needs of a connection."""

    def send(self, data: Data, *, text: bool) -> None:
        """Hand one message over; see `ConnectionWriter.send()`.

        Raises:
            WSConnectionClosedError: The connection is closing, or has ended.
        """

    def wait_writable(self) -> Awaitable[None]:
        """Wait until the send buffer is below the limit.

        Raises:
            WSConnectionClosedError: The connection ended first.
        """
        ...

    @property
    def above_limit(self) -> bool:
        """Whether the send buffer is above `write_limit`."""
        ...

    def closed_error(self) -> WSConnectionClosedError:
        """Make the error that says how the connection ended, or is ending."""
        ...


def hand_over(target: SendTarget, data: Data, *, text: bool) -> WSError | None:
    """Hand one message over to a connection.

    Args:
        target: The connection.
        data: The payload, as `to_wire()` returns it.
        text: Whether to send a text frame.

    Returns:
        Why it could not be sent; None: it was handed over.
    """
    # Returned, not raised: one message that a transport refuses must not keep those
    # behind it, or the caller that opens the connection, from going on. Transports of
    # wrapped clients are users' code and may raise anything, CancelledError included.
    try:
        target.send(data, text=text)
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - any transport
        return send_error(error, "the transport could not send the message")
    return None


def send_error(error: BaseException, words: str) -> WSError:
    """Turn whatever kept a message from being sent into a WSError.

    Args:
        error: The error; it becomes the cause of the new one.
        words: What has failed, for the message of the new error.
    """
    if isinstance(error, WSError):
        return error
    raised = WSMessageDroppedError(f"{words}: {error!r}")
    raised.__cause__ = error
    return raised
