"""The values of the interface to a platform, and the transport before there is one."""

import pytest

from ws_common.vocabulary.errors import WSConnectionClosedError
from ws_common.vocabulary.transport import NO_TRANSPORT, CloseInfo, Handshake


def test_a_browser_shows_nothing_of_the_handshake():
    """Without arguments a handshake is that of a browser."""
    handshake = Handshake()

    assert (None, {}, "", None) == (
        handshake.status,
        handshake.headers,
        handshake.extensions,
        handshake.peer,
    )


def test_headers_are_not_shown():
    """The repr of a handshake hides the headers, which may contain cookies."""
    assert "s3cr3t" not in repr(Handshake(headers={"set-cookie": "s3cr3t"}))


def test_a_loss_is_the_default():
    """Only the code has to be given for a connection that was lost."""
    close = CloseInfo(code=1006)

    assert ("", False, "network", None) == (
        close.reason,
        close.was_clean,
        close.initiator,
        close.error,
    )


def test_the_missing_transport_sends_nothing():
    """Sending before there is a transport raises."""
    with pytest.raises(WSConnectionClosedError):
        NO_TRANSPORT.send("text", text=True)
    with pytest.raises(WSConnectionClosedError):
        NO_TRANSPORT.ping()


def test_the_missing_transport_can_be_closed():
    """Closing, pausing and aborting do nothing and raise nothing."""
    for _ in range(2):
        NO_TRANSPORT.pause_reading()
        NO_TRANSPORT.resume_reading()
        NO_TRANSPORT.close(1000, "")
        NO_TRANSPORT.abort()

    assert (0, False) == (NO_TRANSPORT.buffered_amount, NO_TRANSPORT.can_pause)
