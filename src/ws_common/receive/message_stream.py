"""The stream of messages, and the streams that decode them."""

import builtins
from collections.abc import Callable
from typing import Any, Final, Literal, NoReturn, TypeVar

from ws_common.receive.stream import Stream
from ws_common.receive.subscriber import SKIP
from ws_common.vocabulary.messages import Data

U = TypeVar("U")

_MAX_DEPTH: Final = 500
"""The maximum depth of JSON. RFC 8259 section 9 lets a parser set such a limit."""


class WebSocketMessagesStream(Stream[Data]):
    """All messages that arrive: `str` for text, `bytes` for binary.

    Example:
        >>> async def show(stream: WebSocketMessagesStream) -> None:
        ...     async for value in stream.json:
        ...         print(value)
    """

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
        by `decode(..., on_error="skip")`. NaN and Infinity are not JSON, although
        Python's parser accepts them.
        """
        return self.decode(_strict_json, on_error="skip")

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


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _strict_json(message: Data) -> Any:
    import json  # noqa: PLC0415 - `import ws` must not pay for it

    # json.loads() guesses the encoding of bytes and accepts UTF-16, which RFC 8259
    # section 8.1 forbids and which would hide the depth from the check below. The same
    # section permits a parser to ignore a byte order mark.
    text = message if isinstance(message, str) else message.decode("utf-8-sig")
    if _is_too_deep(text):
        raise ValueError("JSON that is nested too deeply")
    return json.loads(text, parse_constant=_refuse_constant)


def _is_too_deep(text: str) -> bool:
    """Whether the depth of nesting might exhaust the stack of Python's parser."""
    # The parser is recursive. Natively it raises RecursionError; in Pyodide, a few
    # thousand levels end the interpreter, which are a few kilobytes from any peer.
    # Counting brackets costs next to nothing, and only a message with very many of
    # them is examined more closely, by one pass of a regular expression.
    if text.count("[") + text.count("{") <= _MAX_DEPTH:
        return False
    import re  # noqa: PLC0415 - as above
    from itertools import accumulate  # noqa: PLC0415 - as above

    # The quantifiers are possessive, so that nothing backtracks: a message of 20 KB
    # with a string that has no end once took quadratic time. Such a string extends to
    # the end of the message here; the parser rejects the message afterwards.
    rest = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[^"\[\]{}]++'
    brackets = re.sub(rest, "", text, flags=re.DOTALL)
    return (
        max(accumulate(map(_DEPTH_CHANGES.__getitem__, brackets)), default=0)
        > _MAX_DEPTH
    )


_DEPTH_CHANGES: Final = {"[": 1, "{": 1, "]": -1, "}": -1}
