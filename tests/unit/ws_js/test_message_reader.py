"""How long text gets into the memory of Python, in a fake JavaScript."""

import pytest
from pyodide.ffi import JsException

from tests.unit.fake_js import Buffer
from ws_js import PLATFORM
from ws_js.message_reader import LONG_TEXT


async def test_long_text_goes_by_way_of_its_bytes(open_one):
    """Long text is encoded from the second message on; others are read as usual."""
    _, socket, sink = await open_one()
    long, wide = "x" * LONG_TEXT, "é" * LONG_TEXT
    played = [
        socket.play_message(data)
        for data in (long, wide, "undefined", long, "", wide, Buffer(bytes(9)), long)
    ]
    assert [event.touched for event in played] == [1, 0, 1, 1, 0, 1, 1, 1]
    assert sink.messages == [long, wide, "undefined", long, "", wide, bytes(9), long]
    size = LONG_TEXT
    assert sink.sizes == [size, 2 * size, 9, size, 0, 2 * size, 9, size]


@pytest.mark.parametrize("over", range(-6, 7))
async def test_long_text_around_the_size_of_the_buffer(open_one, over):
    """No byte is missing, wherever the buffer ends within the last character."""
    _, socket, sink = await open_one()
    texts = [
        "x" * (2**14 + over),
        "é" * (2**13 + over),
        "😀" * (2**12 + over),
        "x😀" * LONG_TEXT,
    ]
    for text in ["x" * LONG_TEXT, *texts]:
        socket.play_message(text)
    assert sink.messages == ["x" * LONG_TEXT, *texts]


async def test_bytes_after_long_text(open_one):
    """Bytes arrive although text was expected."""
    _, socket, sink = await open_one()
    sent = ["x" * LONG_TEXT, Buffer(b"\x00"), "x" * LONG_TEXT, "y" * LONG_TEXT]
    played = [socket.play_message(data) for data in sent]
    assert [event.touched for event in played] == [1, 1, 1, 0]
    assert sink.messages == ["x" * LONG_TEXT, b"\x00", "x" * LONG_TEXT, "y" * LONG_TEXT]


async def test_long_text_where_data_has_no_getter(js, open_one):
    """Events without such a getter are read as usual."""
    js.data_descriptor = None
    _, socket, sink = await open_one()
    played = [socket.play_message("x" * LONG_TEXT) for _ in range(3)]
    assert [event.touched for event in played] == [1, 1, 1]
    assert sink.messages == ["x" * LONG_TEXT] * 3


async def test_long_text_where_only_strings_are_encoded(js, open_one):
    """In Node.js, every text is read as usual."""

    class Strict:
        def encodeInto(self, thing: object, _buffer: object) -> None:  # noqa: N802 - JavaScript's
            raise JsException("TypeError", f"{thing} is no string")

    js.TextEncoder.new = Strict
    _, socket, sink = await open_one()
    played = [socket.play_message("x" * LONG_TEXT) for _ in range(3)]
    assert [event.touched for event in played] == [1, 1, 1]
    assert sink.messages == ["x" * LONG_TEXT] * 3


async def test_long_text_that_is_too_big_is_never_copied(open_one):
    """Its size is known before it is copied into the memory of Python."""
    _, socket, sink = await open_one(max_size=LONG_TEXT)
    socket.play_message("x" * LONG_TEXT)
    event = socket.play_message("é" * LONG_TEXT)
    assert event.touched == 0
    assert sink.messages == ["x" * LONG_TEXT]
    assert socket.closes[0][0] == PLATFORM.too_big_code
