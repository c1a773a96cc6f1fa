"""The receive pipeline as a whole."""

from tests.support.pipelines import ObservedPipeline
from ws_common.options.interceptors import WSInterceptor


def test_messages_pass_the_last_interceptor_first():
    """The last interceptor is next to the wire."""

    def tag(letter: str) -> WSInterceptor:
        return WSInterceptor.handlers(on_message=lambda data, go: go(data + letter))

    observed = ObservedPipeline(tag("a"), tag("b"))
    buffer = observed.pipeline.messages.attach()
    observed.connect().push(["message "], 8)
    assert ["message ba"] == buffer.drain()


def test_connections_share_one_sequence():
    """Subscribers read messages of all connections, in the order of arrival."""
    observed = ObservedPipeline(capacity=9)
    buffer = observed.pipeline.messages.attach()
    first, second = observed.connect(1), observed.connect(2)
    first.push(["a"], 1)
    second.push(["b"], 1)
    first.push(["c"], 1)
    assert ["a", "b", "c"] == buffer.drain()


async def test_watermarks_are_reported():
    """Both that a subscriber is full, and that it is no longer."""
    observed = ObservedPipeline(capacity=1)
    buffer = observed.pipeline.messages.attach()
    observed.connect().push(["a", "b"], 2)
    assert 1 == observed.watermarks
    observed.pipeline.messages.detach(buffer)
    assert 2 == observed.watermarks
    observed.pipeline.stop()


def test_a_pipeline_without_interceptors_has_no_queue_of_its_own():
    """An empty deque takes 760 bytes, and most clients have no interceptors."""
    one, other = ObservedPipeline().pipeline, ObservedPipeline().pipeline
    assert one.queue._queue is other.queue._queue
