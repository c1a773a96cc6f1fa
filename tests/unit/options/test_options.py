"""Options are validated and immutable, can be copied, and hide their secrets."""

import copy
import math
import pickle
from datetime import timedelta

import pytest

from ws_common.options.backoff import ConnectionRetryInterval
from ws_common.options.compression import CompressionOptions
from ws_common.options.heartbeat import Heartbeat
from ws_common.options.interceptors import WSInterceptor
from ws_common.options.json_codec import Json
from ws_common.options.options import (
    AllOptions,
    CommonOptions,
    JsOptions,
    VmOptions,
    WebSocketOptions,
)
from ws_common.options.outbox import Outbox
from ws_common.vocabulary.errors import WSUnsupportedError

SECRET = "hunter2"  # noqa: S105 - it is what must not be seen

BAD_COMMON = [
    ("connection_retry_interval", 5),
    ("connection_retry_interval", (1, 2, 3)),
    ("connection_retry_interval", (0, 2)),
    ("connection_retry_interval", (2, 1)),
    ("connection_retry_interval", [1, 2]),
    ("protocols", "chat"),
    ("protocols", 7),
    ("protocols", None),
    ("protocols", ["a b"]),
    ("protocols", ["chat", ""]),
    ("protocols", [b"chat"]),
    ("protocols", ["chat", "chat"]),
    ("protocols", ["a\r\nX: y"]),
    ("timeout", 0),
    ("timeout", -1),
    ("timeout", math.nan),
    ("timeout", math.inf),
    ("timeout", 10**400),
    ("timeout", "30"),
    ("timeout", True),
    ("timeout", timedelta(seconds=-1)),
    ("close_timeout", None),
    ("close_timeout", 0),
    ("close_timeout", "10"),
    ("after_connect", "hello"),
    ("interceptors", WSInterceptor()),
    ("interceptors", [WSInterceptor]),
    ("interceptors", [print]),
    ("heartbeat", 20),
    ("heartbeat", True),
    ("outbox", 256),
    ("max_size", 0),
    ("max_size", -1),
    ("max_size", 1.5),
    ("max_size", True),
    ("stream_capacity", 0),
    ("stream_capacity", "many"),
    ("stream_overflow", "explode"),
    ("stream_overflow", None),
    ("write_limit", 0),
    ("write_limit", None),
    ("on_event", "print"),
    ("on_event", []),
    ("on_event", [print, "print"]),
    ("name", 7),
    ("name", ""),
    ("name", "a\nb"),
    ("json", "orjson"),
    ("reconnect", "yes"),
    ("reconnect", None),
    ("reconnect", 1),
    ("reconnect", (1, 2, 3)),
]
BAD_VM = [
    ("headers", [("a", "b")]),
    ("headers", "a: b"),
    ("compression", None),
    ("compression", "yes"),
    ("compression", 1),
    ("custom_client", "client"),
    ("user_agent", 7),
    ("user_agent", "a\r\nX: y"),
    ("ssl", "yes"),
    ("ssl", True),
    ("server_hostname", b"example.org"),
    ("proxy", 8080),
    ("origin", "http://a\nX: y"),
    ("unix_path", 7),
    ("local_addr", "127.0.0.1"),
    ("local_addr", ("127.0.0.1", "80")),
]
BAD_JS = [("use_blob_for_binary", None), ("diagnose", 1), ("diagnose", "yes")]

GOOD = {
    "connection_retry_interval": ConnectionRetryInterval(max_attempts=3),
    "protocols": ("chat", "superchat"),
    "timeout": 3.0,
    "close_timeout": 2.0,
    "after_connect": print,
    "interceptors": (),
    "heartbeat": Heartbeat(interval=5),
    "outbox": Outbox(max_messages=3),
    "max_size": 1024,
    "stream_capacity": 7,
    "stream_overflow": "drop_oldest",
    "write_limit": 99,
    "on_event": print,
    "name": "prices",
    "json": Json(dumps=repr, loads=ascii),
}
GOOD_VM = {
    "headers": {"Authorization": f"Bearer {SECRET}", "X-Two": ["a", "b"]},
    "compression": CompressionOptions(client_no_context_takeover=True),
    "user_agent": "example/1.0",
    "server_hostname": "example.org",
    "proxy": f"http://joe:{SECRET}@proxy.example:8080",
    "origin": "https://example.org",
    "unix_path": "/run/socket",
    "local_addr": ("127.0.0.1", 0),
}


