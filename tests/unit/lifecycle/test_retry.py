"""The retry decision: every row of the table in docs/lifecycle.md."""

import random
from datetime import UTC, datetime

import pytest

from ws_common.lifecycle.failure_streak import FailureStreak
from ws_common.lifecycle.retry import Retry, Stop, decide_retry
from ws_common.options.backoff import ConnectionRetryInterval
from ws_common.vocabulary.errors import (
    WSConnectionClosedError,
    WSError,
    WSHandshakeError,
    WSInvalidUrlError,
    WSNotConnectedError,
    WSRetriesExhaustedError,
    WSTimeoutError,
    WSUnsupportedError,
)

NOW = datetime(2030, 1, 1, tzinfo=UTC)
FINAL_CODES = {1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003}
TRANSIENT_STATUSES = {408, 425, 429}


def closed(code: int | None) -> WSConnectionClosedError:
    return WSConnectionClosedError(close_code=code)


def refused(status: int | None, *, permanent: bool = False) -> WSHandshakeError:
    return WSHandshakeError("no", status=status, permanent=permanent)


def decide(
    error: WSError,
    *,
    streak: FailureStreak | None = None,
    connected_before: bool = False,
    stable: bool = False,
    has_provider: bool = False,
    faults: list[Exception] | None = None,
    **interval: object,
) -> Retry | Stop:
    """Decide about one failure."""
    return decide_retry(
        error,
        streak or FailureStreak(),
        ConnectionRetryInterval(**interval),
        random.Random(5),
        pytest.fail if faults is None else faults.append,
        stable=stable,
        connected_before=connected_before or stable,
        elapsed=12.0,
        now=NOW,
        has_provider=has_provider,
    )


def is_retried(error: WSError, **facts: object) -> bool:
    decision = decide(error, **facts)
    assert isinstance(decision, Retry | Stop)
    return isinstance(decision, Retry)


def test_http_statuses():
    """A 4xx is final except 408, 425 and 429; everything else is retried."""
    statuses = {*range(100, 600), None}
    final = {status for status in statuses if not is_retried(refused(status))}

    assert set(range(400, 500)) - TRANSIENT_STATUSES == final


@pytest.mark.parametrize("code", [None, *range(1000, 1016), 2999, *range(3000, 3010)])
def test_close_codes(code):
    """Eight close codes are final; everything else is not, a 1000 of the server too."""
    assert (code not in FINAL_CODES) == is_retried(closed(code))


