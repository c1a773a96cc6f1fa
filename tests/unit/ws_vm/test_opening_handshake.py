"""Where the response to the opening handshake ends, however it is cut."""

import pytest
from websockets.exceptions import InvalidHandshake, InvalidStatus

from tests.support.fake_tcp import client_protocol, response_to
from ws_vm.opening_handshake import MAX_OVERLAP, OpeningHandshake, build_handshake

FRAME = b"\x81\x02hi"


def begin() -> tuple[OpeningHandshake, bytes]:
    """A handshake whose request was sent, and the response that accepts it."""
    library = client_protocol(None, deflate=False)
    handshake = OpeningHandshake(library, library.connect())
    handshake.send_request()
    return handshake, response_to(library)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 1000])
async def test_frames_behind_the_response(size):
    """The end of the response is found, whatever a read contains."""
    handshake, response = begin()
    stream, at, tail = response + FRAME, 0, b""
    while not handshake.poll_result():
        data = tail + stream[at : at + size]
        at += size
        end = handshake.receive(data, len(tail))
        tail = data[-MAX_OVERLAP:]
    await handshake.wait()
    assert data[end:] == stream[len(response) : at]
    facts = build_handshake(handshake.response, ("127.0.0.1", 80))
    assert (facts.status, facts.peer) == (101, ("127.0.0.1", 80))
    assert facts.headers["upgrade"] == "websocket"


@pytest.mark.parametrize("version", [b"HTTP/1.0", b"HTTP/1.1"])
async def test_refusal(version):
    """The status is kept, with the body of the response, by an old server too."""
    handshake, _ = begin()
    handshake.receive(version + b" 401 No\r\nContent-Length: 2\r\n\r\nno", 0)
    assert handshake.poll_result()
    with pytest.raises(InvalidStatus) as caught:
        await handshake.wait()
    assert caught.value.response.status_code == 401
    assert caught.value.response.body == b"no"


async def test_http_1_0_cannot_accept():
    """A 101 in HTTP/1.0 is not a valid response."""
    handshake, response = begin()
    handshake.receive(response.replace(b"HTTP/1.1", b"HTTP/1.0"), 0)
    assert handshake.poll_result()
    with pytest.raises(InvalidHandshake):
        await handshake.wait()
