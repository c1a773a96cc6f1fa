"""The events of a page and of the network, in the terms of `ws_common`.

When a user navigates away, a page may be kept in the back/forward cache: `pagehide` and
later `pageshow` have `persisted` set then. Chromium closes the sockets of such a page
and reports that a moment after `pageshow`. Only Chromium freezes hidden pages.

A worker gets the events of the network only, and Node.js gets none.

Sources: the WHATWG HTML standard; the Page Lifecycle draft of the WICG.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ws_common.vocabulary.environment_events import EnvironmentEvent, EnvironmentEvents
from ws_js.browser_types import JsEvent, JsEventTarget
from ws_js.pyodide_bridge import PyodideBridge, PyProxy

_EVENT_TYPES: Final = (
    "offline",
    "online",
    "pagehide",
    "pageshow",
    "freeze",
    "resume",
    "visibilitychange",
)

_ALWAYS_REPORTED: Final[dict[str, EnvironmentEvent]] = {
    "offline": "offline",
    "online": "online",
    "freeze": "page_frozen",
    "resume": "page_resumed",
}
"""Event types that are always reported."""

_REPORTED_IF_PERSISTED: Final[dict[str, EnvironmentEvent]] = {
    "pagehide": "page_cached",
    "pageshow": "page_shown",
}
"""Event types that are reported if the page is cached: otherwise it ends, or is new."""


class PageEvents:
    """Listens to the events of a page.

    Args:
        bridge: The access to JavaScript; None: that of the runtime we are in.
    """

    # One proxy listens to all events, since making and destroying a proxy takes 11 us.

    __slots__ = ("_bridge", "_listening", "_on_event", "_proxy")

    def __init__(self, bridge: PyodideBridge | None = None) -> None:
        self._bridge = bridge or PyodideBridge.from_runtime()
        self._listening: list[tuple[JsEventTarget, str]] = []
        self._proxy: PyProxy | None = None
        self._on_event: Callable[[EnvironmentEvent], None] | None = None

    @property
    def is_offline(self) -> bool:
        """Whether the browser is certain that there is no network."""
        return self._bridge.is_offline

    def start(self, on_event: Callable[[EnvironmentEvent], None]) -> None:
        """Begin to listen. It does nothing if it listens already.

        Args:
            on_event: Called with each event.
        """
        listening = [
            (target, kind)
            for kind in _EVENT_TYPES
            for target in self._bridge.event_targets(kind)
        ]
        # In Node.js there is nothing to listen to, and no proxy is made.
        if not listening or self._proxy is not None:
            return
        self._on_event = on_event
        self._listening = listening
        self._proxy = self._bridge.create_proxy(self._handle)
        for target, kind in listening:
            target.addEventListener(kind, self._proxy)

    def stop(self) -> None:
        """Stop listening, and destroy the proxy. Idempotent."""
        proxy, self._proxy = self._proxy, None
        if proxy is None:
            return
        for target, kind in self._listening:
            target.removeEventListener(kind, proxy)
        self._listening.clear()
        self._on_event = None
        # Only now: calling a destroyed proxy raises inside the browser.
        proxy.destroy()

    def _handle(self, event: JsEvent) -> None:
        translated = self._translate(event)
        if translated is not None and self._on_event is not None:
            self._on_event(translated)

    def _translate(self, event: JsEvent) -> EnvironmentEvent | None:
        kind = event.type
        if kind in _ALWAYS_REPORTED:
            return _ALWAYS_REPORTED[kind]
        if kind in _REPORTED_IF_PERSISTED:
            is_persisted = getattr(event, "persisted", False)
            return _REPORTED_IF_PERSISTED[kind] if is_persisted else None
        # "visibilitychange" is left. That a page is hidden has no consequence: its
        # timers are late, but its connections go on.
        document = getattr(self._bridge.js, "document", None)
        visible = getattr(document, "visibilityState", None) == "visible"
        return "page_visible" if visible else None


if TYPE_CHECKING:

    def _conforms(environment_events: PageEvents) -> EnvironmentEvents:
        return environment_events
