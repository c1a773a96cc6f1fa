"""Messages: the types that can be sent, and their conversion to a payload."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from ws_common.vocabulary.errors import WSUnsupportedDataError

Data = str | bytes
Sendable = str | bytes | bytearray | memoryview | Sequence[int]

# A list of one, because the converter is set when `ws` binds the platform, after this
# module was imported. `messages` cannot import the platform: it lies below `options`.
_converters: list[Callable[[Any], Data | None]] = []


def set_converter(convert: Callable[[Any], Data | None]) -> None:
    """Set the function that converts types of the platform; see `Platform.to_data`."""
    _converters[:] = [convert]


def to_wire(data: Any, *, text: bool | None = None) -> tuple[Data, bool]:
    """Convert an object to the payload that a transport accepts.

    Mutable objects are copied, so that a later change does not reach the wire. Text is
    encoded here once, unless it is ASCII: `len()` of the result is then the size of the
    payload, and a transport encodes ASCII at the cost of a copy.

    Args:
        data: A `str`, a bytes-like object, a sequence of integers from 0 to 255, or an
            object that the platform can convert.
        text: True sends UTF-8 bytes as a text frame, False sends text as a binary
            frame, and None chooses by the type of `data`.

    Returns:
        The payload, as bytes or ASCII text, and whether it is sent as a text frame.

    Raises:
        WSUnsupportedDataError: The object cannot be sent. The connection stays open.
    """
    # The most frequent types come first: this runs for every message that is sent.
    if isinstance(data, str):
        if text is not False and data.isascii():
            return data, True
        return _encode(data), text is not False
    if isinstance(data, bytes):
        payload = data
    elif isinstance(data, bytearray | memoryview):
        payload = bytes(cast("bytearray | memoryview", data))
    else:
        payload = _to_bytes(data)
    # A peer fails the connection with 1007 when text is not UTF-8 (RFC 6455 section
    # 8.1). So one bad message would end the connection for all; checked here, it fails
    # alone.
    if text and not payload.isascii():
        _check_utf8(payload)
    return payload, bool(text)


def size_of(data: Data) -> int:
    """Return the size of a payload in bytes; text counts as UTF-8."""
    # `isascii()` is a flag of the string, so that most text is not encoded to be
    # counted.
    if isinstance(data, str) and not data.isascii():
        return len(data.encode())
    return len(data)


def payload_size(item: object) -> int:
    """Return the payload size of a message in bytes; 0 for an interceptor's object."""
    return size_of(item) if isinstance(item, str | bytes) else 0


def _encode(data: str) -> bytes:
    # A browser silently replaces a lone surrogate by U+FFFD, and natively the whole
    # connection would fail. Raising here fails this message only, on both platforms.
    try:
        return data.encode()
    except UnicodeEncodeError as error:
        msg = (
            f"text with a lone surrogate at position {error.start} is not UTF-8 "
            "and cannot be sent; use errors='replace' where it was decoded"
        )
        raise WSUnsupportedDataError(msg) from error


def _check_utf8(payload: bytes) -> None:
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        msg = (
            f"text=True needs UTF-8, but decoding fails at byte {error.start} of "
            f"{len(payload)}"
        )
        raise WSUnsupportedDataError(msg) from error


def _to_bytes(data: Any) -> bytes:
    """Convert an object of the platform, or a sequence of integers."""
    # The platform is asked first: it copies a JavaScript typed array as one block of
    # bytes, where reading it as a sequence would take a call for every number.
    for convert in _converters:
        if (payload := convert(data)) is not None:
            return cast("bytes", payload)
    if isinstance(data, Sequence):
        try:
            return bytes(cast("Sequence[int]", data))
        except (TypeError, ValueError) as error:
            msg = "a sequence to be sent must hold integers from 0 to 255"
            raise WSUnsupportedDataError(f"{msg}: {error}") from error
    msg = (
        f"{type(data).__name__} cannot be sent: use str, bytes, bytearray, memoryview "
        "or a sequence of integers (json.dumps() makes JSON; an interceptor can do it "
        "for every message)"
    )
    raise WSUnsupportedDataError(msg)
