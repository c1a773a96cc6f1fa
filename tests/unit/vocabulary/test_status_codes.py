"""Close status codes: their names, and which of them can be sent."""

import pytest

from ws_common.vocabulary.status_codes import WebSocketStatusCode, describe, is_sendable

REGISTRY = {
    1000: "NORMAL_CLOSURE",
    1001: "GOING_AWAY",
    1002: "PROTOCOL_ERROR",
    1003: "UNSUPPORTED_DATA",
    1005: "NO_STATUS_RECEIVED",
    1006: "ABNORMAL_CLOSURE",
    1007: "INVALID_FRAME_PAYLOAD_DATA",
    1008: "POLICY_VIOLATION",
    1009: "MESSAGE_TOO_BIG",
    1010: "MANDATORY_EXTENSION",
    1011: "INTERNAL_ERROR",
    1012: "SERVICE_RESTART",
    1013: "TRY_AGAIN_LATER",
    1014: "BAD_GATEWAY",
    1015: "TLS_HANDSHAKE",
    3000: "UNAUTHORIZED",
    3003: "FORBIDDEN",
    3008: "TIMEOUT",
}


def test_registry():
    """The names are the same as in RFC 6455 and in the IANA registry."""
    assert REGISTRY == {int(code): code.codename for code in WebSocketStatusCode}


def test_sendable():
    """An endpoint may send all codes but the reserved ones."""
    sendable = {code for code in range(6000) if is_sendable(code)}
    never = {1004, 1005, 1006, 1015}

    assert {*range(1000, 1016), *range(3000, 5000)} - never == sendable
    assert {code for code in WebSocketStatusCode if code.is_sendable} == {
        code for code in REGISTRY if code in sendable
    }


@pytest.mark.parametrize("code", [-1, 0, 999, 1016, 2999, 5000, 65_536])
def test_outside(code):
    """Other numbers are not codes that may be sent."""
    assert not is_sendable(code)


def test_codes_are_numbers():
    """Codes compare and hash like the numbers that are sent."""
    assert 1001 == WebSocketStatusCode.GOING_AWAY
    assert {1001: "x"}[WebSocketStatusCode.GOING_AWAY] == "x"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1001, "1001 GOING_AWAY"),
        (WebSocketStatusCode.TIMEOUT, "3008 TIMEOUT"),
        (4009, "4009"),
        (None, "no code"),
    ],
)
def test_described(code, words):
    """A code is described with its name if it has one."""
    assert words == describe(code)
