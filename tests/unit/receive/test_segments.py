"""The storage of a buffer, without its limits and readers."""

from collections import deque

from ws_common.receive.end_marker import End
from ws_common.receive.segments import EMPTY_SEGMENT, Segment, SegmentedQueue


def queue_of(*segments: Segment) -> SegmentedQueue:
    """A queue of these segments."""
    queue = SegmentedQueue()
    for segment in segments:
        queue._add_segment(segment)
        queue.bytes += segment.size
    return queue


def test_an_empty_queue():
    """It holds nothing, and shares its segment with all others."""
    queue = SegmentedQueue()
    assert not queue.has_next
    assert 0 == queue.waiting == queue.bytes
    assert queue.items is SegmentedQueue().items is EMPTY_SEGMENT.messages


def test_an_end_comes_next():
    """A reader need not wait if only an end is left."""
    queue = queue_of(Segment(deque(), 0, -1))
    queue._tail.end = End()
    assert queue.has_next
    assert 0 == queue.waiting


def test_drain_returns_the_messages_in_order():
    """Nothing is left of them, nor of the ends between them."""
    first, second = Segment(deque("ab"), 2, 1), Segment(deque("c"), 1, 2)
    first.end = End()
    queue = queue_of(first, second)
    assert ["a", "b", "c"] == queue.drain()
    assert not queue.has_next
    assert 0 == queue.waiting == queue.bytes


def test_removing_stops_as_soon_as_there_are_few_enough():
    """The oldest messages go first, and ends stay where they are."""
    first, second = Segment(deque("ab"), 2, 1), Segment(deque("cd"), 2, 1)
    first.end = End(close_code=1001)
    queue = queue_of(first, second)
    removed = queue._remove_while(lambda: queue.waiting > 1, oldest=True)
    assert 3 == removed
    assert 1 == queue.waiting == queue.bytes
    assert first.end == End(close_code=1001)
    assert ["d"] == queue.drain()


def test_removing_the_newest():
    """The newest messages go first."""
    queue = queue_of(Segment(deque("ab"), 2, 1), Segment(deque("cd"), 2, 1))
    assert 3 == queue._remove_while(lambda: queue.waiting > 1, oldest=False)
    assert ["a"] == queue.drain()


def test_removing_other_connections():
    """Only the segments of one connection stay, and are counted."""
    queue = queue_of(Segment(deque("ab"), 2, 1), Segment(deque("cde"), 3, 2))
    queue._remove_others(2)
    assert 3 == queue.waiting == queue.bytes
    assert list("cde") == queue.drain()
