"""The URLs of the test server, wherever it runs."""

from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Urls:
    """Makes URLs: `urls("/close-at-once", code=1001)`.

    Attributes:
        base: As `ws://127.0.0.1:8765`, without a slash at the end.
    """

    base: str

    def __call__(self, path: str, **query: object) -> str:
        return f"{self.base}{path}" + (f"?{urlencode(query)}" if query else "")

    def http(self, path: str, **query: object) -> str:
        """The same for plain HTTP."""
        return self(path, **query).replace("ws", "http", 1)
