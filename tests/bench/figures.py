"""The cases of the speed benchmark, and the figures calculated from them. No I/O.

Contenders take turns, so that a machine that is busy for a while slows all of them.
Ratios are therefore calculated within each turn first; the table shows their median
and quartiles. JSON also has the ratio of the two medians, and how many times less
processor time was taken, which depends least on what else the machine does.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

OURS = "ours"
"""The name of the working tree among the contenders."""

MASKED_HEAD = 6
"""Bytes before the payload in a client's frame, up to a payload of 125 bytes."""

FASTEST_GROWTH = 10.0
"""How many times more messages each step of a calibration has, at most."""

CERTAIN = 0.4
"""How much of the target a run must take for its rate to be relied on."""


@dataclass(frozen=True)
class Run:
    """What a worker measured in one turn.

    Attributes:
        count: Messages or connections.
        seconds: Time that they took.
        cpu: Seconds of processor time.
        kib: Resident memory of each connection; None where it was not measured.
    """

    count: int
    seconds: float
    cpu: float
    kib: float | None = None


Runs = Mapping[str, Sequence[Run]]
"""The runs of each contender by its name, in the order of turns."""


class Case(NamedTuple):
    """Something that every contender does in each turn.

    Attributes:
        action: What the worker is told to do.
        path: What the worker connects to; `{bytes}` stands for all that it will send.
        first: The number of messages with which a calibration begins.
        size: Bytes of a message; 0 where there are no messages.
    """

    action: str
    path: str
    first: int = 0
    size: int = 0

    @property
    def is_opening(self) -> bool:
        """Whether connections are counted, and not messages."""
        return self.action == "open"

    @property
    def is_alternating(self) -> bool:
        """Whether client and server wait for each other all the time."""
        return self.action == "echo"

    def command(self, base: str, count: int) -> dict[str, Any]:
        """The command for a worker.

        Args:
            base: The beginning of the server's URL.
            count: How many messages or connections.
        """
        path = self.path.format(bytes=count * (MASKED_HEAD + self.size))
        command = {"action": self.action, "url": base + path, "count": count}
        return command if self.is_opening else {**command, "size": self.size}


class Figure(NamedTuple):
    """One block of the table.

    Attributes:
        title: What `--only` is compared with.
        unit: The unit of its values.
        case: The case that yields it.
        is_memory: Whether it is the case's memory; else it is its rate.
    """

    title: str
    unit: str
    case: Case
    is_memory: bool = False

    def value(self, run: Run) -> float | None:
        """The value that a run yields, if any."""
        if not self.is_memory:
            return run.count / run.seconds
        # With very few connections the process need not grow at all.
        return run.kib if run.kib is not None and run.kib > 0 else None


def _flood(action: str, size: int, kind: str = "text") -> Case:
    first = 20 if size > 2**16 else 2000
    return Case(action, f"/flood?size={size}&kind={kind}", first, size)


_OPEN = Case("open", "/idle")

FIGURES = (
    Figure("receive 64 B text", "messages/s", _flood("receive", 64)),
    Figure("listen 64 B text", "messages/s", _flood("listen", 64)),
    Figure("receive 1 KiB text", "messages/s", _flood("receive", 1024)),
    Figure("receive 1 MB text", "messages/s", _flood("receive", 10**6)),
    Figure("receive 1 MB binary", "messages/s", _flood("receive", 10**6, "binary")),
    Figure(
        "send 64 B text", "messages/s", Case("send", "/sink?bytes={bytes}", 500, 64)
    ),
    Figure("echo 64 B text", "round trips/s", Case("echo", "/echo", 100, 64)),
    Figure("open connections", "connections/s", _OPEN),
    Figure("memory per idle client", "KiB, less is better", _OPEN, is_memory=True),
)


def chosen(pattern: str | None) -> list[Figure]:
    """The figures whose titles contain a pattern, such as `1 MB` or `64*text`."""
    wanted = f"*{(pattern or '').lower()}*"
    return [figure for figure in FIGURES if fnmatchcase(figure.title.lower(), wanted)]


