"""A read-only mapping that can be pickled and copied."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class ReadOnly(Mapping[K, V]):
    """A mapping that cannot be changed.

    Args:
        items: The items. They are not copied: the caller must not change them later.
    """

    # `types.MappingProxyType` can be neither pickled nor copied deeply, so an event or
    # a handshake that holds one could not be sent to another process.

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[K, V]) -> None:
        self._items = items

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(self._items)
