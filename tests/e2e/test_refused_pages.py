"""Handshakes that a real browser, or the server, refuses.

Chromium is asked over its DevTools whether it would bring up a login dialog, and the
page is given a policy of its own.
"""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.page_session import Living
from tests.support.server import Server

FOR_EVER = 3600
"""Seconds until the next attempt, so that none comes during a test."""

FORBID = """(sources) => {
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = `connect-src ${sources}`;
  document.head.append(policy);
}"""


@pytest.fixture
def challenges(page: Page) -> list[str]:
    """The URLs for which a login dialog came up, which was dismissed."""
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
    """Wait until the first attempt has failed, and return the report."""
    return living.until(lambda report: "attempt_failed" in report["causes"])


def refusal(server: Server, **query: object) -> str:
    """A URL whose handshake is refused, for a client with `diagnose`."""
    return server.urls("/refuse", diagnose=1, retry=FOR_EVER, **query)


def test_a_refusal(living: Living, server: Server, challenges: list[str]) -> None:
    """A 401 without a challenge is reported, and final."""
    living.start(refusal(server, status=401), wait=False)
    decided = until_decided(living)
    assert "Closed" == decided["state"]
    assert "401" in decided["error"]
    assert [] == challenges


@pytest.mark.parametrize("hide", [{}, {"hide": 1}], ids=["told", "hidden"])
def test_no_login_dialog(
    living: Living, server: Server, challenges: list[str], hide: dict[str, int]
) -> None:
    """A 401 with a challenge brings up no dialog, whether or not it is readable."""
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
    """The policy is named, and there is no retry."""
    page.evaluate(FORBID, "'self'")
    living.start(server.urls("/echo", retry=FOR_EVER), wait=False)
    decided = until_decided(living)
    assert "Closed" == decided["state"]
    assert "policy" in decided["error"]


def test_a_policy_that_allows_it(page: Page, living: Living, server: Server) -> None:
    """What the policy forbids otherwise has no effect on us."""
    page.evaluate(FORBID, f"'self' {server.urls.base}")
    living.start(server.urls("/echo", retry=FOR_EVER), wait=False)
    living.until_open(1)


def test_a_policy_that_something_else_breaks(
    page: Page, living: Living, server: Server
) -> None:
    """A violation by something else is not taken for ours."""
    page.evaluate(FORBID, f"'self' {server.urls.base}")
    page.evaluate("() => setInterval(() => fetch('http://127.0.0.2/'), 1)")
    living.start(server.urls("/refuse", status=503, retry=FOR_EVER), wait=False)
    decided = until_decided(living)
    assert "Reconnecting" == decided["state"]
