"""A simulation of 100,000 clients that lose their server at the same moment.

`python -m tests.bench.fleet` simulates an outage of a minute, with the backoff of this
package and with others, and writes the picture and the figures into docs/backoff.md.
The seed is fixed: the same code gives the same figures.
"""

import re
import sys
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import log10
from pathlib import Path
from random import Random

from ws_common.options.backoff import ConnectionRetryInterval

CLIENTS = 100_000
OUTAGE = 60.0
"""Seconds from the loss of all connections until the server takes new ones."""
HANDSHAKE = 0.05
"""Seconds that an attempt takes, whether it succeeds or is refused."""
SHOWN = 90.0
"""Seconds that are counted and drawn."""
BINS = 10
"""Per second."""

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "backoff.md"
PICTURE = DOCS / "images" / "backoff.svg"

Delay = Callable[[int, Random], float]
"""The wait before retry n (0, 1, 2, …), in seconds."""


@dataclass(frozen=True)
class Strategy:
    """A strategy to wait, and how its curve is drawn."""

    name: str
    color: str
    delay: Delay


@dataclass(frozen=True)
class Outcome:
    """The attempts and successes that the server has seen.

    Attributes:
        rates: Attempts per second, bin by bin.
        attempts: How many there were in all.
        back: When each client was connected again, sorted, in seconds.
    """

    rates: Sequence[float]
    attempts: int
    back: Sequence[float]

    def peak(self, begin: float, end: float) -> float:
        """The highest rate between two moments."""
        return max(self.rates[int(begin * BINS) : int(end * BINS)])

    def mean(self, begin: float, end: float) -> float:
        """The mean rate between two moments."""
        between = self.rates[int(begin * BINS) : int(end * BINS)]
        return sum(between) / len(between)

    def all_back(self, share: float) -> float:
        """Seconds after the outage by which this share of the fleet was back."""
        return self.back[int(share * len(self.back)) - 1] - OUTAGE


def simulate(delay: Delay, clients: int = CLIENTS, *, seed: int = 1) -> Outcome:
    """Lose all clients at 0 s, and let each try until the server takes it."""
    rng = Random(seed)
    seen = array("Q", [0]) * int(SHOWN * BINS)
    back = array("d")
    for _ in range(clients):
        now, retry = 0.0, 0
        while True:
            now += delay(retry, rng)
            if now < SHOWN:
                seen[int(now * BINS)] += 1
            retry += 1
            if now >= OUTAGE:
                break
            now += HANDSHAKE
        back.append(now + HANDSHAKE)
    rates = [count * BINS for count in seen]
    return Outcome(rates, sum(seen), sorted(back))


def ours(interval: ConnectionRetryInterval, *, spread: bool = False) -> Delay:
    """This package's backoff; `spread` as after a close with 1012 or 1013."""

    def delay(retry: int, rng: Random) -> float:
        return interval.draw(retry, spread=spread, rng=rng)

    return delay


def dart(minimum: float, maximum: float) -> Delay:
    """The formula of the Dart package `ws`, in whole milliseconds as there.

    A random share of `min * 2**n` is added to `min`, and the sum is cut off at
    `max`: `min / max` of all late retries wait for exactly `max`.
    """
    low, high = round(minimum * 1000), round(maximum * 1000)

    def delay(retry: int, rng: Random) -> float:
        if low >= high:
            return high / 1000
        bound = min(high, low * 2 ** min(retry, 31))
        return min(high, low + rng.randrange(bound)) / 1000

    return delay


def at_once(retry: int, rng: Random) -> float:
    """No backoff: the next attempt begins as the one before fails."""
    return rng.uniform(0, HANDSHAKE) if retry == 0 else 0.0


def at_once_on_paper(clients: int = CLIENTS) -> Outcome:
    """What `simulate(at_once)` tends to, without its 120 million attempts."""
    busy = int(OUTAGE * BINS)
    rate = clients / HANDSHAKE
    # The last attempts begin within one handshake after the server is there.
    rest = [float(clients * BINS)] + [0.0] * (int(SHOWN * BINS) - busy - 1)
    back = [OUTAGE + HANDSHAKE + HANDSHAKE * i / clients for i in range(clients)]
    return Outcome([rate] * busy + rest, round(clients * OUTAGE / HANDSHAKE), back)


DEFAULTS = ConnectionRetryInterval()
STRATEGIES = (
    Strategy("none: again at once", "#b3261e", at_once),
    Strategy("the Dart package's formula", "#b26a00", dart(0.5, 15.0)),
    Strategy("this package", "#1a5fb4", ours(DEFAULTS)),
    Strategy("this package, after 1012", "#26734d", ours(DEFAULTS, spread=True)),
)


def outcomes() -> list[tuple[Strategy, Outcome]]:
    """Run all simulations."""
    return [
        (
            strategy,
            at_once_on_paper()
            if strategy.delay is at_once
            else simulate(strategy.delay),
        )
        for strategy in STRATEGIES
    ]


