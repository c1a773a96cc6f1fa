"""The checks of the close codes and reasons that a program passes."""

import pytest

from ws_common.options.close_codes import check_close, make_sendable_close
from ws_common.vocabulary.errors import WSInvalidCloseError, WSUnsupportedError
from ws_common.vocabulary.status_codes import WebSocketStatusCode

LONGEST = "ü" * 61 + "x"
"""A reason of 123 bytes."""


@pytest.mark.parametrize(
    ("code", "reason", "checked"),
    [
        (1000, "NORMAL_CLOSURE", (1000, "NORMAL_CLOSURE")),
        (1000, None, (1000, "")),
        (1000, "", (1000, "")),
        (1000, LONGEST, (1000, LONGEST)),
        (None, None, (None, "")),
        (None, "NORMAL_CLOSURE", (None, "")),  # the default reason
    ],
)
def test_valid(platform, code, reason, checked):
    """A valid code and reason are returned; the default reason needs its code."""
    assert checked == check_close(code, reason, platform)


def test_members_of_the_enumeration_become_numbers(platform):
    """A transport gets a plain number."""
    code, _ = check_close(WebSocketStatusCode.NORMAL_CLOSURE, "", platform)

    assert type(code) is int


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000])
def test_codes_that_no_endpoint_may_send(platform, code):
    """RFC 6455 section 7.4 reserves these codes."""
    with pytest.raises(WSInvalidCloseError, match=rf"close code {code}"):
        check_close(code, "", platform)


@pytest.mark.parametrize("code", ["1000", 1000.0, True])
def test_codes_of_a_wrong_type(platform, code):
    """A code must be an integer, and not a boolean."""
    with pytest.raises(WSInvalidCloseError, match="must be an integer or None"):
        check_close(code, "", platform)


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        (b"bytes", "must be a string or None"),
        ("\udcff", "must be UTF-8"),
        (LONGEST + "x", "may have 123 bytes of UTF-8; this one has 124"),
    ],
)
def test_invalid_reasons(platform, reason, message):
    """A reason must fit into a Close frame."""
    with pytest.raises(WSInvalidCloseError, match=message):
        check_close(1000, reason, platform)


def test_a_reason_without_a_code(platform):
    """A Close frame cannot contain a reason without a code."""
    with pytest.raises(WSInvalidCloseError, match="'bye' cannot be sent without one"):
        check_close(None, "bye", platform)


def test_codes_that_the_platform_may_not_send(in_a_browser):
    """The platform may allow fewer codes than the protocol."""
    with pytest.raises(WSUnsupportedError):
        check_close(1001, "", in_a_browser)


@pytest.mark.parametrize(
    ("code", "reason", "sent"),
    [
        (1006, "bye", (1000, "")),
        ("1000", "", (1000, "")),
        (1000, LONGEST + "x", (1000, "")),
        (None, "bye", (None, "")),
    ],
)
def test_replacing(platform, code, reason, sent):
    """What cannot be sent is replaced, and reported once."""
    events = []

    def report(name, **details):
        events.append((name, details["code"], type(details["error"])))

    assert sent == make_sendable_close(code, reason, platform, report)
    assert events == [("close_code_replaced", code, WSInvalidCloseError)]


def test_nothing_to_replace(platform):
    """A valid code and reason are returned without a report."""
    assert (1000, "bye") == make_sendable_close(1000, "bye", platform, pytest.fail)
