"""JSON of a peer: its cost is bounded, and every skipped message is reported."""

import asyncio
import json
import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ws
from tests.support.client_helpers import Told
from tests.support.fake_network import PATIENCE, connected
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle
from ws_common.options import json_codec

pytestmark = pytest.mark.looptime

MANY = 501
"""The number of brackets above which the depth of nesting is measured."""

MAX_SECONDS = 0.1
"""The maximum of seconds of this thread. A parser needs less than a millisecond."""

UNTERMINATED = '"' + '\\"' * 10_000
"""A string of escaped quotes that never ends, 20 KB."""

GOOD = {"good": True}


def warnings(caplog) -> list[str]:
    """The messages of the log at WARNING."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("ws") and record.levelno >= logging.WARNING
    ]


async def next_of(subscriber: ws.Subscriber) -> object:
    """Wait for the next value, for a limited time."""
    async with asyncio.timeout(PATIENCE):
        return await anext(subscriber)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("[]" * MANY + UNTERMINATED, id="no-end"),
        pytest.param(("[]" * MANY + UNTERMINATED).encode(), id="bytes"),
        pytest.param("{}" * MANY + '["closed", ' + UNTERMINATED, id="inside-an-array"),
        pytest.param("[]" * MANY + '"\\\n' * 10_000, id="escaped-line-ends"),
        pytest.param("[]" * MANY + '"\n' * 10_000, id="line-ends"),
        pytest.param("[]" * MANY + "\\" * 20_000, id="no-string"),
    ],
)
async def test_no_message_costs_more_than_linear_time(message):
    """A message of 20 KB is decoded or skipped at once."""
    connector = FakeConnector()
    async with connected(connector) as (client, transport):
        with client.stream.json.subscribe() as values:
            began = time.thread_time()
            transport.message(message)
            transport.message(json.dumps(GOOD))
            assert await next_of(values) == GOOD
            assert time.thread_time() - began < MAX_SECONDS


def depth(value: object) -> int:
    """Return the depth of nesting."""
    inside = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(depth, inside), default=0)


ODD_TEXT = st.text('[]{}"\\ \né', max_size=4)
"""Text that looks like structure."""

VALUES = st.recursive(
    ODD_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD_TEXT, inner),
)


@given(value=VALUES, deepest=st.integers(0, 4), readable=st.booleans())
def test_depth_is_measured_as_a_parser_meets_it(value, deepest, readable):
    """Brackets inside strings are not counted."""
    text = json.dumps(value, ensure_ascii=readable)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_codec, "_MAX_DEPTH", deepest)
        assert json_codec._is_too_deep(text) == (depth(value) > deepest)


async def values_of(*messages: ws.Data) -> list[object]:
    """Return the values that `stream.json` yields for these messages."""
    connector = FakeConnector()
    async with connected(connector) as (client, transport):
        with client.stream.json.subscribe() as values:
            for message in (*messages, json.dumps(GOOD)):
                transport.message(message)
            found = [await next_of(values)]
            while found[-1] != GOOD:
                found.append(await next_of(values))
    return found[:-1]


@pytest.mark.parametrize("around", ["[%s]", '{"a":%s}', '["[", %s]', '["\\"", %s]'])
async def test_deep_nesting_is_skipped(around):
    """500 levels are decoded, and messages with more are skipped."""
    text = "1"
    for _ in range(500):
        text = around % text
    deep = "[" * 100_000
    assert await values_of(deep, f"[{text}]", text) == [json.loads(text)]


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-32-be"])
async def test_json_is_utf_8(coding):
    """JSON in another coding (RFC 8259 section 8.1) does not hide its depth."""
    hidden = '["\\"", ' + "[" * 1_000 + "]" * 1_000 + "]"
    assert await values_of("[1]".encode(coding), hidden.encode(coding)) == []
    assert await values_of(b"\xef\xbb\xbf[1]") == [[1]]


async def test_skipped_messages_are_counted():
    """`metrics.skipped_count` says how many messages `stream.json` has left out."""
    connector = FakeConnector()
    async with connected(connector) as (client, transport):
        with client.stream.json.subscribe() as values:
            for message in ("no JSON", "NaN", json.dumps(GOOD)):
                transport.message(message)
            assert await next_of(values) == GOOD
        assert client.metrics.skipped_count == 2
        assert client.metrics.to_dict()["skipped_count"] == 2
        assert client.metrics.to_json()["skippedCount"] == 2


async def test_a_skipped_message_is_logged(caplog):
    """The log has a warning of a message that was skipped."""
    connector, events = FakeConnector(), Told()
    with caplog.at_level(logging.WARNING, logger="ws"):
        async with connected(connector, on_event=events) as (client, transport):
            with client.stream.json.subscribe() as values:
                transport.message("no JSON")
                transport.message(json.dumps(GOOD))
                assert await next_of(values) == GOOD
    assert len(events.named("message_skipped")) == 1
    assert len(warnings(caplog)) == 1


async def test_a_flood_of_skipped_messages_does_not_flood_the_log(caplog):
    """A thousand skipped messages cause a few warnings."""
    connector = FakeConnector()
    with caplog.at_level(logging.WARNING, logger="ws"):
        async with connected(connector) as (client, transport):
            with client.stream.json.subscribe() as values:
                for _ in range(1000):
                    transport.message("no JSON")
                transport.message(json.dumps(GOOD))
                assert await next_of(values) == GOOD
                await until_idle()
    assert 1 <= len(warnings(caplog)) <= 20


async def test_one_warning_a_minute(caplog):
    """Each client warns once a minute, and counts all messages."""
    with caplog.at_level(logging.WARNING, logger="ws"):
        for _ in range(2):
            connector = FakeConnector()
            async with connected(connector) as (client, transport):
                numbers = client.stream.decode(int, on_error="skip").subscribe()
                for message in ("one", "two", "3"):
                    transport.message(message)
                assert await next_of(numbers) == 3
                await asyncio.sleep(60)
                for message in ("four", "five", "6"):
                    transport.message(message)
                assert await next_of(numbers) == 6
                assert client.metrics.skipped_count == 4
    assert len(warnings(caplog)) == 4


async def test_what_is_raised_is_not_counted():
    """An error that is raised to the reader is not counted as a skipped message."""
    connector = FakeConnector()
    async with connected(connector) as (client, transport):
        numbers = client.stream.decode(int).subscribe()
        transport.message("one")
        with pytest.raises(ValueError, match="one"):
            await next_of(numbers)
        assert client.metrics.skipped_count == 0
