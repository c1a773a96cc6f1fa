"""HTTP headers that a program adds to the handshake.

Names are tokens (RFC 9110 section 5.6.2). Values that could end the line, and so
begin a header of their own, are refused where they are given.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from ws_common.vocabulary.read_only import ReadOnly
from ws_common.vocabulary.transport import Headers

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

_RESERVED = frozenset({"connection", "upgrade", "host"})
_RESERVED_PREFIX = "sec-websocket-"


def check_headers(headers: object) -> Headers:
    """Return an unchangeable copy, each name with its values, or raise.

    Raises:
        TypeError: Not a mapping of names to a string or strings.
        ValueError: A name that is no token, or a value with a line break, a
            control character or something outside of Latin-1.
    """
    if not isinstance(headers, Mapping):
        raise TypeError(f"headers must be a mapping, not {type(headers).__name__}")
    checked: dict[str, tuple[str, ...]] = {}
    for name, given in cast("Mapping[object, object]", headers).items():
        if not isinstance(name, str) or not TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is not a valid header name")
        is_sequence = isinstance(given, Sequence) and not isinstance(given, str | bytes)
        values = cast("Sequence[object]", given if is_sequence else (given,))
        checked[name] = tuple(check_value(name, value) for value in values)
    return ReadOnly(checked)


def check_value(name: str, value: Any) -> str:
    """Return a header's value, or raise; the value itself is never shown."""
    if not isinstance(value, str):
        raise TypeError(
            f"header {name}: a value must be a string, not {type(value).__name__}"
        )
    if not _VALUE.fullmatch(value):
        raise ValueError(
            f"header {name}: a value must not contain line breaks, control characters "
            "or characters outside of Latin-1"
        )
    return value


def is_reserved(name: str) -> bool:
    """Whether the handshake itself owns this header, so that none may be added.

    `Host` is owned too: it follows from the URL (RFC 6455 section 4.1).
    """
    lower = name.lower()
    return lower in _RESERVED or lower.startswith(_RESERVED_PREFIX)
