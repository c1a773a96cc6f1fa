"""Reads what a `message` event brought; long text by way of its bytes.

Python gets hold of a JavaScript string only as a copy made character by character:
for 64 KiB, five times the price of encoding, copying the bytes and decoding them. So
a string that may be long must not be touched before it is encoded. The event itself
is given to the encoder, which asks it for a string (ECMA-262, ToString), and it
answers with its `data`.

Sources: the Encoding standard, ECMA-262 7.1.17 (ToString), HTML (MessageEvent).
"""

from collections.abc import Callable
from typing import Final, cast

from ws_common.messages import Data, size_of
from ws_js.javascript import JsBuffer, JsGlobal, JsMessageEvent

LONG: Final = 2048
"""Bytes from which on it pays: at 1024 both ways cost the same."""

_NO_TEXT: Final = len("undefined")
"""What the encoder makes of an event without text, as its `valueOf` says nothing."""


class Reader:
    """Takes the messages of one connection into Python's memory.

    The last message tells how to read the next: a guess, but only its price depends
    on it.

    Args:
        js: `globalThis`.
        limit: No message of more bytes is taken; None: any is.
    """

    __slots__ = ("_encode", "_is_long", "_js", "_limit")

    def __init__(self, js: JsGlobal, limit: int | None) -> None:
        self._js = js
        self._limit = float("inf") if limit is None else limit
        self._is_long = False
        self._encode: Callable[[JsMessageEvent], JsBuffer] | None = None

    def read(self, event: JsMessageEvent) -> tuple[Data | None, int]:
        """Return the message, or None if it is above the limit, and its bytes."""
        if self._is_long and self._encode is not None:
            encoded = self._encode(event)
            size = encoded.byteLength
            if size != _NO_TEXT:
                self._is_long = size >= LONG
                if size > self._limit:
                    return None, size
                return str(encoded.to_bytes(), "utf-8"), size
        data = event.data
        if isinstance(data, str):
            size = size_of(data)
            self._guess(event, size)
            return (None if size > self._limit else data), size
        self._is_long = False
        size = data.byteLength
        return (None if size > self._limit else data.to_bytes()), size

    def _guess(self, event: JsMessageEvent, size: int) -> None:
        if size < LONG:
            self._is_long = False
        elif not self._is_long:
            self._is_long = True
            self._encode = self._encode or _encoder(self._js, event)


def _encoder(
    js: JsGlobal, event: JsMessageEvent
) -> Callable[[JsMessageEvent], JsBuffer] | None:
    """Make what encodes the text of an event like this one; None: it cannot be done.

    The getter is the one of this kind of event: npm's `ws` has a kind of its own.
    """
    kind = js.Object.getPrototypeOf(event)
    described = js.Object.getOwnPropertyDescriptor(kind, "data")
    getter = getattr(described, "get", None)
    if getter is None:
        return None
    encode, nothing = js.TextEncoder.new().encode, js.Function.prototype

    def of(event: JsMessageEvent) -> JsBuffer:
        event.toString, event.valueOf = getter, nothing
        return cast("JsBuffer", encode(event))

    return of
