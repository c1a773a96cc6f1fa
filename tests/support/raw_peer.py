"""The server's side of one connection, with control over every byte.

Built on the Sans-I/O `ServerProtocol` of `websockets`: frames are made and checked by
the library, but when they leave, and whether at all, is decided here.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

MAX_SIZE = 64 * 2**20
READ_SIZE = 64 * 1024


class Protocol(ServerProtocol):
    """Drops frames of the opcodes in `unsent`."""

    def __init__(self) -> None:
        super().__init__(max_size=MAX_SIZE)
        self.unsent: set[Opcode] = set()

    def send_frame(self, frame: Frame) -> None:
        if frame.opcode not in self.unsent:
            super().send_frame(frame)


class Peer:
    """One client, as the server sees it."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.protocol = Protocol()
        self.reader = reader
        self.writer = writer
        self.request: Request
        self.path = ""
        self.hangs_up = True  # after the closing handshake, as a server should
        self.query: dict[str, str] = {}

    @property
    def is_open(self) -> bool:
        return self.protocol.state is OPEN and not self.writer.is_closing()

    async def read_request(self) -> bool:
        """Read the request's head; False where there is none."""
        while data := await self.reader.read(READ_SIZE):
            self.protocol.receive_data(data)
            for event in self.protocol.events_received():
                assert isinstance(event, Request)
                self.request = event
                parts = urlsplit(event.path)
                self.path = parts.path
                query = parse_qs(parts.query, keep_blank_values=True)
                self.query = {name: values[-1] for name, values in query.items()}
                return True
            if self.protocol.handshake_exc is not None:
                return False
        return False

    def accept(self, *, protocol: str | None = None) -> None:
        """Accept the handshake. Nothing is written before `flush()`."""
        if self.query.get("compress", "0") not in {"", "0", "false"}:
            self.protocol.available_extensions = [
                ServerPerMessageDeflateFactory(compress_settings={"level": 1})
            ]
        response = self.protocol.accept(self.request)
        if protocol is not None:
            response.headers["Sec-WebSocket-Protocol"] = protocol
        self.protocol.send_response(response)

    def text(self, message: str) -> None:
        if self.is_open:
            self.protocol.send_text(message.encode())

    def binary(self, message: bytes) -> None:
        if self.is_open:
            self.protocol.send_binary(message)

    def close(self, code: int | None, reason: str) -> None:
        if self.is_open:
            self.protocol.send_close(code, reason)

    async def flush(self) -> None:
        """Write all pending data at once."""
        data = b"".join(writes := self.protocol.data_to_send())
        if data and not self.writer.is_closing():
            self.writer.write(data)
            await self.writer.drain()
        if b"" in writes and self.hangs_up and Opcode.CLOSE not in self.protocol.unsent:
            if self.writer.can_write_eof():
                with contextlib.suppress(OSError):
                    self.writer.write_eof()
            else:  # TLS
                self.writer.close()

    async def raw(self, data: bytes) -> None:
        """Write bytes as they are, valid or not."""
        self.writer.write(data)
        await self.writer.drain()

    async def http(
        self, status: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        """Answer as any HTTP server, open to pages of every origin; not with ?hide=."""
        origin = self.request.headers.get("Origin", "*")
        cors = [
            f"Access-Control-Allow-Origin: {origin}",
            "Access-Control-Allow-Credentials: true",
            "Access-Control-Expose-Headers: *, Retry-After",
        ]
        lines = [
            f"HTTP/1.1 {status}",
            f"Content-Length: {len(body)}",
            "Connection: close",
            *(cors if "hide" not in self.query else ()),
            *(f"{name}: {value}" for name, value in (headers or {}).items()),
        ]
        await self.raw("\r\n".join([*lines, "", ""]).encode() + body)

    async def frames(self) -> AsyncIterator[Frame]:
        """Yield the client's frames until it is gone; Pings are answered."""
        while data := await self.reader.read(READ_SIZE):
            self.protocol.receive_data(data)
            frames = self.protocol.events_received()
            await self.flush()
            for frame in frames:
                assert isinstance(frame, Frame)
                yield frame

    async def messages(self) -> AsyncIterator[str | bytes]:
        """Yield the client's messages."""
        opcode, payload = Opcode.BINARY, bytearray()
        async for frame in self.frames():
            if frame.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
                opcode = opcode if frame.opcode is Opcode.CONT else frame.opcode
                payload += frame.data
                if frame.fin:
                    yield payload.decode() if opcode is Opcode.TEXT else bytes(payload)
                    payload.clear()

    async def drain(self) -> None:
        """Send the pending data, and wait until the client has closed."""
        await self.flush()
        async for _ in self.frames():
            pass

    async def hold(self) -> None:
        """Keep TCP open and answer nothing, until the client hangs up."""
        while await self.reader.read(READ_SIZE):
            pass

    def drop(self) -> None:
        """Cut the connection with a reset, as a crash would."""
        reset(self.writer)


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a socket with RST instead of FIN, where there is such a thing."""
    sock = writer.get_extra_info("socket")
    if sock.family in {socket.AF_INET, socket.AF_INET6}:
        linger = struct.pack("ii", 1, 0)  # on, for 0 s: RST and not FIN
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
