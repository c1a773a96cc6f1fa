"""The check of each option, and the form in which its value is stored."""

import pytest

from ws_common.options.backoff import ConnectionRetryInterval
from ws_common.options.compression import CompressionOptions
from ws_common.options.option_checks import CHECKS
from ws_common.options.options import AllOptions
from ws_common.options.outbox import Outbox


def check(name: str, value: object) -> object:
    return CHECKS[name](name, value)


def test_every_option_has_a_check():
    """Every option is checked, and nothing else is."""
    assert AllOptions.__optional_keys__ - {"reconnect"} == CHECKS.keys()


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("connection_retry_interval", (1, 2), ConnectionRetryInterval(1, 2)),
        ("protocols", ["a", "b"], ("a", "b")),
        ("interceptors", [], ()),
        ("outbox", None, Outbox(max_messages=0)),
        ("compression", False, CompressionOptions(enabled=False)),
        ("headers", {"X": "1"}, {"X": ("1",)}),
        ("timeout", 3, 3.0),
        ("timeout", None, None),
        ("local_addr", ("::1", 0), ("::1", 0)),
        ("proxy", "HTTP://joe@proxy:1", "http://joe:@proxy:1"),
        ("proxy", True, True),
        ("server_hostname", "", ""),
        ("unix_path", "\0abstract", "\0abstract"),
    ],
)
def test_stored_form(name, value, stored):
    """A valid value is converted to the form in which it is stored."""
    assert stored == check(name, value)


def test_iterables_are_read_once():
    """A generator is stored as a tuple."""
    assert ("a", "b") == check("protocols", (name for name in "ab"))


def test_providers_are_not_called():
    """A function that returns headers is stored, and called for each attempt."""
    assert pytest.fail is check("headers", pytest.fail)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("protocols", "chat"),
        ("outbox", True),
        ("write_limit", True),
        ("max_size", 1.0),
        ("ssl", object()),
        ("stream_overflow", "explode"),
        ("local_addr", ("host", "80")),
        ("unix_path", ""),
    ],
)
def test_invalid(name, value):
    """The error names the option."""
    with pytest.raises((TypeError, ValueError), match=rf"^{name}\b"):
        check(name, value)


@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        ("ftp://proxy", "must begin with http:// or "),
        ("http://proxy/path", "must end with its host and port"),
        ("http://", "must have a host"),
    ],
)
def test_invalid_proxy(proxy, message):
    """The error for a proxy says what its URL must be."""
    with pytest.raises(ValueError, match=f"a proxy's URL {message}"):
        check("proxy", proxy)
