"""Reads what a `message` event brought; long text by way of its bytes.

Python gets hold of a JavaScript string only as a copy made character by character:
for 64 KiB, four times the price of encoding, copying the bytes and decoding them. So
a string that may be long must not be touched before it is encoded. The event itself
is given to the encoder, which asks it for a string (ECMA-262, ToString), and it
answers with its `data`.

Sources: the Encoding standard, ECMA-262 7.1.17 (ToString), HTML (MessageEvent).
"""

from typing import Final, cast

from ws_common.messages import Data, size_of
from ws_js.border import JsException
from ws_js.javascript import JsBuffer, JsGlobal, JsMessageEvent, JsTextEncoder

LONG: Final = 1024
"""Bytes from which on it pays: at about 600 both ways cost the same."""

_SCRATCH: Final = 2**14
"""Bytes of the buffer that text is encoded into. What does not fit gets one of its own,
at twice the price.
"""

_ROOM: Final = 4
"""With less of it left, the last character may not have fitted."""

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

    __slots__ = ("_encoder", "_is_long", "_js", "_limit")

    def __init__(self, js: JsGlobal, limit: int | None) -> None:
        self._js = js
        self._limit = float("inf") if limit is None else limit
        self._is_long = False
        self._encoder: _Encoder | None = None

    def read(self, event: JsMessageEvent) -> tuple[Data | None, int]:
        """Return the message, or None if it is above the limit, and its bytes."""
        if self._is_long and self._encoder is not None:
            encoded, size = self._encoder.encode(event)
            if size != _NO_TEXT:
                self._is_long = size >= LONG
                if size > self._limit:
                    return None, size
                return str(encoded.to_bytes()[:size], "utf-8"), size
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
            self._encoder = self._encoder or _make_encoder(self._js, event)


class _Encoder:
    """Makes UTF-8 of the text of events.

    Args:
        js: `globalThis`.
        getter: Of an event's `data`.
    """

    __slots__ = ("_getter", "_nothing", "_scratch", "_text_encoder")

    def __init__(self, js: JsGlobal, getter: object) -> None:
        self._getter = getter
        self._nothing = js.Function.prototype
        self._text_encoder = cast("JsTextEncoder", js.TextEncoder.new())
        self._scratch = cast("JsBuffer", js.Uint8Array.new(_SCRATCH))

    def encode(self, event: JsMessageEvent) -> tuple[JsBuffer, int]:
        """Return a buffer, and how many of its bytes are the text."""
        event.toString, event.valueOf = self._getter, self._nothing
        size = self._text_encoder.encodeInto(event, self._scratch).written
        if size <= _SCRATCH - _ROOM:
            return self._scratch, size
        whole = self._text_encoder.encode(event)
        return whole, whole.byteLength


def _make_encoder(js: JsGlobal, event: JsMessageEvent) -> _Encoder | None:
    """Make one for events like this one; None: it cannot be done.

    The getter is the one of this kind of event: npm's `ws` has a kind of its own.
    """
    kind = js.Object.getPrototypeOf(event)
    described = js.Object.getOwnPropertyDescriptor(kind, "data")
    getter = getattr(described, "get", None)
    if getter is None:
        return None
    encoder = _Encoder(js, getter)
    try:
        encoder.encode(event)
    except JsException:  # Node.js: its `encodeInto` wants a string, and nothing else
        return None
    return encoder
