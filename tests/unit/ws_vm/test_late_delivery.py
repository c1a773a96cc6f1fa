"""Delivery after the peer has closed: how much of it, and what the end reports."""

import logging

from tests.support.recording_sink import Recording
from ws_common.vocabulary.transport import CloseInfo
from ws_vm.late_delivery import MAX_LATE, LateDelivery

CLOSE = CloseInfo(code=1000, was_clean=True, initiator="peer")


def test_everything_fits():
    """Below the limit all is delivered, and the end is reported unchanged."""
    sink = Recording()
    late = LateDelivery(sink)
    late.on_messages([bytes(MAX_LATE - 2), b"b"], MAX_LATE - 1)
    late.on_messages([b"c"], 1)
    late.on_closing(CLOSE)
    assert sink.messages == [bytes(MAX_LATE - 2), b"b", b"c"]
    assert sink.closings == [CLOSE]


def test_nothing_follows_a_dropped_batch(caplog):
    """A later batch that would fit is dropped as well: a sequence has no gaps."""
    sink = Recording()
    late = LateDelivery(sink)
    late.on_messages([b"a"], 1)
    late.on_messages([b"b", b"c"], MAX_LATE)
    late.on_messages([b"d"], 1)
    with caplog.at_level(logging.WARNING, "ws.vm"):
        late.on_closing(CLOSE)
        late.on_closed(CLOSE)
    assert sink.messages == [b"a"]
    error = sink.closings[0].error
    assert isinstance(error, OverflowError)
    assert f"{MAX_LATE + 1} bytes in 3 messages" in str(error)
    assert sink.closed[0].error is error
    assert len(caplog.records) == 1


def test_error_of_the_network_is_the_cause():
    """A reset is not hidden by the report of what was dropped."""
    sink, reset = Recording(), ConnectionResetError()
    late = LateDelivery(sink)
    late.on_messages([b"a"], MAX_LATE + 1)
    late.on_closed(CloseInfo(code=1006, initiator="network", error=reset))
    error = sink.closed[0].error
    assert error is not None
    assert error.__cause__ is reset
