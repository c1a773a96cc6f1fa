"""The benchmark's server reads and writes frames as `websockets` does."""

import pytest
from websockets.frames import Frame, Opcode

from tests.bench.frames import encode, take_frame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_frames_of_a_client(size):
    """Frames of a client are read once they are complete."""
    payload = (bytes(range(256)) * 257)[:size]
    whole = Frame(Opcode.BINARY, payload).serialize(mask=True)

    for cut in (0, 1, 2, 5, len(whole) // 2, len(whole) - 1):
        assert take_frame(bytearray(whole[:cut])) is None
    data = bytearray(whole + b"next")
    assert (Opcode.BINARY, payload) == take_frame(data)
    assert b"next" == data


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frames_of_the_server(size):
    """Frames of the server are the same as the library's."""
    payload = b"x" * size

    assert Frame(Opcode.TEXT, payload).serialize(mask=False) == encode(0x1, payload)
