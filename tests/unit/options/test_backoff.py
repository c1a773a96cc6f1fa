"""The delays of retries are uniform, bounded, and different for every client."""

import math
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ws_common.lifecycle.failure_streak import FailureStreak
from ws_common.lifecycle.retry import Retry, decide_retry
from ws_common.options.backoff import ConnectionRetryInterval
from ws_common.vocabulary.errors import (
    WSConnectionClosedError,
    WSError,
    WSHandshakeError,
)

DRAWS = 10_000
CRITICAL = 1.949 / math.sqrt(DRAWS)
"""The Kolmogorov-Smirnov statistic that uniform draws exceed in one of 1,000 samples.

It is that of the asymptotic distribution. The seeds are fixed, so that the result is
the same in every run.
"""

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DROPPED = WSConnectionClosedError(close_code=1006)
FIRST = {
    "stable": False,
    "connected_before": False,
    "elapsed": 1.0,
    "now": NOW,
    "has_provider": False,
}
"""The arguments of `decide_retry` if no connection was ever stable."""


def draw_delays(
    interval: ConnectionRetryInterval,
    retry: int,
    *,
    error: WSError = DROPPED,
    seed: int = 0,
    count: int = DRAWS,
) -> list[float]:
    """Draw `count` delays before retry number `retry`."""
    rng = random.Random(f"{seed} {retry}")
    streak = FailureStreak(failures=retry, retries=retry)
    decisions = [
        decide_retry(error, streak, interval, rng, pytest.fail, **FIRST)
        for _ in range(count)
    ]
    assert all(isinstance(decision, Retry) for decision in decisions)
    return [decision.delay for decision in decisions]


def measure_distance(sample: list[float], low: float, high: float) -> float:
    """Return the Kolmogorov-Smirnov statistic against uniform(low, high)."""
    count = len(sample)
    ideal = [(value - low) / (high - low) for value in sorted(sample)]
    return max(
        max((rank + 1) / count - share, share - rank / count)
        for rank, share in enumerate(ideal)
    )


@pytest.mark.parametrize("retry", [0, 1, 2, 3, 4, 5, 6, 10, 100, 100_000])
def test_delays_are_uniform(retry):
    """Before every retry the delay is uniform between `min` and the upper bound."""
    interval = ConnectionRetryInterval()
    upper = min(15.0, 0.5 * 2.0 ** min(retry + 1, 60))

    sample = draw_delays(interval, retry)

    assert measure_distance(sample, 0.5, upper) < CRITICAL
    assert min(sample) >= 0.5
    assert max(sample) <= upper


@pytest.mark.parametrize("retry", range(8))
def test_other_parameters_too(retry):
    """The documented distribution applies to any minimum, maximum and factor."""
    interval = ConnectionRetryInterval(min=2, max=timedelta(minutes=1), factor=1.5)
    upper = min(60.0, 2 * 1.5 ** (retry + 1))

    assert upper == pytest.approx(interval.upper(retry))
    assert measure_distance(draw_delays(interval, retry), 2.0, upper) < CRITICAL


def test_statistic_tells_other_distributions():
    """The statistic rejects draws that are clamped to the maximum."""
    rng = random.Random(1)
    clumped = [min(15.0, 0.5 + rng.uniform(0, 15)) for _ in range(DRAWS)]
    halved = [min(8.0, 0.5 + rng.uniform(0, 15)) for _ in range(DRAWS)]
    fair = [rng.uniform(0.5, 15) for _ in range(DRAWS)]

    assert measure_distance(clumped, 0.5, 15.0) > CRITICAL
    assert measure_distance(halved, 0.5, 8.0) > 10 * CRITICAL
    assert measure_distance(fair, 0.5, 15.0) < CRITICAL


def test_no_mass_at_either_end():
    """No two of many draws are equal, and none is `min` or `max`."""
    sample = draw_delays(ConnectionRetryInterval(), 30)

    assert DRAWS == len(set(sample))
    assert 0.5 not in sample
    assert 15.0 not in sample


def test_first_retry_is_jittered():
    """Clients that lost the same server do not return at the same moment."""
    sample = draw_delays(ConnectionRetryInterval(), 0)

    assert max(sample) - min(sample) > 0.49


@given(
    low=st.floats(1e-3, 1e3),
    more=st.floats(1.0, 1e3),
    factor=st.floats(1.0, 1e6),
    retry=st.integers(0, 10**9),
    spread=st.booleans(),
    seed=st.integers(),
)
def test_no_delay_is_out_of_bounds(low, more, factor, **draw):
    """For all options, and after days of failures: min ≤ delay ≤ max."""
    interval = ConnectionRetryInterval(min=low, max=low * more, factor=factor)

    retry, spread = draw["retry"], draw["spread"]
    delay = interval.draw(retry, spread=spread, rng=random.Random(draw["seed"]))

    assert low <= delay <= low * more


class Extreme(random.Random):
    """A generator whose `random()` always returns the same value."""

    def __init__(self, value: float) -> None:
        super().__init__(0)
        self.value = value

    def random(self) -> float:
        return self.value


