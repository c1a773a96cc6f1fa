"""What the sender writes to the socket, and when it refuses to send."""

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol

from tests.support.fake_tcp import FakeTcp, opened, receive
from tests.support.recording_sink import Recording
from ws_common.vocabulary.errors import WSConnectionClosedError, WSInvalidCloseError


def frames_written(tcp: FakeTcp) -> list[tuple[Opcode, bytes]]:
    """The frames that a server would read."""
    server = Protocol(SERVER, max_size=None)
    server.receive_data(tcp.written)
    assert server.parser_exc is None
    return [
        (event.opcode, bytes(event.data))
        for event in server.events_received()
        if isinstance(event, Frame)
    ]


@pytest.mark.parametrize("size", [5, 300, 200_000])
async def test_messages_are_written_whole(size):
    """A message is one frame, whether it takes one write or two."""
    transport, tcp = opened(Recording())
    transport.send("x" * size, text=True)
    transport.send(bytes(size), text=False)
    assert frames_written(tcp) == [
        (Opcode.TEXT, b"x" * size),
        (Opcode.BINARY, bytes(size)),
    ]
    transport.abort()


async def test_lower_transports_count():
    """`buffered_amount` adds the buffers of all layers."""

    class Full(FakeTcp):
        def get_write_buffer_size(self) -> int:
            return 1000

    transport, _ = opened(Recording())
    assert transport.buffered_amount == 0
    transport.set_lower_transports(Full(), Full())
    assert transport.buffered_amount == 2000
    transport.abort()


async def test_nothing_is_sent_after_a_close():
    """Messages and Pings raise, and a second Close is not written."""
    transport, tcp = opened(Recording())
    transport.close(4000, "bye")
    transport.close(4001, "again")
    assert frames_written(tcp) == [(Opcode.CLOSE, b"\x0f\xa0bye")]
    with pytest.raises(WSConnectionClosedError):
        transport.send("late", text=True)
    with pytest.raises(WSConnectionClosedError):
        transport.ping()
    transport.abort()


async def test_error_names_the_close_of_the_peer():
    """Sending after the peer's Close raises with its code and reason."""
    transport, _ = opened(Recording())
    receive(transport, b"\x88\x05\x0f\xa1bye")
    with pytest.raises(WSConnectionClosedError) as caught:
        transport.send("late", text=True)
    error = caught.value
    assert (error.close_code, error.close_reason) == (4001, "bye")
    transport.abort()


@pytest.mark.parametrize(("code", "reason"), [(1005, ""), (4000, "x" * 124)])
async def test_an_invalid_close_is_not_sent(code, reason):
    """A code or a reason that the protocol forbids raises; the connection stays."""
    transport, tcp = opened(Recording())
    with pytest.raises(WSInvalidCloseError):
        transport.close(code, reason)
    assert tcp.written == b""
    transport.send("still open", text=True)
    transport.abort()
