"""The access to JavaScript, through a fake `js`."""

import pytest

from ws_js.pyodide_data import BlobData

ORIGIN = "https://example.org"


def test_outside_of_a_page(js):
    """Node.js has no origin, no events and nothing to hide."""
    assert "" == js.bridge.origin
    assert not js.bridge.is_hidden
    assert not js.bridge.is_offline
    assert [] == list(js.bridge.event_targets("online"))


def test_in_a_page(js):
    """Events of the network are dispatched on `globalThis`, others on the document."""
    document = js.as_page(ORIGIN)
    assert ORIGIN == js.bridge.origin
    assert [js] == list(js.bridge.event_targets("online"))
    assert [document] == list(js.bridge.event_targets("visibilitychange"))
    document.visibilityState = "hidden"
    assert js.bridge.is_hidden
    js.navigator.onLine = False
    assert js.bridge.is_offline


@pytest.mark.parametrize("blob", [False, True])
def test_binary_data(js, blob):
    """Bytes are sent as a Blob on demand, and a Blob is always sent as it is."""
    expected = ("blob", b"x") if blob else b"x"
    assert expected == js.bridge.to_binary(b"x", blob=blob)
    data = BlobData("a Blob", 6)
    assert "a Blob" == js.bridge.to_binary(data, blob=blob)


async def test_fetch(js):
    """It returns the outcome, and the controller that aborts the request."""
    outcomes, controller = js.bridge.fetch(
        ORIGIN, mode="cors", credentials="omit", redirect="manual"
    )
    (request,) = js.requests
    assert "no-store" == request.init.cache
    request.respond(204)
    (outcome,) = await outcomes
    assert ("fulfilled", 204) == (outcome.status, outcome.value.status)
    controller.abort()
    assert request.aborted
