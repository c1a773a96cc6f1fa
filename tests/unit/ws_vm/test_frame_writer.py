"""The frames that we make ourselves are what the library reads."""

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol

from ws_vm.frame_scanner import BINARY, TEXT
from ws_vm.frame_writer import build_frame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 300_000])
@pytest.mark.parametrize(("first", "opcode"), [(TEXT, "TEXT"), (BINARY, "BINARY")])
def test_the_library_reads_it(first, opcode, size):
    """Of each length class, masked, and whole."""
    payload = bytes(range(256)) * (size // 256) + bytes(size % 256)
    server = Protocol(SERVER, max_size=None)
    server.receive_data(b"".join(build_frame(first, payload)))
    (frame,) = server.events_received()
    assert isinstance(frame, Frame)
    assert (frame.opcode, frame.fin, bytes(frame.data)) == (
        Opcode[opcode],
        True,
        payload,
    )
    assert server.parser_exc is None


def test_each_mask_is_another():
    """No one who chooses the payload chooses what is on the wire."""
    sent = {b"".join(build_frame(TEXT, b"the same")) for _ in range(100)}
    assert len(sent) == 100
