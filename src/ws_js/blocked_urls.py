"""URLs that a page can never open, whatever the server does.

No retry helps there, so that such an attempt must not look as if the server were down.
A browser fails these `WebSocket`s like any others, or throws when they are made, and
hardly explains why. But all of it can be found out:

- The schemes and ports that no page may use are fixed by the standards.
- What a Content Security Policy forbids is reported by an event before the failure.

Sources: Fetch, "port blocking"; W3C Secure Contexts section 3.1; W3C Content Security
Policy Level 3 section 5.
"""

from types import TracebackType
from typing import Final, Self, cast
from urllib.parse import urlsplit

from ws_js.browser_types import JsEventTarget, JsGlobal
from ws_js.javascript_types import JsArray

MIXED_CONTENT: Final = (
    "a page loaded over https:// may open wss:// only (and ws:// to localhost)"
)

# The list is that of the Fetch standard. It is consulted after a failure only, since
# npm's `ws` in Node.js does connect to these ports.
_BLOCKED_PORTS: Final = frozenset(
    {
        *(0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77),
        *(79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123),
        *(135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530),
        *(531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719),
        *(1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666),
        *(6667, 6668, 6669, 6679, 6697, 10080),
    }
)

_VIOLATION: Final = "securitypolicyviolation"


def blocked_reason(origin: str, url: str) -> str | None:
    """Explain why no page of this origin may open this URL; None: it may."""
    if is_mixed_content(origin, url):
        return MIXED_CONTENT
    port = urlsplit(url).port
    if port in _BLOCKED_PORTS:
        return f"port {port} is one that browsers do not connect to"
    return None


def is_mixed_content(origin: str, url: str) -> bool:
    """Whether opening this URL would be mixed content: `ws:` in a page over `https:`.

    Source: W3C Secure Contexts section 3.1, which exempts the hosts below.
    """
    if not (origin.startswith("https:") and url.startswith("ws:")):
        return False
    # Such hosts are "potentially trustworthy": the connection stays on this machine.
    host = urlsplit(url).hostname or ""
    is_loopback = host == "::1" or host.startswith("127.")
    return not is_loopback and host != "localhost" and not host.endswith(".localhost")


class PolicyViolations:
    """A context manager that collects what the page's policy forbids meanwhile.

    Args:
        js: `globalThis`, where the events of pages and of workers arrive.
    """

    __slots__ = ("_events", "_listener", "_target")

    def __init__(self, js: JsGlobal) -> None:
        self._target = (
            cast("JsEventTarget", js) if hasattr(js, "addEventListener") else None
        )
        # The listener is the `push` of an array, so that no Python function is called
        # and no proxy has to be made, which would cost 11 us for each attempt.
        self._events = cast("JsArray", js.Array.new())
        self._listener = self._events.push.bind(self._events)

    def forbids(self, url: str) -> bool:
        """Whether the policy has forbidden this URL.

        Args:
            url: The URL as the browser has serialized it.
        """
        # A policy of Content-Security-Policy-Report-Only has the disposition "report".
        # It is only being tried out, and has not blocked the connection.
        return any(
            event.disposition == "enforce" and event.blockedURI == url
            for event in self._events
        )

    def __enter__(self) -> Self:
        """Begin to listen."""
        if self._target is not None:
            self._target.addEventListener(_VIOLATION, self._listener)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop listening."""
        if self._target is not None:
            self._target.removeEventListener(_VIOLATION, self._listener)
