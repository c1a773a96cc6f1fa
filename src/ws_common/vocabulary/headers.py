"""Checks of the HTTP headers that a program adds to the handshake.

Names must be tokens (RFC 9110 section 5.6.2). A value that contains a line break could
smuggle in another header, so it is refused when the options are made.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from ws_common.vocabulary.read_only import ReadOnly
from ws_common.vocabulary.transport import Headers

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# Field values (RFC 9110 section 5.5): tab, visible characters and obs-text. All of it
# can be written as Latin-1, which is what the handshake is encoded in.
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

# The handshake sets these itself, and a second one would make the request invalid.
_RESERVED = frozenset({"connection", "upgrade", "host"})
_RESERVED_PREFIX = "sec-websocket-"


def check_headers(headers: object) -> Headers:
    """Return a read-only copy that maps each name to a tuple of values.

    Args:
        headers: A mapping of names to a string, or to a sequence of strings.

    Raises:
        TypeError: It is not such a mapping.
        ValueError: A name is not a token, or a value contains a line break, a control
            character or a character outside of Latin-1.
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
    """Return the value of a header if it is valid.

    Raises:
        TypeError: It is not a string.
        ValueError: It contains characters that are not allowed.
    """
    # The messages never show the value: it may be a token or a password.
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
    """Return whether the handshake itself sets this header, so that none may be added.

    `Host` is one of them: it follows from the URL (RFC 6455 section 4.1).
    """
    lower = name.lower()
    return lower in _RESERVED or lower.startswith(_RESERVED_PREFIX)
