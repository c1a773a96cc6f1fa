"""The stream of messages, and what can be made of it."""

import builtins
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from ws_common.options.json_codec import Json, json_loads
from ws_common.receive.broadcast import Broadcast
from ws_common.receive.streams import SKIP, OnFault, Stream
from ws_common.vocabulary.messages import Data

U = TypeVar("U")


class WebSocketMessagesStream(Stream[Data]):
    """Everything that arrives: `str` for text, `bytes` for binary.

    Example:
        >>> async def show(stream: WebSocketMessagesStream) -> None:
        ...     async for value in stream.json:
        ...         print(value)
    """

    def __init__(
        self,
        broadcast: Broadcast[Data],
        on_fault: OnFault,
        *,
        owner: object = None,
        json: Json | None = None,
    ) -> None:
        super().__init__(broadcast, on_fault, owner=owner)
        self._loads = json_loads(json)

    @property
    def text(self) -> Stream[str]:
        """Text messages alone."""
        return self.where_type(str)

    @property
    def bytes(self) -> Stream[builtins.bytes]:
        """Binary messages alone."""
        return self.where_type(builtins.bytes)

    @property
    def json(self) -> Stream[Any]:
        """What the messages say that are strict JSON (RFC 8259), text or binary.

        Other messages are skipped, as `decode()` does it. Without the option `json`
        NaN and Infinity count as no JSON, although Python's parser would accept them.
        """
        return self.decode(self._loads, on_error="skip")

    def decode(
        self,
        decoder: Callable[[Data], U],
        on_error: Literal["raise", "skip"] = "raise",
    ) -> Stream[U]:
        """What `decoder` makes of each message.

        Args:
            decoder: `msgspec.json.Decoder(Kind).decode`, `Model.model_validate_json`,
                any function of a message.
            on_error: "raise" raises to the one who iterates, who may go on
                iterating; "skip" leaves the message out, counts it in
                `metrics.skipped_count`, reports an event, and once a minute logs a
                warning.
        """
        if on_error == "raise":
            return self.map(decoder)
        report = self._on_fault

        def attempt(message: Data) -> Any:
            try:
                return decoder(message)
            except Exception as error:  # noqa: BLE001 - any decoder, any error
                report("message_skipped", error)
                return SKIP

        return self._with(attempt)
