"""The objects of JavaScript itself, as far as we use them, for type checkers.

A `JsProxy` has no attributes for a type checker, and there are no stubs for the module
`js`. So the attributes and methods that we use are declared here as Protocols, under
JavaScript's own names. `browser_types.py` has those of the browser.

Source: ECMA-262.
"""
# ruff: noqa: N802, N815 - the names are JavaScript's

from collections.abc import Awaitable, Iterator, Sequence
from typing import Any, Protocol


# Bytes are only ever copied with `to_bytes()`. Copying 64 KiB byte by byte, as
# PyScript's own WebSocket does, takes 11.6 ms instead of 0.03 ms.
class JsBuffer(Protocol):
    """An `ArrayBuffer`, or a `Uint8Array`."""

    @property
    def byteLength(self) -> int:
        """The size in bytes."""
        ...

    def to_bytes(self) -> bytes:
        """Copy the bytes into the memory of Python, all at once."""
        ...


class JsBytes(JsBuffer, Protocol):
    """A `Uint8Array`."""

    def subarray(self, begin: int, end: int, /) -> JsBuffer:
        """Return a view of a part of it, without copying that."""
        ...


class JsConstructor(Protocol):
    """A JavaScript class."""

    @property
    def prototype(self) -> object:
        """The object that has the methods of its instances."""
        ...

    def new(self, *args: object) -> Any:
        """Call the constructor. Pyodide has this method for the operator `new`."""


class JsObject(JsConstructor, Protocol):
    """`Object`, the class of objects."""

    def getPrototypeOf(self, thing: object, /) -> object:
        """Return the object that has the methods and getters of another one."""
        ...

    def getOwnPropertyDescriptor(self, thing: object, name: str, /) -> object:
        """Return the descriptor of a property; `get` is its getter."""
        ...


# `call`, `push` and `join` are properties and not methods, because Python never calls
# them: they are bound to their arguments and given to JavaScript.
class JsFunction(Protocol):
    """A function."""

    @property
    def call(self) -> "JsFunction":
        """Call the function. The first argument is `this`."""
        ...

    def bind(self, this: object, /, *arguments: object) -> object:
        """Return a function that calls this one with these arguments first."""
        ...


class JsArray(Protocol):
    """An `Array`."""

    toString: object

    @property
    def length(self) -> int:
        """The number of items."""
        ...

    @property
    def push(self) -> JsFunction:
        """The method that appends items."""
        ...

    @property
    def join(self) -> JsFunction:
        """The method that joins all items with a separator, as one string."""
        ...

    def map(self, function: object, /) -> "JsArray":
        """Return an array of what a function returns for each item."""
        ...

    def splice(self, start: int, count: int, /) -> "JsArray":
        """Remove items, and return them."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the items."""
        ...


class JsArrays(JsConstructor, Protocol):
    """`Array`, the class of arrays."""

    def of(self, *items: object) -> JsArray:
        """Return an array of these items."""
        ...


class JsPromiseOutcome(Protocol):
    """The outcome of a promise, as `Promise.allSettled()` describes it."""

    @property
    def status(self) -> str:
        """`fulfilled` or `rejected`."""
        ...

    @property
    def value(self) -> Any:
        """The value with which the promise was fulfilled."""
        ...


class JsPromise(Protocol):
    """`Promise`, the class of promises."""

    def allSettled(self, promises: object, /) -> Awaitable[Sequence[JsPromiseOutcome]]:
        """Wait until none of these promises is pending, whatever their outcomes are."""
        ...