# ── Calibration and order ───────────────────────────────────────────────────


def next_count(run: Run, target: float) -> tuple[int, bool]:
    """How many messages take `target` seconds, and whether the run was long enough.

    Args:
        run: A shorter run of the same case.
        target: Seconds.
    """
    growth = min(target / max(run.seconds, 1e-9), FASTEST_GROWTH)
    return max(1, round(run.count * growth)), run.seconds >= CERTAIN * target


def rotated(names: Sequence[str], turn: int) -> list[str]:
    """The order of a turn. Over the turns, each contender begins equally often."""
    first = turn % len(names)
    return [*names[first:], *names[:first]]


# ── Medians, quartiles, ratios ──────────────────────────────────────────────


class Spread(NamedTuple):
    """A median and the quartiles around it."""

    low: float
    median: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """The median and quartiles of one value or more."""
    if len(values) == 1:  # `quantiles` takes a single value from Python 3.13 on
        return Spread(values[0], values[0], values[0])
    return Spread(*statistics.quantiles(values, n=4, method="inclusive"))


def rows(figure: Figure, runs: Runs) -> list[dict[str, Any]]:
    """Sum up a figure in a row for each contender.

    Returns:
        Rows for JSON and for `table()`; none if some run did not yield the figure.
    """
    found = {name: [figure.value(run) for run in its] for name, its in runs.items()}
    values = {
        name: [value for value in its if value is not None]
        for name, its in found.items()
    }
    if values != found:
        return []
    cpu = {name: None if figure.is_memory else _cpu_us(runs[name]) for name in runs}
    return [
        {
            "figure": figure.title,
            "unit": figure.unit,
            "contender": name,
            **spread(values[name])._asdict(),
            "cpu_us": cpu[name],
            "ratios": {
                other: {
                    **_ratio(values[name], values[other]),
                    "less_cpu": _quotient(cpu[other], cpu[name]),
                }
                for other in runs
                if other != name
            },
            "values": values[name],
        }
        for name in runs
    ]


def _quotient(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None


def _cpu_us(runs: Sequence[Run]) -> float:
    return statistics.median(run.cpu / run.count * 1e6 for run in runs)


def _ratio(its: Sequence[float], others: Sequence[float]) -> dict[str, float]:
    in_each_turn = [one / other for one, other in zip(its, others, strict=True)]
    of_medians = statistics.median(its) / statistics.median(others)
    return {**spread(in_each_turn)._asdict(), "of_medians": of_medians}


# ── The table ───────────────────────────────────────────────────────────────


def table(summed_up: Sequence[Mapping[str, Any]]) -> str:
    """The rows of all figures as text, with a column of ratios to each contender."""
    names = list(dict.fromkeys(row["contender"] for row in summed_up))
    others = [name for name in names if name != OURS]
    heads = "".join(f"{'/ ' + name:>19}" for name in others)
    lines, title = list[str](), ""
    for row in summed_up:
        if row["figure"] != title:
            title = row["figure"]
            lines += ["", f"{title}, {row['unit']}"]
            lines += [f"  {'':12}{'median':>11}{'quartiles':>22}{'CPU us':>9}{heads}"]
        lines.append(_line(row, others))
    return "\n".join(lines).lstrip()


def _line(row: Mapping[str, Any], others: Sequence[str]) -> str:
    low, median, high = (_number(row[name]) for name in Spread._fields)
    cpu = "" if row["cpu_us"] is None else f"{row['cpu_us']:.2f}"
    ratios = "".join(f"{_ratio_text(row, name):>19}" for name in others)
    line = f"{row['contender']:12}{median:>11}{f'{low}-{high}':>22}{cpu:>9}{ratios}"
    return f"  {line.rstrip()}"


def _ratio_text(row: Mapping[str, Any], other: str) -> str:
    if other == row["contender"]:
        return ""
    ratio = row["ratios"][other]
    return f"{ratio['median']:.2f} ({ratio['low']:.2f}-{ratio['high']:.2f})"


def _number(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"
