"""Opens transports for tests, and cleans up after them."""

from dataclasses import dataclass, field
from typing import Any

from tests.support.recording_sink import Recording
from ws_common.options.options import ConnectRequest, WebSocketOptions
from ws_common.options.platform import Platform
from ws_common.vocabulary.transport import Headers, Transport


@dataclass(slots=True)
class Connect:
    """`transport, sink = await connect(url, max_size=10)`.

    Attributes:
        platform: The platform under test.
        opened: What was opened, so that the fixture can abort it.
    """

    platform: Platform
    opened: list[Transport] = field(default_factory=list)

    async def __call__(
        self,
        url: str,
        *,
        sink: Recording | None = None,
        headers: Headers | None = None,
        options: WebSocketOptions | None = None,
        **common: Any,
    ) -> tuple[Transport, Recording]:
        """Open one connection with these options."""
        sink = sink or Recording()
        options = options or WebSocketOptions.common(**common)
        request = ConnectRequest(url=url, headers=headers or {}, options=options)
        transport = await self.platform.connector(options)(request, sink)
        self.opened.append(transport)
        return transport, sink

    def abort_all(self) -> None:
        """Abort all transports."""
        for transport in self.opened:
            transport.abort()
