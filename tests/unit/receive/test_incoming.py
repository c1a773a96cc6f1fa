"""The stages that the messages of one connection go through."""

import pytest

from tests.support.pipelines import ObservedPipeline
from ws_common.receive.end_marker import End, Ended
from ws_common.vocabulary.errors import WSNotConnectedError


async def test_messages_are_held_until_the_connection_is_open():
    """Then subscribers get them, before what comes later."""
    observed = ObservedPipeline(capacity=9)
    buffer = observed.pipeline.messages.attach()
    incoming = observed.connect(is_open=False)
    incoming.push(["a"], 1)
    assert [] == list(buffer.items)
    incoming.opened()
    incoming.push(["b"], 1)
    assert ["a", "b"] == buffer.drain()
    with pytest.raises(Ended) as caught:
        await incoming.held.get()
    assert isinstance(caught.value.end.error, WSNotConnectedError)


def test_discarded_messages_are_counted_and_reported():
    """Those that were held, and those that come afterwards."""
    observed = ObservedPipeline()
    incoming = observed.connect(is_open=False)
    incoming.push(["a", "b"], 2)
    incoming.discard()
    incoming.push(["c"], 1)
    assert 3 == sum(observed.discarded)
    assert [("messages_discarded", {"count": 2})] == observed.events
    incoming.ended(End())
    assert ("messages_discarded", {"count": 1}) == observed.events[-1]


def test_a_discarded_connection_does_not_open():
    """Its opening may have waited behind messages."""
    observed = ObservedPipeline()
    incoming = observed.connect(is_open=False)
    incoming.discard()
    incoming.opened()
    assert "discarded" == incoming.stage


async def test_full_places_pause():
    """What is held before the opening pauses, and so do full subscribers after it."""
    observed = ObservedPipeline(capacity=1)
    buffer = observed.pipeline.messages.attach()
    incoming = observed.connect(is_open=False)
    incoming.push(["a", "b"], 2)
    assert incoming.should_pause
    incoming.opened()
    assert incoming.should_pause
    observed.pipeline.messages.detach(buffer)
    assert not incoming.should_pause
    observed.pipeline.stop()