def figures(results: Sequence[tuple[Strategy, Outcome]]) -> str:
    """The table for the page."""
    rows = [
        (
            "| backoff | attempts per client | peak/s | peak/s after 20 s "
            "| mean/s, 20 s to 60 s | peak/s on return | 99 % back after |"
        ),
        "|---|---|---|---|---|---|---|",
    ]
    for strategy, seen in results:
        cells = [
            strategy.name,
            f"{seen.attempts / CLIENTS:,.1f}",
            f"{seen.peak(0, SHOWN):,.0f}",
            f"{seen.peak(20, OUTAGE):,.0f}",
            f"{seen.mean(20, OUTAGE):,.0f}",
            f"{seen.peak(OUTAGE, SHOWN):,.0f}",
            f"{seen.all_back(0.99):.1f} s",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def clumps() -> str:
    """How many late retries wait for exactly the maximum, as a table."""
    rows = ["| interval | the Dart package's formula | this package |", "|---|---|---|"]
    for low, high in ((0.5, 15.0), (5.0, 10.0)):
        strategies = (dart(low, high), ours(ConnectionRetryInterval(low, high)))
        shares = [f"{at_maximum(strategy, high):.1%}" for strategy in strategies]
        rows.append(f"| {low:g} s to {high:g} s | {' | '.join(shares)} |")
    return "\n".join(rows)


def at_maximum(delay: Delay, maximum: float, *, seed: int = 1) -> float:
    """The share of late retries that wait for exactly the maximum."""
    rng = Random(seed)
    return sum(delay(20, rng) == maximum for _ in range(CLIENTS)) / CLIENTS


# ── The picture ─────────────────────────────────────────────────────────────

WIDTH, HEIGHT = 880, 420
LEFT, RIGHT, TOP, BOTTOM = 78, 20, 20, 92
DECADES = range(2, 8)
"""The powers of ten on the vertical axis."""


def _x(second: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * second / SHOWN


def _y(logarithm: float) -> float:
    share = (logarithm - DECADES[0]) / (DECADES[-1] - DECADES[0])
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share


def _log10(rates: Sequence[float]) -> list[float]:
    floor = 10.0 ** DECADES[0]
    return [log10(max(rate, floor)) for rate in rates]


def _text(x: float, y: float, words: str, *, anchor: str = "middle") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{words}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, look: str) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke={look}/>'
    )


def _axes() -> list[str]:
    grid = '"#d0d0d0" stroke-width="0.7"'
    drawn = []
    for power in DECADES:
        drawn.append(_line(LEFT, _y(power), WIDTH - RIGHT, _y(power), grid))
        drawn.append(_text(LEFT - 8, _y(power) + 4, f"{10**power:,}", anchor="end"))
    for second in range(0, int(SHOWN) + 1, 10):
        drawn.append(_line(_x(second), TOP, _x(second), HEIGHT - BOTTOM, grid))
        drawn.append(_text(_x(second), HEIGHT - BOTTOM + 18, f"{second} s"))
    returns = _x(OUTAGE)
    dashed = '"#303030" stroke-dasharray="5 4"'
    drawn.append(_line(returns, TOP, returns, HEIGHT - BOTTOM, dashed))
    drawn.append(_text(returns + 6, TOP + 14, "the server is back", anchor="start"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    drawn.append(
        f'<text transform="translate(14 {middle:.0f}) rotate(-90)" '
        'text-anchor="middle">attempts per second</text>'
    )
    return drawn


def _curve(strategy: Strategy, seen: Outcome) -> str:
    points = " ".join(
        f"{_x((index + 0.5) / BINS):.1f},{_y(value):.1f}"
        for index, value in enumerate(_log10(seen.rates))
    )
    look = f'fill="none" stroke="{strategy.color}" stroke-width="1.6"'
    return f'<polyline {look} points="{points}"/>'


def _legend(results: Sequence[tuple[Strategy, Outcome]]) -> list[str]:
    widths = [30 + 7 * len(strategy.name) for strategy, _ in results]
    places = accumulate(widths, initial=LEFT)
    y = HEIGHT - 28
    drawn = []
    for (strategy, _), x in zip(results, places, strict=False):
        drawn.append(_line(x, y, x + 18, y, f'"{strategy.color}" stroke-width="3"'))
        drawn.append(_text(x + 23, y + 4, strategy.name, anchor="start"))
    return drawn


def picture(results: Sequence[tuple[Strategy, Outcome]]) -> str:
    """The rates over time as SVG, the vertical axis logarithmic."""
    words = "Attempts per second of 100,000 clients over the seconds since the loss"
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'font-family="sans-serif" font-size="12" fill="#202020" role="img">'
        ),
        f"<title>{words}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *_axes(),
        *(_curve(strategy, seen) for strategy, seen in results),
        *_legend(results),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def write(page: str, name: str, table: str) -> str:
    """The page with the table between the markers of that name."""
    begin, end = f"<!-- {name}: tests/bench/fleet.py -->", f"<!-- /{name} -->"
    before, after = re.split(f"{begin}.*?{end}", page, flags=re.DOTALL)
    return f"{before}{begin}\n{table}\n{end}{after}"


def main() -> None:
    """Simulate, draw, and write it down."""
    results = outcomes()
    table = figures(results)
    PICTURE.write_text(picture(results), encoding="utf-8")
    page = write(PAGE.read_text(encoding="utf-8"), "figures", table)
    PAGE.write_text(write(page, "clumps", clumps()), encoding="utf-8")
    sys.stdout.write(f"{table}\n\n{clumps()}\n")


if __name__ == "__main__":
    main()
