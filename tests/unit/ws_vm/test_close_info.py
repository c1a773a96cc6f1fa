"""How an end is reported, by what the library's protocol has seen."""

import pytest
from websockets.client import ClientProtocol

from tests.support.fake_tcp import client_protocol, response_to
from ws_vm.close_info import close_info_of, closed_error, fail_connection

CLOSE = b"\x88\x05\x0f\xa1bye"


@pytest.fixture
def library() -> ClientProtocol:
    """A protocol whose connection is open."""
    protocol = client_protocol(None, deflate=False)
    protocol.receive_data(response_to(protocol))
    protocol.events_received()
    return protocol


def test_closed_by_the_peer(library):
    """The code and the reason are the peer's."""
    library.receive_data(CLOSE)
    close = close_info_of(library)
    assert (close.code, close.reason) == (4001, "bye")
    assert (close.was_clean, close.initiator) == (True, "peer")


def test_closed_by_us(library):
    """The peer's answer completes our closing handshake."""
    library.send_close(4001, "bye")
    library.receive_data(CLOSE)
    close = close_info_of(library)
    assert (close.was_clean, close.initiator) == (True, "local")


def test_lost(library):
    """Without a Close it is 1006, with the error of the network."""
    error = ConnectionResetError()
    close = close_info_of(library, error)
    assert (close.code, close.was_clean) == (1006, False)
    assert (close.initiator, close.error) == ("network", error)


def test_lost_after_our_close(library):
    """The end was asked for, though the peer has not answered."""
    library.send_close(1000)
    assert close_info_of(library).initiator == "local"


def test_invalid_text_fails_the_connection(library):
    """A Close with 1007 is sent, and the position of the invalid byte is reported."""
    with pytest.raises(UnicodeDecodeError) as caught:
        b"ab\xff".decode()
    close = fail_connection(library, caught.value, was_open=True)
    assert close is not None
    assert (close.code, close.initiator) == (1007, "local")
    assert "position 2" in close.reason
    assert library.close_sent is not None
    assert library.close_sent.code == 1007


def test_a_fault_after_our_close_is_not_the_cause(library):
    """The Close that was sent before stays the reason of the end."""
    library.send_close(1000)
    library.receive_data(b"\x83\x00")
    error = library.parser_exc
    assert error is not None
    assert fail_connection(library, error, was_open=False) is None


def test_error_to_raise(library):
    """It has the code and the reason of the end."""
    library.receive_data(CLOSE)
    error = closed_error(close_info_of(library))
    assert (error.close_code, error.close_reason, error.was_clean) == (
        4001,
        "bye",
        True,
    )
