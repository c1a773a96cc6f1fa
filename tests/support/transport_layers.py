"""What lies between a connection and its socket: asyncio's transport and protocol.

The loop knows both, whatever the connection is made of. So a test can play what a
network does in one call, and not when the kernel comes to it.
"""

import asyncio
from typing import Any


class Line:
    """One socket's.

    Attributes:
        tcp: asyncio's transport.
    """

    def __init__(self, tcp: asyncio.Transport, protocol: asyncio.BaseProtocol) -> None:
        self.tcp = tcp
        self._protocol: Any = protocol

    @property
    def is_read(self) -> bool:
        """Whether what the network brings is taken."""
        return self.tcp.is_reading()

    def receive(self, data: bytes) -> None:
        """One read of the socket has brought this."""
        if not isinstance(self._protocol, asyncio.BufferedProtocol):
            self._protocol.data_received(data)
            return
        while data:
            buffer = memoryview(self._protocol.get_buffer(len(data)))
            size = min(len(data), len(buffer))
            buffer[:size] = data[:size]
            data = data[size:]
            self._protocol.buffer_updated(size)

    def end(self) -> None:
        """The peer's FIN is read."""
        if not self._protocol.eof_received():
            self.tcp.close()

    def lose(self) -> None:
        """The network has failed."""
        self.tcp.abort()


def tap(loop: asyncio.AbstractEventLoop, monkeypatch: Any) -> list[Line]:
    """The lines of all connections that are made on this loop from here on."""
    lines: list[Line] = []
    create_connection = loop.create_connection

    async def tapped(*args: Any, **how: Any) -> Any:
        tcp, protocol = await create_connection(*args, **how)
        lines.append(Line(tcp, protocol))
        return tcp, protocol

    monkeypatch.setattr(loop, "create_connection", tapped)
    return lines
