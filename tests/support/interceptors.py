"""Interceptors that several tests need."""

from typing import Any

import ws


class Keeping(ws.WSInterceptor):
    """Keep each `next` of a sent message, and call none.

    Attributes:
        kept: Each `next`, in the order of the sends.
    """

    def __init__(self) -> None:
        self.kept: list[Any] = []

    def on_send(self, data: Any, next: Any) -> None:
        self.kept.append(next)
