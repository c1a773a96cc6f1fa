"""The stream of messages, and what can be made of it."""

import builtins
from collections.abc import Callable
from typing import Any, Final, Literal, NoReturn, TypeVar

from ws_common.receive.stream import Stream
from ws_common.receive.subscriber import SKIP
from ws_common.vocabulary.messages import Data

U = TypeVar("U")

_MAX_DEPTH: Final = 500
"""Levels of JSON (RFC 8259, section 9 lets a parser have a limit)."""


class WebSocketMessagesStream(Stream[Data]):
    """Everything that arrives: `str` for text, `bytes` for binary.

    Example:
        >>> async def show(stream: WebSocketMessagesStream) -> None:
        ...     async for value in stream.json:
        ...         print(value)
    """

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

        Others are skipped, as `decode()` does it; so are NaN and Infinity, which
        Python's parser would take.
        """
        return self.decode(_strict_json, on_error="skip")

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
        report = self._report

        def decode_or_skip(message: Data) -> Any:
            try:
                return decoder(message)
            except Exception as error:  # noqa: BLE001 - any decoder, any error
                report("message_skipped", error)
                return SKIP

        return self._add_step(decode_or_skip)


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _strict_json(message: Data) -> Any:
    import json  # noqa: PLC0415 - for who uses it, not for every import

    # Not as bytes: `json` would take UTF-16 too, which RFC 8259 section 8.1 forbids
    # and the check below does not see through. A BOM may be ignored, it says.
    text = message if isinstance(message, str) else message.decode("utf-8-sig")
    if _is_too_deep(text):
        raise ValueError("JSON that is nested too deeply")
    return json.loads(text, parse_constant=_refuse_constant)


def _is_too_deep(text: str) -> bool:
    """Whether the parser, which is recursive, might not survive it.

    Natively it raises RecursionError; in Pyodide a few thousand levels, which are a
    few kilobytes from any peer, end the interpreter. Counting costs next to nothing,
    and only a message with very many brackets is looked at more closely: all of it
    once, in C.
    """
    if text.count("[") + text.count("{") <= _MAX_DEPTH:
        return False
    import re  # noqa: PLC0415 - likewise
    from itertools import accumulate  # noqa: PLC0415 - likewise

    # A string without an end goes to the end, and nothing here ever backtracks: each
    # character is looked at once. Where a string is malformed, the parser stops.
    rest = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[^"\[\]{}]++'
    brackets = re.sub(rest, "", text, flags=re.DOTALL)
    return (
        max(accumulate(map(_DEPTH_CHANGES.__getitem__, brackets)), default=0)
        > _MAX_DEPTH
    )


_DEPTH_CHANGES: Final = {"[": 1, "{": 1, "]": -1, "}": -1}
