"""Receipts: how often they may be awaited, and what is left of that."""

import asyncio
import traceback

import pytest

from tests.support.idle import until_idle
from ws_common.send.queued_message import QueuedMessage
from ws_common.send.receipt import Receipt
from ws_common.vocabulary.errors import WSMessageDroppedError


async def test_a_final_status_is_not_waited_for():
    """It may be awaited any number of times."""
    receipt = Receipt("sent")

    await receipt
    await receipt

    assert "Receipt(status='sent')" == repr(receipt)


async def test_the_outcome_is_waited_for():
    """Everybody who awaits the receipt goes on."""
    receipt = QueuedMessage()
    waiting = [asyncio.ensure_future(asyncio.wait_for(receipt, 10)) for _ in range(2)]
    await until_idle()
    assert "queued" == receipt.status

    receipt.resolve("sent")

    assert [None, None] == await asyncio.gather(*waiting)


async def test_a_cancelled_wait_changes_nothing():
    """The message is sent, and others still wait."""
    receipt = QueuedMessage()
    cancelled, waiting = [
        asyncio.ensure_future(asyncio.wait_for(receipt, 10)) for _ in range(2)
    ]
    await until_idle()
    cancelled.cancel()
    await until_idle()
    assert ("queued", False) == (receipt.status, waiting.done())

    receipt.resolve("sent")

    await waiting


async def test_the_traceback_does_not_grow():
    """The same error is raised each time, without the frames of the last time."""
    receipt = QueuedMessage()
    receipt.resolve("failed", WSMessageDroppedError("no"))
    depths = []
    for _ in range(3):
        with pytest.raises(WSMessageDroppedError) as caught:
            await receipt
        depths.append(len(traceback.extract_tb(caught.value.__traceback__)))

    assert 1 == len(set(depths))
