"""The objects of JavaScript itself, as far as we use them, for type checkers.

Sources: ECMA-262.
"""
# ruff: noqa: N802, N815 - the names are JavaScript's

from collections.abc import Awaitable, Iterator, Sequence
from typing import Any, Protocol


class JsBuffer(Protocol):
    """An `ArrayBuffer`, or a `Uint8Array`."""

    @property
    def byteLength(self) -> int:
        """Its size."""
        ...

    def to_bytes(self) -> bytes:
        """Copy it into Python's memory, in one piece."""
        ...


class JsBytes(JsBuffer, Protocol):
    """A `Uint8Array`."""

    def subarray(self, begin: int, end: int, /) -> JsBuffer:
        """Another one of the same bytes, without copying them."""
        ...


class JsConstructor(Protocol):
    """A JavaScript class."""

    @property
    def prototype(self) -> object:
        """Where its methods are."""
        ...

    def new(self, *args: object) -> Any:
        """`new`."""


class JsObject(JsConstructor, Protocol):
    """`Object`, the class of objects."""

    def getPrototypeOf(self, thing: object, /) -> object:
        """What an object takes its methods and getters from."""
        ...

    def getOwnPropertyDescriptor(self, thing: object, name: str, /) -> object:
        """How a property is made: `get` is its getter."""
        ...


class JsFunction(Protocol):
    """A function."""

    @property
    def call(self) -> "JsFunction":
        """Calls it, with what is `this` for it as the first argument."""
        ...

    def bind(self, this: object, /, *arguments: object) -> object:
        """Make a function that calls it with these arguments first."""
        ...


class JsArray(Protocol):
    """An `Array`."""

    toString: object

    @property
    def length(self) -> int:
        """How many items it has."""
        ...

    @property
    def push(self) -> JsFunction:
        """Appends."""
        ...

    @property
    def join(self) -> JsFunction:
        """Makes one string of all items, with another one between them."""
        ...

    def map(self, function: object, /) -> "JsArray":
        """Make another of what a function makes of each item."""
        ...

    def splice(self, start: int, count: int, /) -> "JsArray":
        """Take items out, and return them."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Its items."""
        ...


class JsArrays(JsConstructor, Protocol):
    """`Array`, the class of arrays."""

    def of(self, *items: object) -> JsArray:
        """Make one."""
        ...


class JsPromiseOutcome(Protocol):
    """What became of a promise."""

    @property
    def status(self) -> str:
        """`fulfilled` or `rejected`."""
        ...

    @property
    def value(self) -> Any:
        """What it was fulfilled with."""
        ...


class JsPromise(Protocol):
    """`Promise`, the class of promises."""

    def allSettled(self, promises: object, /) -> Awaitable[Sequence[JsPromiseOutcome]]:
        """Wait for all of them, however they end."""
        ...
