"""A `WebSocket` and the proxies of its event handlers, in a fake JavaScript."""

import pytest

from tests.unit.fake_js import Socket
from ws_common.vocabulary.errors import WSInvalidCloseError
from ws_js.pyodide_socket import ProxiedSocket


class Handlers:
    """Handlers that record the events."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def socket_opened(self, _event: object) -> None:
        self.events.append("open")

    def socket_message(self, event) -> None:
        self.events.append(event.data)

    def socket_failed(self, _event: object) -> None:
        self.events.append("error")

    def socket_closed(self, _event: object) -> None:
        self.events.append("close")


@pytest.fixture
def proxied(js):
    """A socket with handlers; its proxies are destroyed after the test."""
    socket = Socket("wss://example.org/", [])
    made = ProxiedSocket(js.bridge, socket, Handlers())
    yield made
    made.release()


@pytest.fixture
def events(proxied):
    """The events that were handled."""
    return proxied.socket.onopen._function.__self__.events


def test_events(proxied, events):
    """Each has a handler of its own."""
    proxied.socket.play_open()
    proxied.socket.play_message("x")
    proxied.socket.play_error()
    proxied.socket.play_close(1000)
    assert ["open", "x", "error", "close"] == events


def test_collecting(proxied, events):
    """Python is not called for messages that are collected."""
    collected = proxied.collect_messages()
    proxied.socket.play_message("a")
    proxied.stop_collecting()
    proxied.socket.play_message("b")
    assert ["a"] == [event.data for event in collected]
    assert ["b"] == events


def test_release(js, proxied, events):
    """No event is handled afterwards, and no proxy is left."""
    proxied.release()
    proxied.release()
    assert not proxied.is_live
    assert set() == js.live
    proxied.stop_collecting()
    proxied.socket.play_message("x")
    proxied.socket.play_error()
    proxied.socket.play_close(1000)
    assert [] == events


def test_ignored_messages(proxied, events):
    """The other events are still handled."""
    proxied.stop_receiving()
    proxied.socket.play_message("x")
    proxied.socket.play_close(1000)
    assert ["close"] == events


@pytest.mark.parametrize(
    ("code", "reason", "arguments"),
    [(4000, "why", (4000, "why")), (4000, None, (4000, "")), (None, "why", ())],
)
def test_close(proxied, code, reason, arguments):
    """Without a code there is no reason either."""
    proxied.close(code, reason)
    assert [arguments] == proxied.socket.closes


def test_a_code_that_a_page_may_not_send(proxied):
    """It raises, and the socket stays open."""
    with pytest.raises(WSInvalidCloseError, match="1001"):
        proxied.close(1001, "")
    assert [] == proxied.socket.closes
