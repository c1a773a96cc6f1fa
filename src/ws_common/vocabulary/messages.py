"""What travels: text and bytes, and what may be handed over to be sent."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from ws_common.vocabulary.errors import WSUnsupportedDataError

Data = str | bytes
Sendable = str | bytes | bytearray | memoryview | Sequence[int]

_converters: list[Callable[[Any], Data | None]] = []


def set_converter(convert: Callable[[Any], Data | None]) -> None:
    """Have the platform's own kinds of data converted; see `Platform.to_data`."""
    _converters[:] = [convert]


def to_wire(data: Any, *, text: bool | None = None) -> tuple[Data, bool]:
    """Turn something sendable into what a transport takes, or raise.

    What is mutable is copied, so that a later change does not reach the wire. Text is
    encoded here, once, unless it is ASCII: so the size of the payload is its length,
    and encoding it again costs a transport no more than a copy.

    Args:
        data: `str`, bytes-like, a sequence of integers from 0 to 255, or what the
            platform can convert.
        text: True sends UTF-8 bytes as a text frame; False sends text as a
            binary frame; None lets the type decide.

    Returns:
        The payload, bytes or ASCII text, and whether it goes as a text frame.

    Raises:
        WSUnsupportedDataError: It cannot be sent. The connection stays.
    """
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
    if text and not payload.isascii():
        _check_utf8(payload)
    return payload, bool(text)


def size_of(data: Data) -> int:
    """Payload bytes; text counts as UTF-8."""
    if isinstance(data, str) and not data.isascii():
        return len(data.encode())
    return len(data)


def payload_size(item: object) -> int:
    """Payload bytes of a message; 0 for an object that an interceptor has made."""
    return size_of(item) if isinstance(item, str | bytes) else 0


def _encode(data: str) -> bytes:
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
        msg = f"text=True needs UTF-8: byte {error.start} of {len(payload)} is not"
        raise WSUnsupportedDataError(msg) from error


def _to_bytes(data: Any) -> bytes:
    """Convert what the platform knows, or a sequence of integers."""
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
