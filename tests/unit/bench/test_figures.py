"""The speed benchmark sums up correctly what its workers measured."""

from dataclasses import replace

import pytest

from tests.bench.figures import (
    FIGURES,
    Case,
    Figure,
    Run,
    Spread,
    chosen,
    next_count,
    rotated,
    rows,
    spread,
    table,
)

RATE = Figure(
    "send 64 B text", "messages/s", Case("send", "/sink?bytes={bytes}", 1, 64)
)
MEMORY = Figure("memory", "KiB", Case("open", "/idle"), is_memory=True)

RUNS = {
    "ours": [Run(200, 1.0, 0.5), Run(600, 2.0, 1.2), Run(400, 1.0, 1.0)],
    "peer": [Run(100, 1.0, 1.0), Run(100, 1.0, 1.0), Run(100, 1.0, 1.0)],
}


def test_a_figure_in_numbers():
    """Rates, processor time, and the ratios of the same turn."""
    ours, peer = rows(RATE, RUNS)

    assert ("ours", "peer") == (ours["contender"], peer["contender"])
    assert [200.0, 300.0, 400.0] == ours["values"]
    assert (250.0, 300.0, 350.0) == (ours["low"], ours["median"], ours["high"])
    assert pytest.approx(2500) == ours["cpu_us"]
    assert {
        "low": 2.5,
        "median": 3.0,
        "high": 3.5,
        "of_medians": 3.0,
        "less_cpu": pytest.approx(4.0),
    } == ours["ratios"]["peer"]
    assert pytest.approx(1 / 3) == peer["ratios"]["ours"]["of_medians"]


def test_ratios_are_of_the_same_turn():
    """A slow turn slows both, and leaves their ratio as it is."""
    slow = {name: [run, replace(run, seconds=9.0)] for name, (run, *_) in RUNS.items()}

    ours, _ = rows(RATE, slow)

    assert ours["low"] < ours["high"]
    assert (2.0, 2.0, 2.0) == tuple(
        ours["ratios"]["peer"][name] for name in Spread._fields
    )


@pytest.mark.parametrize("kib", [None, 0.0, -4.0])
def test_memory_that_was_not_measured(kib):
    """One run without it, and the figure is left out."""
    measured = [Run(10, 1.0, 1.0, kib=12.5)]
    runs = {"ours": measured, "peer": [Run(10, 1.0, 1.0, kib=kib)]}

    assert [] == rows(MEMORY, runs)
    assert [12.5] == [row["median"] for row in rows(MEMORY, {"ours": measured})]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([7.0], (7, 7, 7)), ([1.0, 3.0], (1.5, 2, 2.5)), ([5.0, 1, 4, 2, 3], (2, 3, 4))],
)
def test_quartiles(values, expected):
    assert expected == spread(values)


def test_table():
    """A block for each figure, a column of ratios for each other contender."""
    memory = {name: [Run(10, 1.0, 1.0, kib=12.5)] for name in RUNS}

    text = table([*rows(RATE, RUNS), *rows(MEMORY, memory)])

    assert [
        "send 64 B text, messages/s",
        "median quartiles CPU us / peer",
        "ours 300 250-350 2500.00 3.00 (2.50-3.50)",
        "peer 100 100-100 10000.00",
        "",
        "memory, KiB",
        "median quartiles CPU us / peer",
        "ours 12.5 12.5-12.5 1.00 (1.00-1.00)",
        "peer 12.5 12.5-12.5",
    ] == [" ".join(line.split()) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, (1000, False)),  # a clock too coarse for it
        (0.01, (1000, False)),
        (0.25, (200, True)),
        (0.5, (100, True)),
        (1.0, (50, True)),
        (500.0, (1, True)),
    ],
)
def test_calibration(seconds, expected):
    """As many messages as take half a second, approached in steps of ten."""
    assert expected == next_count(Run(100, seconds, seconds), target=0.5)


def test_rotation():
    assert [list("abc"), list("bca"), list("cab"), list("abc")] == [
        rotated("abc", turn) for turn in range(4)
    ]


@pytest.mark.parametrize(
    ("pattern", "count"),
    [(None, len(FIGURES)), ("1 MB", 2), ("LISTEN", 1), ("send*text", 1), ("quic", 0)],
)
def test_choice(pattern, count):
    assert count == len(chosen(pattern))


def test_commands():
    """Sinks are told how many bytes will come; nothing is sent where clients idle."""
    assert {
        "action": "send",
        "url": "ws://host/sink?bytes=700",
        "count": 10,
        "size": 64,
    } == RATE.case.command("ws://host", 10)
    assert {
        "action": "open",
        "url": "ws://host/idle",
        "count": 10,
    } == MEMORY.case.command("ws://host", 10)
