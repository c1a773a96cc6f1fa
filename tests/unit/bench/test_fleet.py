"""The simulation behind docs/backoff.md counts what it says it counts."""

import pytest

from tests.bench.fleet import (
    DEFAULTS,
    HANDSHAKE,
    OUTAGE,
    at_maximum,
    at_once,
    at_once_on_paper,
    dart,
    ours,
    simulate,
)


def test_without_backoff():
    """What is calculated for a whole fleet is what simulating a small one gives."""
    real, paper = simulate(at_once, 50), at_once_on_paper(50)

    assert real.attempts == pytest.approx(paper.attempts, rel=0.01)
    assert real.mean(1, 59) == pytest.approx(paper.mean(1, 59), rel=0.01)
    assert 50 == len(real.back)
    assert OUTAGE <= real.back[0] <= real.back[-1] <= OUTAGE + 2 * HANDSHAKE + 1e-6


def test_ours_spares_the_server():
    """A hundredth of the attempts, and all are back within the longest delay."""
    seen = simulate(ours(DEFAULTS), 2000)

    assert seen.attempts < at_once_on_paper(2000).attempts / 100
    assert seen.all_back(1.0) <= 15.0 + HANDSHAKE
    assert seen.mean(20, OUTAGE) < 2000 / 7


def test_restart_is_spread():
    """After 1012 the highest peak is a fraction of what it is without a word."""
    plain, spread = (
        simulate(ours(DEFAULTS), 2000),
        simulate(ours(DEFAULTS, spread=True), 2000),
    )

    assert spread.peak(0, 90) < plain.peak(0, 90) / 3


def test_clumps():
    """Cutting off leaves a share of min / max on the maximum; drawing up to it none."""
    assert at_maximum(dart(5, 10), 10) == pytest.approx(0.5, abs=0.01)
    assert at_maximum(dart(0.5, 15), 15) == pytest.approx(0.5 / 15, abs=0.005)
    assert 0.0 == at_maximum(ours(DEFAULTS), 15)