@given(low=st.floats(1e-3, 1e3), high=st.floats(1e-3, 1e6))
def test_rounding_stays_within_bounds(low, high):
    """Rounding of the extreme draws does not exceed the bounds."""
    low, high = sorted((low, high))
    interval = ConnectionRetryInterval(min=low, max=high)
    for extreme in (0.0, 1.0 - 2.0**-53):
        assert low <= interval.draw(99, rng=Extreme(extreme)) <= high


def test_days_of_failures_do_not_overflow():
    """The power does not overflow, although a float ends at 2**1024."""
    interval = ConnectionRetryInterval(min=1, max=15)

    assert 15.0 == interval.upper(1023)
    assert 15.0 == interval.upper(10**9)


def test_huge_maximum_is_reached():
    """The upper bound grows until it reaches `max`."""
    interval = ConnectionRetryInterval(min=1e-3, max=1e6, factor=2)

    assert 1e-3 * 2**29 == interval.upper(28)
    assert 1e6 == interval.upper(29)


def test_equal_ends():
    """If `min` and `max` are equal, every delay is equal to them."""
    interval = ConnectionRetryInterval(min=3, max=3)

    assert {3.0} == set(draw_delays(interval, 4, count=50))


@pytest.mark.parametrize("code", [1012, 1013])
@pytest.mark.parametrize("retry", [0, 1, 7])
def test_restart_and_overload_spread_at_once(code, retry):
    """After 1012 and 1013 even the first delay is drawn from the whole interval."""
    sample = draw_delays(
        ConnectionRetryInterval(),
        retry,
        error=WSConnectionClosedError(close_code=code),
    )

    assert measure_distance(sample, 0.5, 15.0) < CRITICAL


@pytest.mark.parametrize(
    ("asked", "added"),
    [(None, 0.0), (0.0, 0.0), (7.0, 7.0), (300.0, 300.0), (86_400.0, 300.0)],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_added_in_front(asked, added, status):
    """`Retry-After` is added to the random delay, and is 5 minutes at most."""
    error = WSHandshakeError("busy", status=status, retry_after=asked)

    sample = draw_delays(ConnectionRetryInterval(), 2, error=error)

    assert measure_distance([delay - added for delay in sample], 0.5, 4.0) < CRITICAL
    assert min(sample) >= added + 0.5


def test_negative_retry_after_shortens_nothing():
    """A date in the past does not shorten the delay."""
    error = WSHandshakeError("busy", status=503, retry_after=-60.0)

    assert min(draw_delays(ConnectionRetryInterval(), 0, error=error, count=200)) >= 0.5


def test_time_of_the_next_attempt():
    """The decision contains the time of the next attempt, in UTC."""
    interval = ConnectionRetryInterval()

    decision = decide_retry(
        DROPPED, FailureStreak(), interval, random.Random(0), pytest.fail, **FIRST
    )

    assert NOW + timedelta(seconds=decision.delay) == decision.at


def test_calls_without_a_generator_differ():
    """The default generator is that of the system, and no two draws are equal."""
    interval = ConnectionRetryInterval()

    assert 1000 == len({interval.draw(9) for _ in range(1000)})


@pytest.mark.parametrize(
    ("bad", "kind", "name"),
    [
        ({"min": 0}, ValueError, "min"),
        ({"min": -1}, ValueError, "min"),
        ({"min": math.nan}, ValueError, "min"),
        ({"min": math.inf}, ValueError, "min"),
        ({"min": "1"}, TypeError, "min"),
        ({"min": True}, TypeError, "min"),
        ({"min": None}, TypeError, "min"),
        ({"min": timedelta(0)}, ValueError, "min"),
        ({"max": 0.1}, ValueError, "max"),
        ({"max": math.inf}, ValueError, "max"),
        ({"max": None}, TypeError, "max"),
        ({"factor": 0.9}, ValueError, "factor"),
        ({"factor": math.nan}, ValueError, "factor"),
        ({"factor": math.inf}, ValueError, "factor"),
        ({"factor": True}, ValueError, "factor"),
        ({"factor": "2"}, ValueError, "factor"),
        ({"max_attempts": 0}, ValueError, "max_attempts"),
        ({"max_attempts": 2.0}, ValueError, "max_attempts"),
        ({"max_attempts": True}, ValueError, "max_attempts"),
        ({"min_uptime": -1}, ValueError, "min_uptime"),
        ({"min_uptime": "5"}, TypeError, "min_uptime"),
        ({"retry_if": True}, TypeError, "retry_if"),
    ],
    ids=repr,
)
def test_bad_values_are_named(bad, kind, name):
    """An invalid value raises an error that names the attribute."""
    with pytest.raises(kind, match=rf"connection_retry_interval\.{name}"):
        ConnectionRetryInterval(**bad)


def test_durations_are_stored_as_seconds():
    """Durations may be a timedelta, and `min_uptime` may be 0."""
    interval = ConnectionRetryInterval(
        min=timedelta(milliseconds=250), max=timedelta(minutes=1), min_uptime=0
    )

    assert (0.25, 60.0, 0.0) == (interval.min, interval.max, interval.min_uptime)
    assert all(isinstance(one, float) for one in (interval.min, interval.min_uptime))