def shorten(value: object) -> str:
    return f"{value!r:.40}"


@pytest.fixture
def natively(platform):
    if platform.name != "vm":
        pytest.skip("native options")


@pytest.mark.parametrize(("name", "value"), BAD_COMMON, ids=shorten)
def test_bad_value(name, value):
    """Every invalid value raises an error that names the option."""
    with pytest.raises((TypeError, ValueError), match=rf"\b{name}\b"):
        WebSocketOptions(**{name: value})
    with pytest.raises((TypeError, ValueError), match=rf"\b{name}\b"):
        WebSocketOptions.common(**{name: value})
    with pytest.raises((TypeError, ValueError), match=rf"\b{name}\b"):
        WebSocketOptions().replace(**{name: value})


@pytest.mark.parametrize(("name", "value"), BAD_VM, ids=repr)
def test_bad_native_value(natively, name, value):
    """Every invalid value of a native option raises an error that names the option."""
    with pytest.raises((TypeError, ValueError), match=rf"\b{name}\b"):
        WebSocketOptions.vm(**{name: value})


@pytest.mark.parametrize(("name", "value"), BAD_JS, ids=repr)
def test_bad_browser_value(in_a_browser, name, value):
    """Every invalid value of a browser option raises an error that names the option."""
    with pytest.raises((TypeError, ValueError), match=rf"\b{name}\b"):
        WebSocketOptions.js(**{name: value})


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("time_out", "timeout"),
        ("protocol", "protocols"),
        ("interceptor", "interceptors"),
        ("maxsize", "max_size"),
        ("heart_beat", "heartbeat"),
    ],
)
def test_typos(typo, meant):
    """An unknown name is refused, with a suggestion."""
    with pytest.raises(TypeError, match=f"'{typo}'.*did you mean '{meant}'"):
        WebSocketOptions(**{typo: 1})


def test_unknown_without_a_likeness():
    """If no name is similar, the error lists all of them."""
    with pytest.raises(TypeError, match=r"'qqq' here: known are .*timeout"):
        WebSocketOptions(qqq=1)


def test_option_of_a_platform_given_elsewhere():
    """The error for an option of one platform names the factory to use."""
    with pytest.raises(TypeError, match=r"'user_agent'.*WebSocketOptions\.vm\(\)"):
        WebSocketOptions(user_agent="x")
    with pytest.raises(TypeError, match=r"'diagnose'.*WebSocketOptions\.js\(\)"):
        WebSocketOptions(diagnose=True)


def test_wrong_platform_natively(natively):
    """Browser options cannot be made natively, and the error says what to use."""
    with pytest.raises(WSUnsupportedError, match=r"\.vm\(\).*\.common.*\.selector"):
        WebSocketOptions.js()


def test_wrong_platform_in_a_browser(in_a_browser):
    """Native options cannot be made in a browser, and the error says what to use."""
    with pytest.raises(WSUnsupportedError, match=r"\.js\(\).*\.common.*\.selector"):
        WebSocketOptions.vm()


def test_selector_calls_one_factory(in_a_browser):
    """The factory of the other platform is not called."""
    options = WebSocketOptions.selector(
        vm=lambda: pytest.fail("this is a browser"),
        js=lambda: WebSocketOptions.js(diagnose=True),
    )

    assert options.diagnose


def test_values_are_read():
    """Every option can be read by its name, in its stored form."""
    options = WebSocketOptions(
        timeout=timedelta(milliseconds=1500),
        connection_retry_interval=(1, timedelta(seconds=9)),
        protocols=["a", "b"],
        outbox=None,
    )

    assert 1.5 == options.timeout
    assert ConnectionRetryInterval(1, 9) == options.connection_retry_interval
    assert ("a", "b") == options.protocols
    assert 0 == options.outbox.max_messages
    for name, value in GOOD.items():
        assert value == getattr(WebSocketOptions(**{name: value}), name)


