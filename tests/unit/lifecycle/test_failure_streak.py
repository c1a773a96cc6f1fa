"""The failure streak counts failures, retries and refusals, each by its own rule."""

from ws_common.lifecycle.failure_streak import FailureStreak


def test_failures_and_refusals_are_counted_apart():
    """Any failed attempt counts, but only refusals in a row count as refusals."""
    streak = FailureStreak()
    for refused in (True, True, False, True):
        streak = streak.after_failure(refused=refused, attempt=True, spread=False)

    assert FailureStreak(failures=4, refusals=1) == streak


def test_loss_of_a_stable_connection_is_no_failed_attempt():
    """It may be a refusal by close code all the same."""
    streak = FailureStreak().after_failure(refused=True, attempt=False, spread=False)

    assert FailureStreak(failures=0, refusals=1) == streak


def test_spread_is_kept_to_the_end():
    """One Service Restart spreads every later retry of the streak."""
    streak = FailureStreak().after_failure(refused=False, attempt=True, spread=True)
    streak = streak.after_retry()
    streak = streak.after_failure(refused=False, attempt=True, spread=False)

    assert FailureStreak(failures=2, retries=1, spread=True) == streak
