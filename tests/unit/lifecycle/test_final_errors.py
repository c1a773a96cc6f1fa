"""Which errors are final, and in what words that is explained."""

import pytest

from ws_common.lifecycle.failure_streak import FailureStreak
from ws_common.lifecycle.final_errors import (
    explain_final,
    is_final,
    is_permanent,
    is_refusal,
)
from ws_common.options.backoff import ConnectionRetryInterval
from ws_common.vocabulary.errors import (
    WSConnectionClosedError,
    WSError,
    WSHandshakeError,
    WSInvalidUrlError,
    WSRetriesExhaustedError,
    WSTimeoutError,
)

INTERVAL = ConnectionRetryInterval(max_attempts=4)
NOT_FOUND = WSHandshakeError("no", status=404)
POLICY_VIOLATION = WSConnectionClosedError(close_code=1008)
BAD_CERTIFICATE = WSHandshakeError("no", permanent=True)
EXHAUSTED = WSRetriesExhaustedError("gave up", attempts=4)


@pytest.mark.parametrize(
    ("error", "refusal", "permanent"),
    [
        (NOT_FOUND, True, False),
        (POLICY_VIOLATION, True, False),
        (WSHandshakeError("no", status=429), False, False),
        (WSConnectionClosedError(close_code=1000), False, False),
        (BAD_CERTIFICATE, False, True),
        (WSInvalidUrlError("no host"), False, True),
        (WSTimeoutError("too slow"), False, False),
    ],
)
def test_kinds_of_errors(error, refusal, permanent):
    """A server refuses by status or code; what no server can help is permanent."""
    assert (refusal, permanent) == (is_refusal(error), is_permanent(error))


def test_status_that_is_inferred():
    """A status that a browser has only inferred is final the third time in a row."""
    error = WSHandshakeError("no", status=404)
    error.status_is_inferred = True
    finals = [
        is_final(
            error,
            FailureStreak(refusals=refusals),
            connected_before=False,
            has_provider=False,
        )
        for refusals in (1, 2, 3)
    ]

    assert [False, False, True] == finals


@pytest.mark.parametrize(
    ("error", "interval", "words"),
    [
        (NOT_FOUND, None, "`connection_retry_interval` is None"),
        (NOT_FOUND, INTERVAL, "404 is not retried: see `retry_if`"),
        (EXHAUSTED, INTERVAL, "`max_attempts` is 4"),
        (BAD_CERTIFICATE, INTERVAL, "this does not get better by itself"),
        (WSError("something"), INTERVAL, "`retry_if` said so"),
    ],
)
def test_explanation(error, interval, words):
    """The reason is named, and the option that can change it."""
    assert explain_final(error, interval).startswith(words)


def test_explanation_names_a_close_code():
    """The code is named with its meaning."""
    words = explain_final(POLICY_VIOLATION, INTERVAL)

    assert "1008" in words
    assert "retry_if" in words
