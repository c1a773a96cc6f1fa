"""Public values hide their secrets, can be copied and pickled, and have type hints."""

import copy
import inspect
import json
import pickle
import typing
from datetime import UTC, datetime

import pytest

import ws
from tests.support.fake_network import connected
from tests.support.fake_transport import FakeConnector
from ws import testing
from ws_common.options import options
from ws_common.vocabulary.headers import check_headers
from ws_common.vocabulary.read_only import ReadOnly

pytestmark = pytest.mark.looptime

SECRET = "Bearer s3cr3t"  # noqa: S105 - looked for where it must not be


def pickle_and_load(value: object) -> object:
    """Return the value after pickling and unpickling it."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own


async def make_event() -> ws.ClientEvent:
    """Return an event that a client has reported."""
    events: list[ws.ClientEvent] = []
    async with connected(FakeConnector(), on_event=events.append):
        pass
    return events[0]


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": SECRET}, {"authorization": [SECRET]}, {"Cookie": SECRET}],
)
def test_a_request_does_not_show_its_credentials(headers):
    """Connectors may log a request, so that its repr hides the headers."""
    options = ws.WebSocketOptions.vm(headers=headers)
    request = ws.ConnectRequest(url="ws://host/", headers=headers, options=options)
    assert "s3cr3t" not in repr(request)


def test_a_request_does_not_show_what_is_secret_in_its_url():
    """The repr of a request hides the credentials and query values of its URL."""
    request = ws.ConnectRequest(
        url="ws://joe:s3cr3t@host/?token=s3cr3t",
        headers={},
        options=ws.WebSocketOptions(),
    )
    assert "s3cr3t" not in repr(request)


@pytest.mark.parametrize("handshake", [ws.Handshake(), ws.Handshake(status=101)])
@pytest.mark.parametrize("again", [copy.deepcopy, pickle_and_load])
def test_a_handshake_can_be_copied(handshake, again):
    """A handshake can be copied deeply and pickled, and the copy is equal."""
    assert again(handshake) == handshake


@pytest.mark.parametrize("again", [copy.deepcopy, pickle_and_load])
async def test_an_event_can_be_copied(again):
    """An event can be sent to another process."""
    event = await make_event()
    copied = again(event)
    assert copied == event
    assert dict(copied.details) == dict(event.details)


@pytest.mark.parametrize("given", [None, 1, "text", [1]])
def test_metrics_of_what_is_no_object(given):
    """JSON that is not an object raises ValueError."""
    with pytest.raises(ValueError, match="WebSocketMetrics"):
        ws.WebSocketMetrics.from_json(given)


NOW = datetime(2030, 1, 1, tzinfo=UTC)
SECRET_URL = "wss://joe:s3cr3t@host/?token=s3cr3t"  # noqa: S105 - as above
ERROR = ws.WSHandshakeError("no", status=401, headers={"set-cookie": SECRET})
HEADERS = check_headers({"Authorization": SECRET, "X-Token": [SECRET]})

OPTIONS = ws.WebSocketOptions.vm(
    headers=dict(HEADERS), proxy="http://joe:s3cr3t@proxy", on_event=print
)

VALUES = [
    ws.ClientEvent(name="x", at=NOW, details=ReadOnly({"error": ERROR})),
    ws.CloseInfo(code=1006, error=ERROR),
    ws.Closed(1006, "", ERROR),
    ws.CompressionOptions(),
    ws.ConnectContext(attempt=2, last_error=ERROR),
    ws.ConnectRequest(url=SECRET_URL, headers=HEADERS, options=OPTIONS),
    ws.Connecting(SECRET_URL, 1),
    ws.ConnectionRetryInterval(1, 2, retry_if=bool),
    ws.Disconnecting(1000, ""),
    ws.Handshake(status=101, headers={"set-cookie": SECRET}, peer=("::1", 80)),
    ws.Heartbeat(1, 2, message="ping", is_reply=bool),
    ws.Json(dumps=json.dumps, loads=json.loads),
    ws.HistoryEntry(at=NOW, state=ws.Open(SECRET_URL, None, 1), cause="opened"),
    ws.Open(SECRET_URL, "chat", 1),
    ws.Outbox(ttl=1),
    ws.Reconnecting(2, 0.5, NOW, 1006, "", ERROR),
    ws.RetryContext(
        attempt=1, elapsed=1.0, ever_connected=True, error=ERROR, default=True
    ),
    ws.WSInterceptor.handlers(on_send=print),
    OPTIONS,
    ws.WebSocketReadyState.OPEN,
    ws.WebSocketStatusCode.GOING_AWAY,
    ws.WebSocketClient(OPTIONS).metrics,
    *(
        getattr(ws, name)("no")
        for name in ws.__all__
        if name.startswith("WS") and name.endswith("Error")
    ),
]

LIVE = {
    *("IWebSocketClient", "Receipt", "Session", "Stream", "Subscriber", "Subscription"),
    *("Transport", "TransportSink", "WebSocketClient", "WebSocketMessagesStream"),
    *("WebSocketStatesStream", "connect", "Connector"),
}
"""Classes whose objects belong to a loop, and protocols."""


def get_kind(value: object) -> str:
    """Return the name of the public class of a value."""
    return next(one.__name__ for one in type(value).__mro__ if one.__module__ == "ws")


def test_every_public_value_is_looked_at():
    """Every public class is listed as a value, or in LIVE."""
    classes = {name for name in ws.__all__ if inspect.isclass(getattr(ws, name))}
    assert {get_kind(value) for value in VALUES} == classes - LIVE


@pytest.mark.parametrize("value", VALUES, ids=get_kind)
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickle_and_load])
def test_a_value_can_be_copied(value, again):
    """A copy has the same class, and is equal if the class compares by value."""
    copied = again(value)
    assert type(copied) is type(value)
    if type(value).__eq__ is not object.__eq__ and "Error(" not in repr(value):
        assert copied == value
    if "object at" not in repr(value):
        assert repr(copied) == repr(value)


@pytest.mark.parametrize("value", VALUES, ids=get_kind)
def test_a_value_does_not_show_its_secrets(value):
    """No value shows credentials, query values or headers."""
    assert "s3cr3t" not in f"{value!r} {value}"


@pytest.mark.parametrize(
    "annotated",
    [
        ws.WebSocketOptions,
        ws.ConnectRequest.__init__,
        *(options.CommonOptions, options.VmOptions, options.JsOptions),
    ],
)
def test_type_hints_of_options(annotated):
    """The annotations of options can be resolved at run time."""
    assert typing.get_type_hints(annotated)


def iterate_annotated():
    """Yield all public classes and functions that have annotations."""
    for name in ws.__all__:
        thing = getattr(ws, name)
        if inspect.isclass(thing):
            yield name, thing
            for inner, value in vars(thing).items():
                function = getattr(value, "__func__", getattr(value, "fget", value))
                public = inner == "__init__" or not inner.startswith("_")
                if public and inspect.isfunction(function):
                    yield f"{name}.{inner}", function
        elif inspect.isfunction(thing):
            yield name, thing
    yield "WebSocketClientFake", testing.WebSocketClientFake
    for inner, value in vars(testing.WebSocketClientFake).items():
        if inspect.isfunction(value):
            yield f"WebSocketClientFake.{inner}", value


def test_type_hints_of_everything_public():
    """Every public annotation can be resolved at run time."""
    unknown = {}
    for name, thing in iterate_annotated():
        try:
            typing.get_type_hints(thing)
        except NameError as error:
            unknown[name] = str(error)
    assert unknown == {}
