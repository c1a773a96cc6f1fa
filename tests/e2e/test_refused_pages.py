"""What a browser does about a handshake that it, or the server, refuses: for real.

Chromium is asked over its DevTools whether it would bring up a login dialog, and the
page is given a policy of its own.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.page_session import PAGE, Living, serve
from tests.support.server import Server

FOR_EVER = 3600
"""Seconds until the next attempt, so that none comes during a test."""

FORBID = """(sources) => {
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = `connect-src ${sources}`;
  document.head.append(policy);
}"""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The page's base URL."""
    with serve() as served:
        yield served


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """What the client connects to."""
    with Server() as running:
        yield running


@pytest.fixture
def living(page: Page, site: str) -> Living:
    """The page, loaded; the program is not yet started."""
    page.goto(site + PAGE)
    return Living(page.evaluate, site)


@pytest.fixture
def challenges(page: Page) -> list[str]:
    """The URLs for which a login dialog would have come up; each is dismissed."""
    seen: list[str] = []
    devtools = page.context.new_cdp_session(page)
    dismiss = {"response": "CancelAuth"}

    def go_on(event: dict[str, Any]) -> None:
        devtools.send("Fetch.continueRequest", {"requestId": event["requestId"]})

    def challenged(event: dict[str, Any]) -> None:
        seen.append(event["request"]["url"])
        answer = {"requestId": event["requestId"], "authChallengeResponse": dismiss}
        devtools.send("Fetch.continueWithAuth", answer)

    devtools.on("Fetch.requestPaused", go_on)
    devtools.on("Fetch.authRequired", challenged)
    devtools.send(
        "Fetch.enable",
        {"handleAuthRequests": True, "patterns": [{"urlPattern": "*/refuse*"}]},
    )
    return seen


def until_decided(living: Living) -> dict[str, Any]:
    """Wait until the first attempt has failed; what the client does about it."""
    return living.until(lambda report: "attempt_failed" in report["causes"])


def refusal(server: Server, **query: object) -> str:
    """A URL whose handshake is refused, for a client that asks over HTTP why."""
    return server.urls("/refuse", diagnose=1, retry=FOR_EVER, **query)


def test_a_refusal(living: Living, server: Server, challenges: list[str]) -> None:
    """A 401 without a challenge is found out, and final."""
    living.start(refusal(server, status=401), wait=False)
    decided = until_decided(living)
    assert "Closed" == decided["state"]
    assert "401" in decided["error"]
    assert [] == challenges


@pytest.mark.parametrize("hide", [{}, {"hide": 1}], ids=["told", "hidden"])
def test_no_login_dialog(
    living: Living, server: Server, challenges: list[str], hide: dict[str, int]
) -> None:
    """One with a challenge brings up no dialog, whoever may see the answer."""
    url = refusal(server, status=401, challenge='Basic realm="here"', **hide)
    living.start(url, wait=False)
    decided = until_decided(living)
    assert [] == challenges
    if not hide:
        assert "Closed" == decided["state"]
        assert "401" in decided["error"]


def test_a_policy_that_forbids_the_address(
    page: Page, living: Living, server: Server
) -> None:
    """It is named, and the address not tried again and again."""
    page.evaluate(FORBID, "'self'")
    living.start(server.urls("/echo", retry=FOR_EVER), wait=False)
    decided = until_decided(living)
    assert "Closed" == decided["state"]
    assert "policy" in decided["error"]


def test_a_policy_that_allows_it(page: Page, living: Living, server: Server) -> None:
    """Whatever else it forbids is nothing to us."""
    page.evaluate(FORBID, f"'self' {server.urls.base}")
    living.start(server.urls("/echo", retry=FOR_EVER), wait=False)
    living.until_open(1)


def test_a_policy_that_something_else_breaks(
    page: Page, living: Living, server: Server
) -> None:
    """A violation of others, meanwhile, is not taken for ours."""
    page.evaluate(FORBID, f"'self' {server.urls.base}")
    page.evaluate("() => setInterval(() => fetch('http://127.0.0.2/'), 1)")
    living.start(server.urls("/refuse", status=503, retry=FOR_EVER), wait=False)
    decided = until_decided(living)
    assert "Reconnecting" == decided["state"]
