"""The stream of messages, and the streams that decode them."""

import builtins
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from ws_common.options.json_codec import Json, json_loads
from ws_common.receive.broadcast import Broadcast
from ws_common.receive.stream import Stream
from ws_common.receive.subscriber import SKIP, ReportError
from ws_common.vocabulary.messages import Data

U = TypeVar("U")


class WebSocketMessagesStream(Stream[Data]):
    """All messages that arrive: `str` for text, `bytes` for binary.

    Example:
        >>> async def show(stream: WebSocketMessagesStream) -> None:
        ...     async for value in stream.json:
        ...         print(value)
    """

    def __init__(
        self,
        broadcast: Broadcast[Data],
        report: ReportError,
        *,
        owner: object = None,
        json: Json | None = None,
    ) -> None:
        super().__init__(broadcast, report, owner=owner)
        self._loads = json_loads(json)

    @property
    def text(self) -> Stream[str]:
        """The text messages, without the binary ones."""
        return self.where_type(str)

    @property
    def bytes(self) -> Stream[builtins.bytes]:
        """The binary messages, without the text ones."""
        return self.where_type(builtins.bytes)

    @property
    def json(self) -> Stream[Any]:
        """The decoded values of all messages that are strict JSON (RFC 8259).

        Text and binary messages are decoded. All others are skipped, in the same way as
        by `decode(..., on_error="skip")`. Without the option `json`, NaN and Infinity
        are not JSON, although Python's parser accepts them.
        """
        return self.decode(self._loads, on_error="skip")

    def decode(
        self,
        decoder: Callable[[Data], U],
        on_error: Literal["raise", "skip"] = "raise",
    ) -> Stream[U]:
        """Decode each message.

        Args:
            decoder: Any function of a message, such as `Model.model_validate_json` or
                `msgspec.json.Decoder(Kind).decode`.
            on_error: "raise" raises the error to whoever iterates, and iteration can
                continue. "skip" leaves the message out, counts it in
                `metrics.skipped_count`, reports an event, and logs a warning at most
                once a minute.
        """
        if on_error == "raise":
            return self.map(decoder)
        report = self._report

        def decode_or_skip(message: Data) -> Any:
            try:
                return decoder(message)
            except Exception as error:  # noqa: BLE001 - any decoder, any error
                report("message_skipped", error)
                return SKIP

        return self._add_step(decode_or_skip)