@pytest.mark.parametrize(
    ("error", "retried"),
    [
        (refused(None, permanent=True), False),
        (refused(503, permanent=True), False),
        (WSInvalidUrlError("no host"), False),
        (WSUnsupportedError("not here"), False),
        (WSTimeoutError("too slow"), True),
        (WSNotConnectedError("no such host"), True),
        (WSError("something"), True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_failures(error, retried):
    """An error is final if no server can help; errors of the network are not."""
    assert retried == is_retried(error)


@pytest.mark.parametrize("error", [refused(404), refused(401), closed(1008)], ids=str)
def test_refusals_are_final_the_third_time_once_stable(error):
    """A deploy or an expired token does not end a program that was connected before."""
    streak = FailureStreak()
    seen = []
    for _ in range(3):
        decision = decide(error, streak=streak, connected_before=True)
        seen.append(type(decision))
        streak = decision.streak

    assert [Retry, Retry, Stop] == seen


CREDENTIAL_ERRORS = [refused(401), refused(403), closed(3000), closed(3003)]


@pytest.mark.parametrize("error", CREDENTIAL_ERRORS, ids=str)
def test_a_provider_is_asked_three_times(error):
    """Refused credentials are final only the third time in a row."""
    streak = FailureStreak(refusals=1)

    assert not is_retried(error)
    assert is_retried(error, has_provider=True, streak=streak)
    assert not is_retried(error, has_provider=True, streak=FailureStreak(refusals=2))


@pytest.mark.parametrize("error", [refused(404), refused(407), closed(1008)], ids=str)
def test_a_provider_makes_nothing_else_better(error):
    """All other refusals are final at once, with a provider too."""
    assert not is_retried(error, has_provider=True)


def test_refusals_are_counted_in_a_row():
    """Another kind of failure between two refusals starts the count again."""
    streak = FailureStreak()
    for error in [refused(404), refused(404), refused(503), refused(404), closed(1008)]:
        decision = decide(error, streak=streak, connected_before=True)
        assert isinstance(decision, Retry), error
        streak = decision.streak

    assert 2 == streak.refusals
    assert not is_retried(refused(404), streak=streak, connected_before=True)


def test_stable_connection_closed_with_a_final_code():
    """The end of a stable connection is a first refusal, and no failed attempt."""
    decision = decide(closed(1008), stable=True)

    assert isinstance(decision, Retry)
    assert FailureStreak(failures=0, retries=0, refusals=1) == decision.streak


@pytest.mark.parametrize(
    "error",
    [refused(None, permanent=True), WSInvalidUrlError("x"), WSUnsupportedError("x")],
    ids=lambda value: type(value).__name__,
)
def test_hopeless_stays_hopeless(error):
    """A certificate or a URL stays final after a stable connection."""
    assert not is_retried(error, connected_before=True)


def test_without_an_interval_nothing_is_retried():
    """No retry interval: the error itself is the end."""
    error = closed(1006)

    decision = decide_retry(
        error,
        FailureStreak(),
        None,
        random.Random(5),
        pytest.fail,
        stable=True,
        connected_before=True,
        elapsed=0.0,
        now=NOW,
        has_provider=False,
    )

    assert isinstance(decision, Stop)
    assert decision.error is error


# retry_if


@pytest.mark.parametrize("error", [closed(1008), refused(401), WSTimeoutError("x")])
@pytest.mark.parametrize(
    ("answer", "delay"),
    [(True, None), (0, 0.0), (0.0, 0.0), (2.5, 2.5), (1e6, 1e6)],
    ids=repr,
)
def test_retry_if_says_retry(error, answer, delay):
    """True retries after the drawn delay; a number after so many seconds, 0 too."""
    decision = decide(error, retry_if=lambda _: answer)

    assert isinstance(decision, Retry)
    if delay is None:
        assert 0.5 <= decision.delay <= 1.0
    else:
        assert delay == decision.delay


@pytest.mark.parametrize("error", [closed(1006), closed(1008), refused(503)], ids=str)
def test_retry_if_says_stop(error):
    """False stops, and the error itself is the end."""
    decision = decide(error, retry_if=lambda _: False)

    assert isinstance(decision, Stop)
    assert decision.error is error


@pytest.mark.parametrize(
    ("error", "retried"), [(closed(1006), True), (closed(1008), False)]
)
def test_retry_if_leaves_it(error, retried):
    """None leaves the default decision."""
    assert retried == is_retried(error, retry_if=lambda _: None)


@pytest.mark.parametrize(
    "answer",
    [-1, -0.5, float("nan"), float("inf"), "yes", [], object, 10**400],
    ids=lambda answer: f"{answer!r:.12}",
)
@pytest.mark.parametrize(
    ("error", "retried"), [(closed(1006), True), (closed(1008), False)]
)
def test_retry_if_answers_nonsense(answer, error, retried):
    """Nonsense is reported, and the default decision holds."""
    faults: list[Exception] = []

    assert retried == is_retried(error, faults=faults, retry_if=lambda _: answer)
    assert [TypeError] == [type(fault) for fault in faults]
    assert "retry_if must return" in str(faults[0])


@pytest.mark.parametrize(
    ("error", "retried"), [(closed(1006), True), (closed(1008), False)]
)
def test_retry_if_raises(error, retried):
    """What it raises is reported, and the default decision holds."""
    faults: list[Exception] = []
    wrong = LookupError("which?")

    def answer(_context: object) -> bool:
        raise wrong

    assert retried == is_retried(error, faults=faults, retry_if=answer)
    assert [wrong] == faults


@pytest.mark.parametrize("seconds", [1e12, 1e300])
def test_delay_beyond_the_calendar(seconds):
    """A retry beyond the last date of the calendar is only a long wait."""
    asked = decide(closed(1006), retry_if=lambda _: seconds)
    drawn = decide(closed(1012), min=seconds, max=seconds)

    assert seconds == asked.delay == drawn.delay
    assert datetime.max.replace(tzinfo=UTC) == asked.at == drawn.at


@pytest.mark.parametrize("code", [1012, 1013])
def test_a_spread_run_stays_spread(code):
    """Later retries of the streak are drawn from the whole interval as well."""
    streak = decide(closed(code)).streak
    sample = [
        decide(refused(503), streak=streak, min=1, max=1000).delay for _ in range(3)
    ]
    assert min(sample) > 2, "an upper end of 2 s would be the unspread first draw"
    assert (
        not FailureStreak()
        .after_failure(refused=False, attempt=True, spread=False)
        .spread
    )


def test_what_retry_if_is_told():
    """It gets the facts, and the default decision."""
    contexts = []
    decide(
        closed(1008),
        streak=FailureStreak(failures=2, retries=2, refusals=1),
        connected_before=True,
        retry_if=contexts.append,
    )
    decide(closed(1008), retry_if=contexts.append)

    assert [3, 1] == [context.attempt for context in contexts]
    assert [True, False] == [context.ever_connected for context in contexts]
    assert [True, False] == [context.default for context in contexts]
    assert [12.0, 12.0] == [context.elapsed for context in contexts]
    assert [1008, 1008] == [context.error.close_code for context in contexts]


# max_attempts


def test_max_attempts():
    """So many failed attempts in a row are the end; the last error is the cause."""
    streak = FailureStreak()
    for _ in range(2):
        decision = decide(closed(1006), streak=streak, max_attempts=3)
        assert isinstance(decision, Retry)
        streak = decision.streak
    last = WSTimeoutError("no connection to ws://example.org/ within 5 s")

    decision = decide(last, streak=streak, max_attempts=3)

    assert isinstance(decision, Stop)
    assert isinstance(decision.error, WSRetriesExhaustedError)
    assert 3 == decision.error.attempts
    assert decision.error.__cause__ is last
    expected = (
        "gave up after 3 failed attempts in a row; the last: "
        "no connection to ws://example.org/ within 5 s"
    )
    assert expected == str(decision.error)


@pytest.mark.parametrize("answer", [True, 0, 3.0])
def test_max_attempts_holds_whatever_retry_if_says(answer):
    """`retry_if` cannot go beyond the limit."""
    decision = decide(closed(1006), max_attempts=1, retry_if=lambda _: answer)

    assert isinstance(decision.error, WSRetriesExhaustedError)


def test_final_error_is_not_wrapped():
    """If the last error is final by itself, it is raised as it is."""
    error = refused(401)

    assert decide(error, max_attempts=1).error is error


def test_loss_of_a_stable_connection_is_no_failed_attempt():
    """With one attempt allowed, the loss of a stable connection is still retried."""
    assert is_retried(closed(1006), stable=True, max_attempts=1)
    assert not is_retried(closed(1006), stable=False, max_attempts=1)
