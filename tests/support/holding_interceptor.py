"""An interceptor that holds received messages."""

import asyncio
from typing import Any

from ws_common.options.interceptors import WSInterceptor


class HoldingInterceptor(WSInterceptor):
    """Holds received messages until it is released.

    Attributes:
        released: The event that releases them.
    """

    def __init__(self) -> None:
        self.released = asyncio.Event()

    async def on_message(self, data: Any, next: Any) -> None:
        await self.released.wait()
        next(data)
