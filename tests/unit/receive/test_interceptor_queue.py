"""What waits for interceptors: order, watermarks, ends."""

import pytest

from tests.support.holding_interceptor import HoldingInterceptor
from tests.support.idle import until_idle
from tests.support.pipelines import ObservedPipeline
from ws_common.options.interceptors import WSInterceptor
from ws_common.vocabulary.errors import WSNotConnectedError


async def test_actions_keep_their_place():
    """An action is performed at once, or behind the messages that wait."""
    waiting, performed = HoldingInterceptor(), []
    observed = ObservedPipeline(waiting)
    buffer = observed.pipeline.messages.attach()
    queue = observed.pipeline.queue
    queue.call(performed.append, "now")
    assert ["now"] == performed
    observed.connect().push(["a"], 1)
    queue.call(lambda: performed.append(buffer.waiting))
    assert ["now"] == performed
    waiting.released.set()
    await until_idle()
    assert ["now", 1] == performed
    assert ["a"] == buffer.drain()


async def test_watermarks():
    """The queue is full above its capacity, until it is well below that."""
    waiting = HoldingInterceptor()
    observed = ObservedPipeline(waiting, capacity=2)
    observed.pipeline.messages.attach(capacity=100)
    incoming, queue = observed.connect(), observed.pipeline.queue
    incoming.push(["a", "b", "c"], 3)
    assert not queue.full
    incoming.push(["d"], 1)
    assert queue.full
    assert incoming.should_pause
    waiting.released.set()
    await until_idle()
    assert not queue.full
    assert 2 == observed.watermarks


async def test_stopping_performs_actions_and_discards_messages():
    """A caller that waits for an action would wait for ever otherwise."""
    performed = []
    observed = ObservedPipeline(HoldingInterceptor())
    observed.connect().push(["a", "b"], 2)
    observed.pipeline.call(performed.append, "action")
    observed.pipeline.stop()
    await until_idle()
    assert ["action"] == performed
    assert 1 == sum(observed.discarded), "the one that no interceptor has begun with"


async def test_removing_the_messages_of_one_connection():
    """Those of others stay where they are."""
    waiting = HoldingInterceptor()
    observed = ObservedPipeline(waiting, capacity=9)
    buffer = observed.pipeline.messages.attach()
    first, second = observed.connect(1), observed.connect(2)
    first.push(["a", "b"], 2)
    second.push(["c"], 1)
    assert 1 == observed.pipeline.queue.remove_messages_of(first)
    waiting.released.set()
    await until_idle()
    assert ["a", "c"] == buffer.drain()


async def test_an_interceptor_may_not_wait_for_itself():
    """The error says what to do instead."""
    errors = []

    class Calling(WSInterceptor):
        async def on_message(self, data, next):
            with pytest.raises(
                WSNotConnectedError, match="a task of its own"
            ) as caught:
                observed.pipeline.check_not_in_interceptor()
            errors.append(caught.value)

    observed = ObservedPipeline(Calling())
    observed.connect().push(["a"], 1)
    await until_idle()
    assert 1 == len(errors)
    observed.pipeline.check_not_in_interceptor()


async def test_a_base_exception_is_raised_behind_its_batch():
    """The other messages are delivered first."""

    class Stop(BaseException):
        pass

    def stop(data, next):
        if data == "b":
            raise Stop
        return next(data)

    observed = ObservedPipeline(WSInterceptor.handlers(on_message=stop), capacity=9)
    buffer = observed.pipeline.messages.attach()
    with pytest.raises(Stop):
        observed.connect().push(["a", "b", "c"], 3)
    assert ["a", "c"] == buffer.drain()
