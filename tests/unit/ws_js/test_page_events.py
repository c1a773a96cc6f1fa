"""The events of a page, a worker and Node.js, in a fake JavaScript."""

import pytest

from ws_js.page_events import PageEvents

ORIGIN = "https://example.org"


def listen(js):
    """Listen, and return the listener and the list of events."""
    events = []
    environment_events = PageEvents(js.bridge)
    environment_events.start(events.append)
    return environment_events, events


def test_a_page(js):
    """All types of events are translated, by one proxy."""
    document = js.as_page(ORIGIN)
    environment_events, events = listen(js)
    assert len(js.live) == 1
    js.target.play("offline")
    js.target.play("online")
    js.target.play("pagehide", persisted=True)
    document.play("freeze")
    document.play("resume")
    js.target.play("pageshow", persisted=True)
    document.play("visibilitychange")
    assert events == [
        "offline",
        "online",
        "page_cached",
        "page_frozen",
        "page_resumed",
        "page_shown",
        "page_visible",
    ]
    environment_events.stop()
    assert not any(js.target.listeners.values())
    assert not any(document.listeners.values())


def test_what_says_nothing(js):
    """Events of a page that is new, that ends, or that is hidden are not reported."""
    document = js.as_page(ORIGIN)
    environment_events, events = listen(js)
    js.target.play("pageshow", persisted=False)
    js.target.play("pagehide", persisted=False)
    document.visibilityState = "hidden"
    document.play("visibilitychange")
    assert events == []
    environment_events.stop()


def test_a_browser_that_freezes_nothing(js):
    """Firefox and WebKit have no event `freeze`, and get no listener for it."""
    document = js.as_page(ORIGIN)
    for kind in ("freeze", "resume"):
        delattr(document, f"on{kind}")
    environment_events, _ = listen(js)
    assert [kind for kind, found in document.listeners.items() if found] == [
        "visibilitychange"
    ]
    environment_events.stop()


def test_a_worker(js):
    """A worker has no document, and gets the events of the network only."""
    js.as_page(ORIGIN, worker=True)
    environment_events, events = listen(js)
    js.target.play("offline")
    assert events == ["offline"]
    environment_events.stop()


def test_node(js):
    """Node.js has no events, gets no proxy, and is never offline."""
    environment_events, _ = listen(js)
    assert js.live == set()
    assert not environment_events.is_offline
    environment_events.stop()


@pytest.mark.parametrize("online", [True, False, None])
def test_offline(js, online):
    """It is offline only if the browser says so, which some do not."""
    js.as_page(ORIGIN)
    js.navigator.onLine = online
    assert PageEvents(js.bridge).is_offline is (online is False)


def test_twice(js):
    """Starting and stopping twice has no further effect."""
    js.as_page(ORIGIN)
    environment_events, _ = listen(js)
    environment_events.start(print)
    assert len(js.live) == 1
    environment_events.stop()
    environment_events.stop()
