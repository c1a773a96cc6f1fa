"""The server of the speed benchmark: `python -m tests.bench.flood_server`.

Clients must never wait for it, so it is one `selectors` loop over plain sockets, and
does as little as possible for each message. The path says what it does:

    /flood?size=64&kind=text   sends as many messages as the client's message says
    /sink?bytes=70000          counts bytes, and sends "done" when all have arrived
    /echo                      echoes each message
    /idle                      sends nothing

The frames of a flood are encoded once, and many are written at a time. Pings and Close
are answered everywhere, except in a sink before its end. Fragments and extensions are
not supported: no client in the benchmark sends any.

It prints a line of JSON with its port, and ends when its standard input does.
"""

import contextlib
import selectors
import socket
import sys
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from websockets.utils import accept_key

from tests.bench.children import begin
from tests.bench.frames import BINARY, CLOSE, PING, PONG, TEXT, encode, take_frame

CHUNK = 256 * 1024
"""Bytes of frames that are prepared for a flood, at least."""

READ_SIZE = 64 * 1024
SINK_READ_SIZE = 1024 * 1024

KINDS = {"text": TEXT, "binary": BINARY}

DONE = b"done"
"""What a sink answers when everything has arrived."""


class Connection:
    """One client, from its request to its end."""

    def __init__(self, sock: socket.socket, server: "FloodServer") -> None:
        self._sock = sock
        self._server = server
        self._received = bytearray()
        self._unsent = bytearray()
        self._on_data: Callable[[], None] = self._read_request
        self._on_message: Callable[[int, bytes], None] = self._ignore
        self._frames = b""
        self._position = 0
        self._flood_left = 0
        self._sink_left = 0
        self._is_waiting = False
        self._is_closing = False
        self._is_closed = False

    def on_ready(self, events: int) -> None:
        """Read and write what can be read and written now."""
        try:
            if events & selectors.EVENT_READ:
                self._on_data()
            if events & selectors.EVENT_WRITE and not self._is_closed:
                self._write_more()
        except (ConnectionError, EOFError):
            self._close()

    # Reading

    def _receive(self) -> None:
        data = self._sock.recv(READ_SIZE)
        if not data:
            raise EOFError
        self._received += data

    def _read_request(self) -> None:
        self._receive()
        if not self._received.endswith(b"\r\n\r\n"):
            return
        request, *lines = self._received.decode("latin-1").splitlines()
        self._received.clear()
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        self._on_data = self._read_frames
        self._route(request.split()[1])
        answer = (
            "HTTP/1.1 101 Switching Protocols\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept_key(headers['sec-websocket-key'])}\r\n\r\n"
        )
        self._send(answer.encode())

    def _route(self, target: str) -> None:
        url = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if url.path == "/flood":
            kind, size = KINDS[query["kind"]], int(query["size"])
            self._frames = self._server.frames(kind, size)
            self._frame_size = len(encode(kind, bytes(size)))
            self._on_message = self._begin_flood
        elif url.path == "/sink":
            self._sink_left = int(query["bytes"])
            self._on_data = self._count_bytes
        elif url.path == "/echo":
            self._on_message = self._echo

    def _read_frames(self) -> None:
        self._receive()
        while not self._is_closing and (frame := take_frame(self._received)):
            opcode, payload = frame
            if opcode == CLOSE:
                self._is_closing = True
                self._send(encode(CLOSE, payload))
            elif opcode == PING:
                self._send(encode(PONG, payload))
            elif opcode in {TEXT, BINARY}:
                self._on_message(opcode, payload)

    def _count_bytes(self) -> None:
        size = self._sock.recv_into(self._server.scratch)
        if not size:
            raise EOFError
        self._sink_left -= size
        if self._sink_left <= 0:
            self._on_data = self._read_frames
            self._send(encode(TEXT, DONE))

    def _begin_flood(self, _: int, payload: bytes) -> None:
        self._flood_left = int(payload) * self._frame_size
        self._write_more()

    def _echo(self, opcode: int, payload: bytes) -> None:
        self._send(encode(opcode, payload))

    def _ignore(self, opcode: int, payload: bytes) -> None:
        pass

    # Writing

    def _send(self, data: bytes) -> None:
        self._unsent += data
        self._write_more()

    def _write_more(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._unsent:
                del self._unsent[: self._sock.send(self._unsent)]
            while self._flood_left and not self._is_closing:
                end = min(self._position + self._flood_left, len(self._frames))
                part = memoryview(self._frames)[self._position : end]
                sent = self._sock.send(part)
                self._flood_left -= sent
                self._position = (self._position + sent) % len(self._frames)
        is_waiting = bool(self._unsent or self._flood_left)
        if self._is_closing and not self._unsent:
            self._close()
        elif is_waiting != self._is_waiting:
            self._is_waiting = is_waiting
            self._server.watch(self._sock, self.on_ready, writing=is_waiting)

    def _close(self) -> None:
        self._is_closed = True
        self._server.forget(self._sock)
        self._sock.close()


class FloodServer:
    """Listens on a free port of the loopback interface.

    Attributes:
        port: Where it listens.
        scratch: A buffer for data that is only counted.
    """

    def __init__(self) -> None:
        self.scratch = bytearray(SINK_READ_SIZE)
        self._selector = selectors.DefaultSelector()
        self._prepared: dict[tuple[int, int], bytes] = {}
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self.watch(self._listener, self._accept)

    def run(self) -> None:
        """Serve until standard input ends."""
        with contextlib.suppress(EOFError):
            self.watch(sys.stdin, self._read_stdin)
            while True:
                for key, events in self._selector.select():
                    key.data(events)

    def frames(self, kind: int, size: int) -> bytes:
        """Many frames of one kind and size, made once."""
        if (kind, size) not in self._prepared:
            frame = encode(kind, b"x" * size)
            self._prepared[kind, size] = frame * (CHUNK // len(frame) + 1)
        return self._prepared[kind, size]

    def watch(self, file, callback, *, writing: bool = False) -> None:
        """Call back when there is something to read, or also when one can write."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
        known = self._selector.get_map().get(file)
        if known is None:
            self._selector.register(file, events, callback)
        elif known.events != events:
            self._selector.modify(file, events, callback)

    def forget(self, file) -> None:
        """Stop calling back."""
        self._selector.unregister(file)

    def _accept(self, _: int) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                sock, _address = self._listener.accept()
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.watch(sock, Connection(sock, self).on_ready)

    def _read_stdin(self, _: int) -> None:
        if not sys.stdin.buffer.read1(1):
            raise EOFError


def main() -> None:
    """Serve a benchmark."""
    server = FloodServer()
    begin({"port": server.port})
    server.run()


if __name__ == "__main__":
    main()
