"""End markers, as readers meet them."""

import pytest

from ws_common.receive.end_marker import End, Ended


def test_a_quiet_end_is_the_default():
    """A marker without arguments ends an iteration, which may go on later."""
    assert (None, None, "", False) == End()


def test_ended_carries_its_marker():
    """Whoever catches it learns which end was reached."""
    end = End(close_code=1001, close_reason="bye", final=True)
    with pytest.raises(Ended) as caught:
        raise Ended(end)
    assert end is caught.value.end
