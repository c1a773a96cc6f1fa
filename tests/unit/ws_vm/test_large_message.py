"""A connection that is dropped with a large message half received."""

import gc
import sys

import pytest

from ws_vm.large_message import LargeMessage

SIZE = 100_000


@pytest.mark.parametrize("text", [False, True], ids=["binary", "text"])
def test_nothing_is_said_when_it_is_collected(monkeypatch, text):
    """The collector meets its memory and the view of it, in whatever order it likes."""
    said = []
    monkeypatch.setattr(sys, "unraisablehook", said.append)
    dropped = [LargeMessage(SIZE, text=text)]
    dropped.append(dropped)
    del dropped
    gc.collect()
    assert said == []


def test_the_memory_is_the_message():
    """It is handed out as it is, and not copied."""
    large = LargeMessage(SIZE, text=False)
    large.fill(bytes(range(250)) * (SIZE // 250), 0)
    memory = large._memory
    message = large.message()
    assert message == bytes(range(250)) * (SIZE // 250)
    assert memory.getvalue() is message
