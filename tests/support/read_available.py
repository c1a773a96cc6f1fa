"""Reads what is there, and does not wait."""

from collections.abc import AsyncIterator
from typing import Any, TypeVar

T = TypeVar("T")


def at_hand(reader: AsyncIterator[T]) -> list[T]:
    """What a subscriber gives without a turn of the loop; stops at an end."""
    items: list[T] = []
    while True:
        read: Any = anext(reader)
        try:
            read.send(None)
        except StopIteration as done:
            items.append(done.value)
        except StopAsyncIteration:
            return items
        else:  # it would wait: a read that is given up loses nothing
            read.close()
            return items
