"""Reads the data of `message` events; long text by way of its UTF-8 bytes.

Pyodide converts a JavaScript string to Python character by character. For 64 KiB, that
takes four times as long as encoding the string, copying the bytes and decoding them. So
a string that may be long must not become a string of Python before it is encoded. The
event itself is given to the encoder, which converts it to a string (ECMA-262,
ToString) by a method that returns the `data` of the event.

This also pays for short text if many messages have been collected: they are joined, and
copied all at once.

Sources: the Encoding standard; ECMA-262 section 7.1.17 (ToString); HTML (MessageEvent).
"""

from collections.abc import Iterable
from typing import Final, cast

from ws_common.vocabulary.messages import Data, size_of
from ws_js.browser_types import JsGlobal, JsMessageEvent, JsTextEncoder
from ws_js.javascript_types import JsArray, JsBuffer, JsBytes, JsFunction
from ws_js.pyodide_errors import JsException

LONG_TEXT: Final = 1024
"""The bytes above which text is read by way of its bytes."""
# Both ways cost the same at about 600 bytes.

_SCRATCH_SIZE: Final = 2**14
"""The bytes of the buffer that text is encoded into.

Text that does not fit gets a buffer of its own, which costs twice as much.
"""

_JOINED_SIZE: Final = 2**17
"""The bytes of the buffer for joined texts, which the first flood creates."""

_MAX_CHARACTER_SIZE: Final = 4
"""The most bytes that UTF-8 needs for one character (RFC 3629 section 3)."""

_SEPARATOR: Final = "\0"
"""What joined texts are separated by.

If a text contains it, there are more parts than messages, and all are read one by one.
"""

_OBJECT_PREFIX: Final = "[object "
"""How the string begins that JavaScript makes of a binary message."""

_NOT_TEXT: Final = -1
"""Stands for the size of a text where the last message was binary."""

_UNDEFINED_SIZE: Final = len("undefined")
"""The size of "undefined", which the encoder makes of an event without text."""
# `toString` returns the buffer then, which is no primitive value, so that ToString asks
# `valueOf`, which returns undefined.


class MessageReader:
    """Copies the messages of one connection into the memory of Python.

    The kind and size of the last message decide how the next one is read. If that guess
    is wrong, the message is read all the same, but not as fast as it could be.

    Args:
        js: `globalThis`.
        limit: The maximum of bytes of a message; None: no maximum.
    """

    __slots__ = ("_encoder", "_encoder_tried", "_js", "_limit", "_text_size")

    def __init__(self, js: JsGlobal, limit: int | None) -> None:
        self._js = js
        self._limit = float("inf") if limit is None else limit
        self._text_size = _NOT_TEXT  # of the last message
        self._encoder: _Encoder | None = None
        self._encoder_tried = False

    def read(self, event: JsMessageEvent) -> tuple[Data | None, int]:
        """Return the message (None: it is above the limit), and its size in bytes."""
        if self._text_size >= LONG_TEXT and self._encoder is not None:
            encoded, size = self._encoder.encode(event)
            if size != _UNDEFINED_SIZE:
                self._text_size = size
                if size > self._limit:
                    return None, size
                return str(encoded.to_bytes()[:size], "utf-8"), size
        # Asking for `data` converts it, which is what long text has to avoid.
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
        """Read several messages, each of them as it is taken from the iterator."""
        size = self._text_size
        room = min(_JOINED_SIZE - _MAX_CHARACTER_SIZE, self._limit)
        if size != _NOT_TEXT and (size + 1) * events.length <= room:
            texts = self._read_joined(events, room)
            if texts is not None:
                return [(text, size_of(text)) for text in texts]
        return map(self.read, events)

    def _read_joined(self, events: JsArray, room: float) -> list[str] | None:
        """Read short texts all at once; None: some of them may be no such texts."""
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
    """Encodes the text of events as UTF-8.

    Args:
        js: `globalThis`.
        getter: The getter of the attribute `data` of events.
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
        """Return a buffer, and the number of its bytes that are the text."""
        event.toString, event.valueOf = self._getter, self._no_op
        size = self._text_encoder.encodeInto(event, self._scratch).written
        # encodeInto() writes whole characters only. With room for one more character
        # left, the text was certainly complete.
        if size <= _SCRATCH_SIZE - _MAX_CHARACTER_SIZE:
            return self._scratch, size
        whole = self._text_encoder.encode(event)
        return whole, whole.byteLength

    def join(self, events: JsArray, room: float) -> str | None:
        """Return the joined texts of all events; None: they exceed `room` bytes."""
        texts = events.map(self._data_of)
        texts.toString = texts.join.bind(texts, _SEPARATOR)
        if self._joined is None:
            self._joined = cast("JsBytes", self._js.Uint8Array.new(_JOINED_SIZE))
        size = self._text_encoder.encodeInto(texts, self._joined).written
        if size > room:
            return None
        return str(self._joined.subarray(0, size).to_bytes(), "utf-8")


def _make_encoder(js: JsGlobal, event: JsMessageEvent) -> _Encoder | None:
    """Make an encoder for events of this class; None: there can be none."""
    # The getter is looked up in the class of the event, and not in `MessageEvent`,
    # because npm's `ws` has an event class of its own.
    kind = js.Object.getPrototypeOf(event)
    described = js.Object.getOwnPropertyDescriptor(kind, "data")
    getter = getattr(described, "get", None)
    if getter is None:
        return None
    encoder = _Encoder(js, getter)
    try:
        encoder.encode(event)
    except JsException:
        # The `encodeInto` of Node.js accepts strings only.
        return None
    return encoder
