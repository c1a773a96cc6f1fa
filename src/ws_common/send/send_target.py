"""What the send queue asks of a connection, and the errors of a send."""

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
    """What the send queue asks of a connection."""

    def send(self, data: Data, *, text: bool) -> None:
        """Hand one message over, or raise WSConnectionClosedError."""

    def wait_writable(self) -> Awaitable[None]:
        """Wait until the buffer is below the limit, or the connection has ended."""
        ...

    @property
    def above_limit(self) -> bool:
        """Whether the buffer is above `write_limit`."""
        ...

    def closed_error(self) -> WSConnectionClosedError:
        """The error that says how it ended."""
        ...


def hand_over(target: SendTarget, data: Data, *, text: bool) -> WSError | None:
    """Hand one message over; return why that failed, whatever the transport raised."""
    try:
        target.send(data, text=text)
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - any transport
        return send_error(error, "the transport could not send the message")
    return None


def send_error(error: BaseException, words: str) -> WSError:
    """Make an error of ours of whatever kept a message from being sent."""
    if isinstance(error, WSError):
        return error
    raised = WSMessageDroppedError(f"{words}: {error!r}")
    raised.__cause__ = error
    return raised
