"""Throughput in a page of Chromium: `ws`, a handler by hand, plain JavaScript.

    python -m tests.bench.browser [rounds]

All three in one page, in turns, so that a busy machine slows them alike, and each of
them begins a turn as often as the others: who comes next clears away the garbage. Of
each the median is taken, and of the ratios within a turn the quartiles. The server
makes its frames before, and looks into none: it is not what is waited for.
"""

import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.browser import bundle as bundles
from tests.browser.engines import devtools
from tests.browser.page_meter import Measured
from tests.browser.static_server import serve
from tests.support.raw_peer import READ_SIZE, Peer
from tests.support.server import Server
from tests.support.server_behaviours import Behaviours, number

ROUNDS = 7
MASKED_HEAD = 6
"""Bytes before a payload, at least, in what a client sends."""

CONTENDERS = ("ours", "by_hand", "javascript")


class Case(NamedTuple):
    """The kind of messages that are sent or received.

    Attributes:
        is_text: Else it is binary.
        size: Bytes of a message.
        bursts: How often the server sends `count`, asked for each time.
        count: Messages in a burst: less than 64 MiB, which is what a subscriber may
            hold. All bursts together are as many as are sent.
    """

    is_text: bool
    size: int
    bursts: int
    count: int


CASES = {
    "64 B text": Case(True, 64, 1, 60_000),
    "1 KiB text": Case(True, 1024, 1, 40_000),
    "64 KiB text": Case(True, 64 * 1024, 16, 400),
    "64 KiB binary": Case(False, 64 * 1024, 16, 400),
}


class Bursts(Behaviours):
    """Messages as fast as they can be taken, and a sink."""

    async def do_burst(self, peer: Peer) -> None:
        count, size = number(peer, "count", 1), number(peer, "size", 64)
        peer.accept()
        await peer.flush()
        is_text = peer.query["text"] == "1"
        add = peer.protocol.send_text if is_text else peer.protocol.send_binary
        add(b"x" * size)
        (frame,) = peer.protocol.data_to_send()
        at_once = max(1, 2**18 // size)
        async for _ in peer.messages():  # each asks for a burst
            for sent in range(0, count, at_once):
                await peer.raw(frame * min(at_once, count - sent))

    async def do_sink(self, peer: Peer) -> None:
        count, size = number(peer, "count", 1), number(peer, "size", 64)
        peer.accept()
        await peer.flush()
        left = count * (MASKED_HEAD + size)
        while left > 0 and (data := await peer.reader.read(READ_SIZE)):
            left -= len(data)
        peer.text("everything is here")
        await peer.flush()
        await peer.hold()


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


def measure(
    measured: Measured, contender: str, module: str, arguments: list[Any]
) -> tuple[float, float]:
    """Seconds that it takes, and seconds of the main thread's work."""
    before = measured.busy()
    if contender == "javascript":
        script = f"""async (call) =>
            (await import("/page/{module}.mjs")).{module}(...call)"""
        seconds = measured.evaluate(script, arguments)
    else:
        inside = f"tests.browser.inside.{module}"
        seconds = measured.call(inside, contender, *arguments)
    return float(seconds), measured.busy() - before


def compare(measured: Measured, rounds: int, name: str, *call: Any) -> None:
    """Measure all three in turns, and print the results.

    Args:
        measured: The page.
        rounds: How many turns.
        name: What it is.
        call: How many messages; the module, and what its functions take.
    """
    total, module, *arguments = call
    taken: dict[str, list[tuple[float, float]]] = {
        contender: [] for contender in CONTENDERS
    }
    for turn in range(rounds + 1):
        first = turn % len(CONTENDERS)
        for contender in (*CONTENDERS[first:], *CONTENDERS[:first]):
            result = measure(measured, contender, module, arguments)
            if turn:  # the first warms up
                taken[contender].append(result)
    for contender, results in taken.items():
        seconds = statistics.median(seconds for seconds, _ in results)
        busy = statistics.median(busy for _, busy in results)
        sys.stdout.write(
            f"{module:10} {name:14} {contender:10} {total / seconds:10,.0f} "
            f"{busy / total * 1e6:17.1f} {_ratios(results, taken['ours']):>22}\n"
        )


def _ratios(its: list[tuple[float, float]], ours: list[tuple[float, float]]) -> str:
    """The quartiles of the ratio to ours in the same turn."""
    ratios = [it / our for (it, _), (our, _) in zip(its, ours, strict=True)]
    quartiles = statistics.quantiles(ratios, n=4, method="inclusive")
    return "  ".join(f"{quartile:.2f}" for quartile in quartiles)


def main() -> None:
    """Measure, and print a table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    heads = f"{'messages/s':>47} {'thread, µs each':>17} {'ours / it: quartiles':>22}"
    sys.stdout.write(f"{heads}\n")
    with page_and_server() as (measured, server):
        for name, (is_text, size, bursts, count) in CASES.items():
            total = bursts * count
            facts = {"text": int(is_text), "size": size}
            url = server.urls("/burst", count=count, **facts)
            compare(measured, rounds, name, total, "receive_bench", url, bursts, count)
            url = server.urls("/sink", count=total, **facts)
            compare(
                measured, rounds, name, total, "send_bench", url, is_text, size, total
            )


if __name__ == "__main__":
    main()