def test_defaults(platform):
    """The defaults are the documented ones, or those of the platform."""
    options = WebSocketOptions()

    assert options.connection_retry_interval is None
    assert (30.0, 10.0) == (options.timeout, options.close_timeout)
    assert 16 * 2**20 == options.max_size
    assert platform.write_limit == options.write_limit
    assert platform.stream_capacity == options.stream_capacity
    assert Heartbeat(20, 20) == options.heartbeat
    assert Outbox(256, 2**20, "error", None) == options.outbox
    assert WebSocketOptions(timeout=None).timeout is None


def test_every_option_is_checked_and_has_an_attribute():
    """Every option is a keyword, an annotation and an attribute."""
    names = AllOptions.__optional_keys__

    assert names == VmOptions.__optional_keys__ | JsOptions.__optional_keys__
    assert CommonOptions.__optional_keys__ < names
    attributes = names - {"reconnect"}  # which is short for another
    assert attributes <= WebSocketOptions.__annotations__.keys()
    for name in attributes:
        getattr(WebSocketOptions(), name)


def test_unknown_attribute():
    """Reading an unknown option raises AttributeError."""
    with pytest.raises(AttributeError, match="no option 'time_out'"):
        _ = WebSocketOptions().time_out


def test_immutable():
    """Options cannot be changed, and the error says what to do instead."""
    options = WebSocketOptions()
    with pytest.raises(AttributeError, match=r"use options\.replace\(timeout=…\)"):
        options.timeout = 3
    with pytest.raises(AttributeError):
        del options.timeout
    with pytest.raises(AttributeError):
        options.other = 3

    assert 30.0 == options.timeout


def test_replace():
    """`replace()` returns a changed copy, and leaves the original unchanged."""
    options = WebSocketOptions(**GOOD)

    changed = options.replace(timeout=9)

    assert 9.0 == changed.timeout
    assert 3.0 == options.timeout
    assert options != changed
    assert options == changed.replace(timeout=3)
    assert options == options.replace()


def test_replace_knows_the_options_of_the_platform(natively):
    """Options of this platform can be added to common options."""
    changed = WebSocketOptions(timeout=3).replace(user_agent="x")

    assert WebSocketOptions.vm(timeout=3, user_agent="x") == changed
    with pytest.raises(WSUnsupportedError, match="diagnose is for browsers"):
        changed.replace(diagnose=True)


def test_pickle_and_copy(natively):
    """Options can be pickled and copied with all of their values."""
    options = WebSocketOptions.vm(**GOOD, **GOOD_VM)
    for twin in (
        pickle.loads(pickle.dumps(options)),  # noqa: S301 - our own
        copy.copy(options),
        copy.deepcopy(options),
    ):
        assert options == twin
        assert repr(options) == repr(twin)
        with pytest.raises(TypeError):
            twin.headers["X-New"] = "y"


def test_repr_hides_secrets(natively):
    """The repr shows the options that were given, but neither headers nor the proxy."""
    shown = repr(WebSocketOptions.vm(**GOOD, **GOOD_VM))

    assert SECRET not in shown
    assert "headers=…" in shown
    assert "proxy=…" in shown
    assert "timeout=3.0" in shown
    assert "WebSocketOptions()" == repr(WebSocketOptions())
    assert "WebSocketOptions(timeout=5.0)" == repr(WebSocketOptions(timeout=5))


@pytest.mark.parametrize(
    "bad",
    [
        {"headers": {"Authorization": f"{SECRET}\n"}},
        {"headers": {"Authorization": ["x", SECRET + "\x00"]}},
        {"headers": f"Authorization: {SECRET}"},
        {"headers": [("Authorization", SECRET)]},
        {"proxy": f"http://joe:{SECRET}@proxy.example".encode()},
    ],
)
def test_errors_hide_secrets(natively, bad):
    """An error does not show a value that may be a secret."""
    with pytest.raises((TypeError, ValueError)) as caught:
        WebSocketOptions.vm(**bad)

    assert SECRET not in str(caught.value)


def test_ssl_context_is_taken(natively):
    """A TLS context may be an instance of a subclass."""
    import ssl  # noqa: PLC0415 - not in every browser

    class Context(ssl.SSLContext):
        """A subclass such as an application may define."""

    context = Context(ssl.PROTOCOL_TLS_CLIENT)

    assert context is WebSocketOptions.vm(ssl=context).ssl
