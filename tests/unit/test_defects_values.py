"""Values that travel: shown without secrets, copied, pickled, and read by tools."""

import copy
import inspect
import pickle
import typing

import pytest

import ws
from tests.support.fake_transport import FakeConnector
from tests.support.playing import connected

pytestmark = pytest.mark.looptime

SECRET = "Bearer s3cr3t"  # noqa: S105 - looked for where it must not be


def pickled(value: object) -> object:
    """What comes out at the other end of a pipe."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own


async def an_event() -> ws.ClientEvent:
    """One that a client has told."""
    told: list[ws.ClientEvent] = []
    async with connected(FakeConnector(), on_event=told.append):
        pass
    return told[0]


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="issue 12, defect 23")
@pytest.mark.parametrize(
    "headers",
    [{"Authorization": SECRET}, {"authorization": [SECRET]}, {"Cookie": SECRET}],
)
def test_a_request_does_not_show_its_credentials(headers):
    """Connectors log what they are asked for."""
    options = ws.WebSocketOptions.vm(headers=headers)
    request = ws.ConnectRequest(url="ws://host/", headers=headers, options=options)
    assert "s3cr3t" not in repr(request)


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="issue 12, defect 23")
def test_a_request_does_not_show_what_is_secret_in_its_url():
    """As everywhere: no credentials, no values of the query."""
    request = ws.ConnectRequest(
        url="ws://joe:s3cr3t@host/?token=s3cr3t",
        headers={},
        options=ws.WebSocketOptions(),
    )
    assert "s3cr3t" not in repr(request)


@pytest.mark.xfail(strict=True, raises=TypeError, reason="issue 12, defect 23")
@pytest.mark.parametrize("handshake", [ws.Handshake(), ws.Handshake(status=101)])
@pytest.mark.parametrize("again", [copy.deepcopy, pickled])
def test_a_handshake_can_be_copied(handshake, again):
    """Deeply, and through pickle: what comes out is equal."""
    assert again(handshake) == handshake


@pytest.mark.xfail(strict=True, raises=TypeError, reason="issue 12, defect 23")
@pytest.mark.parametrize("again", [copy.deepcopy, pickled])
async def test_an_event_can_be_copied(again):
    """So that it can be handed to another process."""
    event = await an_event()
    copied = again(event)
    assert copied == event
    assert dict(copied.details) == dict(event.details)


@pytest.mark.xfail(strict=True, raises=TypeError, reason="issue 12, defect 23")
@pytest.mark.parametrize("given", [None, 1, "text", [1]])
def test_metrics_of_what_is_no_object(given):
    """Whatever was parsed, what is wrong is a ValueError."""
    with pytest.raises(ValueError, match="WebSocketMetrics"):
        ws.WebSocketMetrics.from_json(given)


@pytest.mark.xfail(strict=True, raises=NameError, reason="issue 12, defect 24")
@pytest.mark.parametrize("annotated", [ws.WebSocketOptions, ws.ConnectRequest.__init__])
def test_type_hints_of_options(annotated):
    """Frameworks that read annotations find their names."""
    assert typing.get_type_hints(annotated)


def annotated_things():
    """Everything public that has annotations: classes and their own functions."""
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


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="issue 12, defect 24")
def test_type_hints_of_everything_public():
    """No name in a public annotation is known to type checkers alone."""
    unknown = {}
    for name, thing in annotated_things():
        try:
            typing.get_type_hints(thing)
        except NameError as error:
            unknown[name] = str(error)
    assert unknown == {}
