"""Receiving in a page of Chromium: `ws`, a handler by hand, plain JavaScript.

    python -m tests.bench.browser [rounds]

All three in one page, in turns, so that a busy machine slows them alike; of each the
median is taken. The server's frames are made before: it is not what is waited for.
"""

import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser import bundle as bundles
from tests.browser.engines import devtools
from tests.browser.measuring import Measured
from tests.browser.serving import serve
from tests.support.behaviours import Behaviours, number
from tests.support.peer import Peer
from tests.support.server import Server

ROUNDS = 7
MODULE = "tests.browser.inside.receiving"
JAVASCRIPT = """async (call) =>
    (await import("/page/receiving.mjs")).receive(...call)"""

CASES = {
    "64 B text": ("text", 64, 1, 60_000),
    "1 KiB text": ("text", 1024, 1, 40_000),
    "64 KiB text": ("text", 64 * 1024, 16, 400),
    "64 KiB binary": ("binary", 64 * 1024, 16, 400),
}
"""Kind, size, bursts and messages in each.

A burst is less than 64 MiB, which is what a subscriber may hold.
"""

WAYS = ("ours", "by_hand", "javascript")


class Bursts(Behaviours):
    """Messages as fast as they can be taken."""

    async def do_burst(self, peer: Peer) -> None:
        count, size = number(peer, "count", 1), number(peer, "size", 64)
        peer.accept()
        await peer.flush()
        is_text = peer.query["kind"] == "text"
        add = peer.protocol.send_text if is_text else peer.protocol.send_binary
        add(b"x" * size)
        (frame,) = peer.protocol.data_to_send()
        at_once = max(1, 2**18 // size)
        async for _ in peer.messages():  # each asks for a burst
            for sent in range(0, count, at_once):
                await peer.raw(frame * min(at_once, count - sent))


@contextmanager
def page_and_server() -> Iterator[tuple[Measured, Server]]:
    """A page with Pyodide, and a server of bursts."""
    bundle = bundles.make()
    server = Server()
    server._behaviours = Bursts()
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(bundle.archives) as base,
        server,
        devtools.start(Path(folder)) as page,
    ):
        sys.stdout.write(f"{page.version}\n")
        yield Measured(page, base, list(bundle.archives)), server


def receive(
    measured: Measured, way: str, url: str, bursts: int, count: int
) -> tuple[float, float]:
    """Seconds from the first message to the last, and of the main thread's work."""
    before = measured.busy()
    if way == "javascript":
        seconds = measured.evaluate(JAVASCRIPT, [url, bursts, count])
    else:
        seconds = measured.call(MODULE, way, url, bursts, count)
    return float(seconds), measured.busy() - before


def main() -> None:
    """Measure, and print a table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    say = sys.stdout.write
    say(f"{'messages/s':>38} {'ours / it':>10} {'thread, µs each':>17}\n")
    with page_and_server() as (measured, server):
        for name, (kind, size, bursts, count) in CASES.items():
            url = server.urls("/burst", kind=kind, size=size, count=count)
            total = bursts * count
            taken: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
            for turn in range(rounds + 1):
                for way in WAYS:
                    result = receive(measured, way, url, bursts, count)
                    if turn:  # the first warms up
                        taken[way].append(result)
            ours = statistics.median(seconds for seconds, _ in taken["ours"])
            for way, results in taken.items():
                seconds = statistics.median(seconds for seconds, _ in results)
                busy = statistics.median(busy for _, busy in results)
                say(
                    f"{name:14} {way:10} {total / seconds:12,.0f} "
                    f"{seconds / ours:10.2f} {busy / total * 1e6:17.1f}\n"
                )


if __name__ == "__main__":
    main()
