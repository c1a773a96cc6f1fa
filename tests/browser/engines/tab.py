"""The Protocol of a page, in whichever browser."""

from typing import Any, Protocol

TIMEOUT = 300.0
"""Seconds for all tests in one runtime."""


class Tab(Protocol):
    """A page of a browser."""

    @property
    def version(self) -> str:
        """The browser's name and version."""
        ...

    def goto(self, url: str) -> object:
        """Open a page, and wait until it is loaded."""
        ...

    def evaluate(self, script: str, argument: Any) -> Any:
        """Call a JavaScript function with JSON, wait for its promise.

        Raises:
            Exception: What it threw.
        """
        ...
