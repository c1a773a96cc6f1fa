"""How values become JSON messages, and back: the option `json`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from ws_common.vocabulary.checks import must_be
from ws_common.vocabulary.errors import WSDecodeError, WSUnsupportedDataError
from ws_common.vocabulary.messages import Data

_MAX_DEPTH: Final = 500
"""The maximum depth of JSON. RFC 8259 section 9 lets a parser set such a limit."""

_SHOWN: Final = 40
"""Characters of a message that an error quotes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Json:
    """What `send_json()`, `recv_json()` and `stream.json` use to write and read JSON.

    Attributes:
        dumps: Makes `str` or UTF-8 `bytes` of a value; both are sent as text.
        loads: Makes a value of a message, `str` for text and `bytes` for binary.

    Example:
        With `msgspec`, which is several times as fast as the standard library:

        >>> import msgspec
        >>> fast = Json(dumps=msgspec.json.encode, loads=msgspec.json.decode)
        >>> fast.loads(fast.dumps({"price": 1.5}))
        {'price': 1.5}
    """

    dumps: Callable[[Any], str | bytes]
    loads: Callable[[Data], Any]

    def __post_init__(self) -> None:
        """Check that both can be called: they are not used before the first message."""
        for name in ("dumps", "loads"):
            must_be("callable", callable, TypeError)(name, getattr(self, name))


def encode_json(codec: Json | None, value: object) -> str | bytes:
    """Make the text of a message.

    Raises:
        WSUnsupportedDataError: The codec cannot write the value.
    """
    try:
        return strict_dumps(value) if codec is None else codec.dumps(value)
    except Exception as error:
        raise WSUnsupportedDataError(
            f"send_json() cannot write {type(value).__name__} as JSON: {error}"
        ) from error


def decode_json(codec: Json | None, message: Data) -> Any:
    """Make a value of a message.

    Raises:
        WSDecodeError: The message is not JSON.
    """
    try:
        return json_loads(codec)(message)
    except Exception as error:
        kind = "text" if isinstance(message, str) else "binary"
        start = repr(message[:_SHOWN]) + ("..." if len(message) > _SHOWN else "")
        raise WSDecodeError(
            f"recv_json() got a {kind} message that is not JSON: {start} ({error})"
        ) from error


def json_loads(codec: Json | None) -> Callable[[Data], Any]:
    """The function that reads JSON: the program's, or a strict one."""
    return strict_loads if codec is None else codec.loads


def strict_dumps(value: object) -> str:
    """Write JSON as RFC 8259 has it: no NaN, no Infinity.

    Raises:
        TypeError: JSON has nothing for a value of this type.
        ValueError: The value is a number that JSON does not know, or holds itself.
    """
    import json  # noqa: PLC0415 - for who uses it, not for every import

    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def strict_loads(message: Data) -> Any:
    """Read JSON as RFC 8259 has it: no NaN, no Infinity, no UTF-16.

    Raises:
        ValueError: The message is not JSON, or is nested too deeply.
    """
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
