"""What the test server does, by the path of the URL.

    /echo            echoes; "ping" is answered "pong", "close" and "close:4001:why"
                     close, "abort" cuts TCP with a reset
    /greeting        a text and a binary message in the segment of the 101, then echoes
    /greeting-close  these and a Close in that segment; ?code=&reason=
    /close-at-once   accepts and closes; ?code= (none: an empty Close) &reason=
    /abort-at-once   accepts and resets
    /protocol        picks the first subprotocol offered, or ?pick= whatever was offered
    /silent-close    echoes, and never answers a Close
    /close-and-hold  sends a Close and keeps TCP open; ?code=&reason=
    /answer-and-hold echoes, answers a Close and keeps TCP open
    /no-pong         echoes, and never answers a Ping
    /ping-me         sends a Ping, and a text message once it is answered
    /flood           ?count= numbered messages of ?size= bytes (?binary=1), then echoes;
                     with ?code= it closes after the last one, with ?wait=1 it begins
                     when a message has come
    /fragments       a text and a binary message in fragments, a Ping between them
    /bad-utf8        text that is not
    /bad-frame       a frame with an opcode that does not exist
    /big             one binary message of ?size= bytes, then echoes
    /stall           reads nothing until somebody asks for /release with the same ?key=,
                     then answers each message with its size
    /collect         counts the messages that arrive, by ?key=, and answers none
    /collected       as JSON, how many those were
    /headers         the headers of the request, as JSON pairs, then echoes
    /count-up, /store-numbers, /stored-numbers: see `numbered_messages.py`
    /count           as JSON, how many handshakes had this ?key= (also by HTTP)
    /refuse          ?status=&retry_after=&challenge= (also by HTTP; ?hide= from other
                     origins); a challenge is a WWW-Authenticate header
    /redirect        ?to= (itself by default) &status=
    /garbage         bytes that are not HTTP, and TCP stays open
    /half-header     half an answer
    /endless-headers headers without an end (2 MiB)
    /hang            accepts TCP and never answers

`compress=1` in any query makes the server agree to permessage-deflate.
Plain HTTP gets a small page.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from websockets.frames import Opcode

from tests.support.numbered_messages import Numbered
from tests.support.raw_peer import Peer

PAGE = b"<!doctype html><title>test server</title>"

GREETING_TEXT, GREETING_BYTES = "hello", b"\x00\x01\xfe\xff"
FRAGMENTED_TEXT, FRAGMENTED_BYTES = "grüße aus stücken €", bytes(range(256))

LARGE = 64 * 1024
"""Messages of this size are not collected before they leave."""

Behaviour = Callable[[Peer], Awaitable[None]]


class Behaviours(Numbered):
    """All behaviours, and what they remember from one connection to the next."""

    def __init__(self) -> None:
        super().__init__()
        self.handshakes: Counter[str] = Counter()
        self._collected: Counter[str] = Counter()
        self._released: dict[str, asyncio.Event] = {}

    async def __call__(self, peer: Peer) -> None:
        """Serve one connection, from its request to its end."""
        name = peer.path.strip("/").replace("-", "_")
        behaviour: Behaviour | None = getattr(self, f"do_{name}", None)
        if "Upgrade" not in peer.request.headers:
            await self._serve_page(peer, name)
        elif behaviour is None:
            await peer.http("404 Not Found")
        else:
            if name != "count" and "key" in peer.query:
                self.handshakes[peer.query["key"]] += 1
            await behaviour(peer)

    async def _serve_page(self, peer: Peer, name: str) -> None:
        body, kind = PAGE, "text/html"
        if name == "count":
            body, kind = self._count(peer).encode(), "application/json"
        elif name == "release":
            self._release(peer).set()
        elif name == "refuse":
            await self.do_refuse(peer)
            return
        await peer.http("200 OK", body, {"Content-Type": kind})

    def _count(self, peer: Peer) -> str:
        return json.dumps(self.handshakes[peer.query.get("key", "")])

    def _release(self, peer: Peer) -> asyncio.Event:
        return self._released.setdefault(peer.query.get("key", ""), asyncio.Event())

    async def do_echo(self, peer: Peer) -> None:
        peer.accept()
        await echo(peer)

    async def do_greeting(self, peer: Peer) -> None:
        peer.accept()
        greet(peer)
        await echo(peer)

    async def do_greeting_close(self, peer: Peer) -> None:
        peer.accept()
        greet(peer)
        close(peer)
        await peer.drain()

    async def do_close_at_once(self, peer: Peer) -> None:
        peer.accept()
        close(peer)
        await peer.drain()

    async def do_abort_at_once(self, peer: Peer) -> None:
        peer.accept()
        await peer.flush()
        peer.drop()

    async def do_protocol(self, peer: Peer) -> None:
        offered = peer.request.headers.get_all("Sec-WebSocket-Protocol")
        first = ",".join(offered).split(",")[0].strip() or None
        peer.accept(protocol=peer.query.get("pick", first))
        await echo(peer)

    async def do_silent_close(self, peer: Peer) -> None:
        peer.protocol.unsent.add(Opcode.CLOSE)
        peer.accept()
        await peer.flush()
        async for frame in peer.frames():
            if frame.opcode is Opcode.CLOSE:
                break
            await answer(peer, frame.opcode, frame.data)
        await peer.hold()

    async def do_close_and_hold(self, peer: Peer) -> None:
        peer.accept()
        close(peer)
        await peer.flush()
        await peer.hold()

    async def do_answer_and_hold(self, peer: Peer) -> None:
        peer.hangs_up = False
        peer.accept()
        await echo(peer)

    async def do_no_pong(self, peer: Peer) -> None:
        peer.protocol.unsent.add(Opcode.PONG)
        peer.accept()
        await echo(peer)

    async def do_ping_me(self, peer: Peer) -> None:
        peer.accept()
        peer.protocol.send_ping(b"are you there")
        await peer.flush()
        async for frame in peer.frames():
            if frame.opcode is Opcode.PONG:
                peer.text(bytes(frame.data).decode())
                await peer.flush()

    async def do_flood(self, peer: Peer) -> None:
        count, size = number(peer, "count", 1000), number(peer, "size", 64)
        protocol = peer.protocol
        send = protocol.send_binary if "binary" in peer.query else protocol.send_text
        peer.accept()
        await peer.flush()
        if "wait" in peer.query:
            async for _ in peer.frames():
                break
        try:
            async with asyncio.TaskGroup() as tasks:
                echoing = tasks.create_task(echo(peer))
                for index in range(count):
                    if not peer.is_open:
                        break
                    send(b"%d:" % index + b"x" * (size - len(str(index)) - 1))
                    if index % 64 == 0 or size >= LARGE:
                        await peer.flush()
                if "code" in peer.query:
                    close(peer)
                await peer.flush()
                await echoing
        except* OSError:
            pass  # the client is gone

    async def do_fragments(self, peer: Peer) -> None:
        peer.accept()
        text, binary = FRAGMENTED_TEXT.encode(), FRAGMENTED_BYTES
        cut = text.index("ü".encode()) + 1  # in the middle of a character
        peer.protocol.send_text(text[:cut], fin=False)
        peer.protocol.send_ping(b"between")
        peer.protocol.send_continuation(b"", fin=False)
        peer.protocol.send_continuation(text[cut:], fin=True)
        peer.protocol.send_binary(binary[:1], fin=False)
        for index in range(1, 255):
            peer.protocol.send_continuation(binary[index : index + 1], fin=False)
        peer.protocol.send_continuation(binary[255:], fin=True)
        await echo(peer)

    async def do_bad_utf8(self, peer: Peer) -> None:
        peer.accept()
        peer.text("good")
        peer.protocol.send_text(b"b\xffd")
        peer.text("never to be seen")
        await peer.drain()

    async def do_bad_frame(self, peer: Peer) -> None:
        peer.accept()
        peer.text("good")
        await peer.flush()
        await peer.raw(b"\x83\x00")
        await peer.drain()

    async def do_big(self, peer: Peer) -> None:
        peer.accept()
        peer.binary(bytes(number(peer, "size", 2**20)))
        await echo(peer)

    async def do_stall(self, peer: Peer) -> None:
        peer.accept()
        await peer.flush()
        peer.writer.transport.pause_reading()
        await self._release(peer).wait()
        peer.writer.transport.resume_reading()
        async for message in peer.messages():
            peer.text(str(len(message)))
            await peer.flush()

    async def do_release(self, peer: Peer) -> None:
        self._release(peer).set()
        await self.do_close_at_once(peer)

    async def do_collect(self, peer: Peer) -> None:
        peer.accept()
        await peer.flush()
        async for _ in peer.messages():
            self._collected[peer.query.get("key", "")] += 1

    async def do_collected(self, peer: Peer) -> None:
        peer.accept()
        peer.text(json.dumps(self._collected[peer.query.get("key", "")]))
        await echo(peer)

    async def do_headers(self, peer: Peer) -> None:
        peer.accept()
        peer.text(json.dumps(list(peer.request.headers.raw_items())))
        await echo(peer)

    async def do_count(self, peer: Peer) -> None:
        peer.accept()
        peer.text(self._count(peer))
        await echo(peer)

    async def do_refuse(self, peer: Peer) -> None:
        headers = {}
        if "retry_after" in peer.query:
            headers["Retry-After"] = peer.query["retry_after"]
        if "challenge" in peer.query:
            headers["WWW-Authenticate"] = peer.query["challenge"]
        await peer.http(status_line(peer, 403), b"refused", headers)

    async def do_redirect(self, peer: Peer) -> None:
        location = peer.query.get("to", peer.request.path)
        await peer.http(status_line(peer, 302), b"", {"Location": location})

    async def do_garbage(self, peer: Peer) -> None:
        await peer.raw(b"\x15\x03\x01 this is not HTTP\r\n\r\n")
        await asyncio.Event().wait()  # not even the client's FIN is a reason to go

    async def do_half_header(self, peer: Peer) -> None:
        await peer.raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: webs")

    async def do_endless_headers(self, peer: Peer) -> None:
        await peer.raw(b"HTTP/1.1 101 Switching Protocols\r\n")
        for index in range(2048):
            await peer.raw(b"X-%d: %s\r\n" % (index, b"x" * 1014))
        await peer.hold()

    async def do_hang(self, peer: Peer) -> None:
        await peer.hold()


async def echo(peer: Peer) -> None:
    """Answer every message, until the client is gone."""
    await peer.flush()
    async for message in peer.messages():
        is_text = isinstance(message, str)
        payload = message.encode() if isinstance(message, str) else message
        await answer(peer, Opcode.TEXT if is_text else Opcode.BINARY, payload)


async def answer(peer: Peer, opcode: Opcode, payload: bytes | bytearray) -> None:
    """Answer one message; the words `ping`, `close` and `abort` are commands."""
    if opcode is Opcode.BINARY:
        peer.binary(bytes(payload))
    elif opcode is Opcode.TEXT:
        command, _, rest = bytes(payload).decode().partition(":")
        if command == "abort":
            peer.drop()
        elif command == "close":
            code, _, reason = rest.partition(":")
            peer.close(int(code or 1000), reason)
        else:
            is_ping = payload == b"ping"
            peer.text("pong" if is_ping else bytes(payload).decode())
    await peer.flush()


def greet(peer: Peer) -> None:
    peer.text(GREETING_TEXT)
    peer.binary(GREETING_BYTES)


def close(peer: Peer) -> None:
    """Send the Close that the query asks for; one without a code by default."""
    code = peer.query.get("code")
    peer.close(int(code) if code else None, peer.query.get("reason", ""))


def number(peer: Peer, name: str, default: int) -> int:
    return int(peer.query.get(name, default))


def status_line(peer: Peer, default: int) -> str:
    status = HTTPStatus(number(peer, "status", default))
    return f"{status.value} {status.phrase}"
