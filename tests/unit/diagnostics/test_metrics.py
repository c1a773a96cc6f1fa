"""Metrics: to JSON and back, and as text."""

import json
import math
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ws_common.diagnostics.metrics import WebSocketMetrics
from ws_common.lifecycle.states import WebSocketReadyState

TIMES = st.integers(-(2**40), 2**47).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
COUNTS = st.integers(0, 2**70)
SMALL = st.integers(0, 2**31)
REAL = st.floats(0, 1e9)

METRICS = st.builds(
    WebSocketMetrics,
    timestamp=TIMES,
    ready_state=st.sampled_from(WebSocketReadyState),
    transferred_size=COUNTS,
    received_size=COUNTS,
    transferred_count=COUNTS,
    received_count=COUNTS,
    reconnects_successful=SMALL,
    reconnects_total=SMALL,
    disconnects=SMALL,
    last_successful_connection_time=st.none() | TIMES,
    last_disconnect_time=st.none() | TIMES,
    last_disconnect_code=st.none() | st.integers(1000, 4999),
    last_disconnect_reason=st.none() | st.text(),
    last_url=st.none() | st.text(),
    is_reconnection_active=st.booleans(),
    current_reconnect_attempts=SMALL,
    next_reconnection_attempt=st.none() | TIMES,
    latency=st.none() | REAL,
    uptime=REAL,
    buffered_amount=SMALL,
    unconfirmed_count=SMALL,
    dropped_count=SMALL,
    skipped_count=SMALL,
)

FROM_DART = """{
  "timestamp": 1700000000123, "readyState": 1,
  "transferredSize": "18446744073709551616", "receivedSize": "42",
  "transferredCount": "3", "receivedCount": "2",
  "reconnectsSuccessful": 1, "reconnectsTotal": 4,
  "lastSuccessfulConnectionTime": 1699999999000, "disconnects": 2,
  "lastDisconnectTime": null, "nextReconnectionAttempt": null,
  "lastDisconnectCode": 1001, "lastDisconnectReason": "GOING_AWAY",
  "isReconnectionActive": false, "currentReconnectAttempts": 0,
  "lastUrl": "wss://example.org/chat"
}"""
"""What version 1 of the Dart package writes: the same keys, and fewer."""


def read(**changes: object) -> WebSocketMetrics:
    return WebSocketMetrics.from_json({**json.loads(FROM_DART), **changes})


@given(metrics=METRICS)
def test_there_and_back(metrics):
    """Nothing is lost through JSON text, not even totals beyond 2**64."""
    text = json.dumps(metrics.to_json(), allow_nan=False)

    assert metrics == WebSocketMetrics.from_json(json.loads(text))


def test_written():
    """The keys are camelCase, times epoch milliseconds, the four totals strings."""
    written = read().to_json()

    assert json.loads(FROM_DART).items() <= written.items()
    added = set(written) - set(json.loads(FROM_DART))
    assert {
        "latency",
        "uptime",
        "bufferedAmount",
        "unconfirmedCount",
        "droppedCount",
        "skippedCount",
        "clientName",
    } == added
    assert len(fields(WebSocketMetrics)) == len(written)


def test_read_from_dart():
    """JSON of the Dart package is read; metrics that it does not have are zero."""
    metrics = read()

    seconds = datetime.fromtimestamp(1_700_000_000, UTC)
    assert seconds + timedelta(milliseconds=123) == metrics.timestamp
    assert WebSocketReadyState.OPEN is metrics.ready_state
    assert 2**64 == metrics.transferred_size
    assert (1, 4) == (metrics.reconnects_successful, metrics.reconnects_total)
    assert (1001, "GOING_AWAY") == (
        metrics.last_disconnect_code,
        metrics.last_disconnect_reason,
    )
    assert metrics.latency is None
    assert 0.0 == metrics.uptime
    assert (0, 0, 0) == (
        metrics.buffered_amount,
        metrics.unconfirmed_count,
        metrics.dropped_count,
    )


def test_read_from_an_older_version():
    """JSON from before a metric was added is read; that metric is zero."""
    older = read(droppedCount=3).to_json()
    del older["skippedCount"]
    assert WebSocketMetrics.from_json(older) == read(droppedCount=3)


@given(metrics=METRICS)
def test_as_a_dictionary(metrics):
    """It has every metric, unchanged."""
    assert WebSocketMetrics(**metrics.to_dict()) == metrics


def test_unknown_keys_do_no_harm():
    """Keys that a later version adds are ignored."""
    assert read() == read(somethingNew=1)


@pytest.mark.parametrize("key", sorted(json.loads(FROM_DART)))
def test_missing_key(key):
    """The error names the missing key."""
    given_json = json.loads(FROM_DART)
    del given_json[key]

    with pytest.raises(ValueError, match=rf"WebSocketMetrics.*{key}"):
        WebSocketMetrics.from_json(given_json)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("timestamp", None),
        ("timestamp", "yesterday"),
        ("timestamp", math.nan),
        ("timestamp", math.inf),
        ("timestamp", 10**18),
        ("lastDisconnectTime", -(10**18)),
        ("readyState", 4),
        ("readyState", None),
        ("transferredSize", "many"),
        ("transferredSize", None),
        ("receivedCount", []),
        ("disconnects", "many"),
        ("disconnects", None),
        ("disconnects", 1.5),
        ("disconnects", True),
        ("lastDisconnectCode", "1000"),
        ("lastDisconnectReason", 7),
        ("lastUrl", ["ws://"]),
        ("isReconnectionActive", 1),
        ("latency", "fast"),
        ("uptime", None),
        ("droppedCount", {}),
    ],
    ids=repr,
)
def test_nonsense(key, value):
    """A value of a wrong type or range raises ValueError."""
    with pytest.raises(ValueError, match="not the JSON of WebSocketMetrics"):
        read(**{key: value})


def test_whole_numbers_are_figures_too():
    """JSON written elsewhere may have `0` where a float is meant."""
    assert 3.0 == read(uptime=3).uptime
    assert 1.0 == read(latency=1).latency


def test_shown():
    """There is one line for each metric, in the order of the fields."""
    lines = str(replace(read(), latency=0.0123456)).splitlines()

    assert [f"- {field.name}" for field in fields(WebSocketMetrics)] == [
        line.partition(":")[0] for line in lines
    ]
    assert "- timestamp: 2023-11-14T22:13:20.123+00:00" == lines[0]
    assert "- ready_state: OPEN" == lines[1]
    assert "- latency: 0.012" in lines
    assert "- last_disconnect_time: None" in lines
