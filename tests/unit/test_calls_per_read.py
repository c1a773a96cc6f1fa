"""The Python calls of a read are the same for one message in it and for a thousand."""

import sys
from collections import Counter

import pytest

from tests.support.fake_tcp import opened, receive
from ws_common.vocabulary.messages import Data


class Counting:
    """A sink that counts."""

    def __init__(self) -> None:
        self.count = 0

    def on_messages(self, batch: list[Data], size: int) -> None:
        self.count += len(batch)

    def on_closing(self, _close) -> None: ...
    def on_closed(self, _close) -> None: ...
    def on_writable(self) -> None: ...


def python_calls(call, *arguments) -> Counter[str]:
    """Count the calls of our functions and the library's; C calls are none."""
    calls: Counter[str] = Counter()

    def profile(frame, event, _argument) -> None:
        module = frame.f_globals["__name__"].partition(".")[0]
        if event == "call" and module in {"ws_vm", "ws_common", "websockets"}:
            calls[frame.f_code.co_qualname] += 1

    sys.setprofile(profile)
    try:
        call(*arguments)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("first", [0x81, 0x82])
@pytest.mark.parametrize("deflate", [False, True])
async def test_one_and_a_thousand(first, deflate):
    """The same calls for one message as for a thousand, and not many."""
    sink = Counting()
    transport, _ = opened(sink, deflate=deflate)
    message = bytes([first, 5]) + b"hello"
    one = python_calls(receive, transport, message)
    thousand = python_calls(receive, transport, message * 1000)
    assert sink.count == 1001
    assert thousand == one
    assert one.total() <= 9, one
    transport.abort()
