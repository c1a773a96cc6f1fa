"""Reads what a `message` event brought; long text by way of its bytes.

Python gets hold of a JavaScript string only as a copy made character by character:
for 64 KiB, four times the price of encoding, copying the bytes and decoding them. So
a string that may be long must not be touched before it is encoded. The event itself
is given to the encoder, which asks it for a string (ECMA-262, ToString), and it
answers with its `data`.

Short text pays as well where it comes in numbers: many messages are joined, and make
one copy.

Sources: the Encoding standard, ECMA-262 7.1.17 (ToString), HTML (MessageEvent).
"""

from collections.abc import Iterable
from typing import Final, cast

from ws_common.vocabulary.messages import Data, size_of
from ws_js.browser_types import JsGlobal, JsMessageEvent, JsTextEncoder
from ws_js.javascript_types import JsArray, JsBuffer, JsBytes, JsFunction
from ws_js.pyodide_errors import JsException

LONG_TEXT: Final = 1024
"""Bytes from which on it pays: at about 600 both ways cost the same."""

_SCRATCH_SIZE: Final = 2**14
"""Bytes of the buffer that text is encoded into. What does not fit gets one of its own,
at twice the price.
"""

_JOINED_SIZE: Final = 2**17
"""Bytes of the one for joined texts; it is made with the first flood."""

_MAX_CHARACTER_SIZE: Final = 4
"""With less room left than this, the last character may not have fitted."""

_SEPARATOR: Final = "\0"
"""Between joined texts. One that has it in itself is found out by their number."""

_OBJECT_PREFIX: Final = "[object "
"""What JavaScript makes of a binary message among texts, at its beginning."""

_NOT_TEXT: Final = -1
"""The size of what is no text."""

_UNDEFINED_SIZE: Final = len("undefined")
"""What the encoder makes of an event without text, as its `valueOf` says nothing."""


class MessageReader:
    """Takes the messages of one connection into Python's memory.

    The last message tells how to read the next: a guess, but only its price depends
    on it.

    Args:
        js: `globalThis`.
        limit: No message of more bytes is taken; None: any is.
    """

    __slots__ = ("_encoder", "_encoder_tried", "_js", "_limit", "_text_size")

    def __init__(self, js: JsGlobal, limit: int | None) -> None:
        self._js = js
        self._limit = float("inf") if limit is None else limit
        self._text_size = _NOT_TEXT  # of the last message
        self._encoder: _Encoder | None = None
        self._encoder_tried = False

    def read(self, event: JsMessageEvent) -> tuple[Data | None, int]:
        """Return the message, or None if it is above the limit, and its bytes."""
        if self._text_size >= LONG_TEXT and self._encoder is not None:
            encoded, size = self._encoder.encode(event)
            if size != _UNDEFINED_SIZE:
                self._text_size = size
                if size > self._limit:
                    return None, size
                return str(encoded.to_bytes()[:size], "utf-8"), size
        data = event.data
        if isinstance(data, str):
            size = size_of(data)
            self._text_size = size
            if size >= LONG_TEXT and not self._encoder_tried:
                self._try_encoder(event)
            return (None if size > self._limit else data), size
        self._text_size = _NOT_TEXT
        size = data.byteLength
        return (None if size > self._limit else data.to_bytes()), size

    def read_all(self, events: JsArray) -> Iterable[tuple[Data | None, int]]:
        """Read several; what is not taken out of the iterator is not read."""
        size = self._text_size
        room = min(_JOINED_SIZE - _MAX_CHARACTER_SIZE, self._limit)
        if size != _NOT_TEXT and (size + 1) * events.length <= room:
            texts = self._read_joined(events, room)
            if texts is not None:
                return [(text, size_of(text)) for text in texts]
        return map(self.read, events)

    def _read_joined(self, events: JsArray, room: float) -> list[str] | None:
        """Read short texts in one piece; None: it is not sure that they are that."""
        if not self._encoder_tried:
            self._try_encoder(next(iter(events)))
        joined = self._encoder.join(events, room) if self._encoder is not None else None
        if joined is None or _OBJECT_PREFIX in joined:
            return None
        texts = joined.split(_SEPARATOR)
        return texts if len(texts) == events.length else None

    def _try_encoder(self, event: JsMessageEvent) -> None:
        self._encoder_tried = True
        self._encoder = _make_encoder(self._js, event)


class _Encoder:
    """Makes UTF-8 of the text of events.

    Args:
        js: `globalThis`.
        getter: Of an event's `data`.
    """

    __slots__ = (
        "_data_of",
        "_getter",
        "_joined",
        "_js",
        "_no_op",
        "_scratch",
        "_text_encoder",
    )

    def __init__(self, js: JsGlobal, getter: JsFunction) -> None:
        self._js = js
        self._getter = getter
        self._joined: JsBytes | None = None
        self._data_of = getter.call.bind(getter)
        self._no_op = js.Function.prototype
        self._text_encoder = cast("JsTextEncoder", js.TextEncoder.new())
        self._scratch = cast("JsBuffer", js.Uint8Array.new(_SCRATCH_SIZE))

    def encode(self, event: JsMessageEvent) -> tuple[JsBuffer, int]:
        """Return a buffer, and how many of its bytes are the text."""
        event.toString, event.valueOf = self._getter, self._no_op
        size = self._text_encoder.encodeInto(event, self._scratch).written
        if size <= _SCRATCH_SIZE - _MAX_CHARACTER_SIZE:
            return self._scratch, size
        whole = self._text_encoder.encode(event)
        return whole, whole.byteLength

    def join(self, events: JsArray, room: float) -> str | None:
        """Return the texts of all events, joined; None: they have more bytes."""
        texts = events.map(self._data_of)
        texts.toString = texts.join.bind(texts, _SEPARATOR)
        if self._joined is None:
            self._joined = cast("JsBytes", self._js.Uint8Array.new(_JOINED_SIZE))
        size = self._text_encoder.encodeInto(texts, self._joined).written
        if size > room:
            return None
        return str(self._joined.subarray(0, size).to_bytes(), "utf-8")


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
