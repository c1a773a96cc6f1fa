"""Subscribers that pause the socket and are not read: which of them are reported."""

import asyncio

import pytest

from ws_common.receive.broadcast import Broadcast
from ws_common.receive.limits import Limits
from ws_common.receive.stalled_readers import REPORT_AFTER, StalledReaders

pytestmark = pytest.mark.looptime


class Observed:
    """A broadcast whose full buffers are watched, and the reports."""

    def __init__(self) -> None:
        self.reports: list[dict[str, object]] = []
        self.messages: Broadcast[str] = Broadcast(
            Limits(1, None, "pause"), keep=True, on_watermark=self.watch
        )
        self.readers = StalledReaders(
            self.messages, lambda _name, **details: self.reports.append(details)
        )

    def watch(self) -> None:
        self.readers.watch()


async def test_a_subscriber_that_is_not_read():
    """It is reported once, with the line that made it."""
    observed = Observed()
    buffer = observed.messages.attach()
    buffer.made_at = "program.py:7"
    observed.messages.publish(("a", "b"), 2)
    await asyncio.sleep(3.5 * REPORT_AFTER)
    (report,) = observed.reports
    assert 2 == report["waiting"]
    assert "program.py:7" in report["who"]
    assert [report["who"]] == observed.readers.descriptions
    observed.messages.detach(buffer)
    assert [] == observed.readers.descriptions


async def test_a_slow_reader_is_not_reported():
    """It reads something in each period."""
    observed = Observed()
    buffer = observed.messages.attach(capacity=10)
    observed.messages.publish(tuple("x" * 20), 20)
    for _ in range(4):
        await asyncio.sleep(0.9 * REPORT_AFTER)
        assert buffer.full
        await buffer.get()
    assert [] == observed.reports
    observed.readers.stop()


async def test_nobody_has_subscribed():
    """Then the report says how to read."""
    observed = Observed()
    observed.messages.publish(("a", "b"), 2)
    await asyncio.sleep(1.5 * REPORT_AFTER)
    (report,) = observed.reports
    assert "nobody has subscribed" in report["who"]
    observed.readers.stop()
