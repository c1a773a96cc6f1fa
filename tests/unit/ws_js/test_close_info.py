"""The description of an end, of which a browser reveals little."""

import pytest

from ws_js.close_info import TOO_BIG, LocalRequest, close_info, too_big_failure


@pytest.mark.parametrize(
    ("code", "local_request", "initiator"),
    [
        (1000, LocalRequest.NOTHING, "peer"),
        (1005, LocalRequest.NOTHING, "peer"),
        (1006, LocalRequest.NOTHING, "network"),
        (1000, LocalRequest.CLOSE, "local"),
        (1006, LocalRequest.CLOSE, "local"),
    ],
)
def test_initiator(code, local_request, initiator):
    """It is us if we have requested it, or the peer if it has sent a Close frame."""
    close = close_info(
        code, "why", was_clean=True, local_request=local_request, failure=None
    )
    assert (code, "why", True) == (close.code, close.reason, close.was_clean)
    assert initiator == close.initiator


def test_our_own_reason_is_kept():
    """The browser reports 1006 if the peer just drops TCP after our Close frame."""
    failure = too_big_failure(11, 10)
    close = close_info(
        1006, "", was_clean=False, local_request=LocalRequest.CLOSE, failure=failure
    )
    assert (TOO_BIG, "local") == (close.code, close.initiator)
    assert "11 bytes" in close.reason
    assert "max_size is 10" in str(close.error)
