"""The lifecycle of pages in a real Chromium.

Retries wait for a minute, so that whatever comes back at once does so because of the
page's event.
"""

import json
import ssl
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import trustme
from playwright.sync_api import Browser, BrowserType, Page

from tests.e2e import devtools
from tests.e2e.page_session import PAGE, Living, serve
from tests.support.server import Server


@pytest.fixture(scope="module")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any],
) -> dict[str, Any]:
    """Playwright switches the back/forward cache off."""
    off = "--disable-back-forward-cache"
    return {**browser_type_launch_args, "ignore_default_args": [off]}


@pytest.fixture(scope="module")
def browser(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any]
) -> Iterator[Browser]:
    """A browser of this module's own, with that cache."""
    browser = browser_type.launch(**browser_type_launch_args)
    yield browser
    browser.close()


@pytest.fixture
def tab(
    browser_type_launch_args: dict[str, Any],
    browser_type: BrowserType,
    site: str,
) -> Iterator[tuple[devtools.Browser, devtools.Tab, Living]]:
    """The same in a browser that Playwright does not control."""
    path = browser_type_launch_args.get("executable_path")
    path = path or browser_type.executable_path
    with devtools.start({**browser_type_launch_args, "executable_path": path}) as free:
        opened = free.open_tab(site + PAGE)
        yield free, opened, Living(opened.evaluate, site)


def handshakes(server: Server, key: str) -> int:
    """The number of connections that the server has accepted."""
    with urllib.request.urlopen(server.urls.http("/count", key=key)) as answer:  # noqa: S310
        return int(json.load(answer))


def seconds_to_come_back(report: dict[str, Any]) -> float:
    """Seconds from the last loss to the connection after it."""
    lost = len(report["states"]) - report["states"][::-1].index("Reconnecting") - 1
    return report["times"][-1] - report["times"][lost]


def test_offline_and_back(page: Page, living: Living, server: Server) -> None:
    """There is no attempt while it is offline, and one at once when it is online."""
    living.start(server.urls("/echo", key="offline", retry=0.2))
    living.until_open(1)

    page.context.set_offline(True)
    # Chromium leaves the socket open, and silent: the heartbeat notices.
    lost = living.until(lambda report: report["state"] == "Reconnecting")
    assert "heartbeat_timeout" == lost["causes"][-1]
    assert ["offline"] == lost["signals"]
    assert "offline: waiting for the network" in lost["explained"]
    time.sleep(2)  # ten times the delay
    assert "Reconnecting" == living.report()["states"][-1]
    assert 1 == handshakes(server, "offline")

    page.context.set_offline(False)
    back = living.until_open(2)
    assert "online" in back["signals"]
    assert ["online", "opened"] == back["causes"][-2:]
    assert 2 == handshakes(server, "offline")


def test_back_forward_cache(
    page: Page, living: Living, site: str, server: Server
) -> None:
    """A page that is cached and shown again reconnects at once."""
    living.start(server.urls("/echo", key="cache"))
    living.until_open(1)

    page.goto(f"{site}{PAGE}?elsewhere")
    assert page.evaluate("() => globalThis.report === undefined")
    time.sleep(1)
    page.go_back(wait_until="commit")  # a page out of the cache does not load

    back = living.until_open(2)
    assert ["page_cached", "page_frozen"] == back["signals"][:2]
    assert {"page_resumed", "page_shown"} <= set(back["signals"])
    assert ["network_lost", "page_shown", "opened"] == back["causes"][-3:]
    assert seconds_to_come_back(back) < 5
    assert 2 == handshakes(server, "cache")


def test_hidden_tab(tab, site: str, server: Server) -> None:
    """A hidden tab stays connected. When it is shown, it probes the server."""
    free, ours, living = tab
    living.start(server.urls("/echo", key="hidden"))
    living.until_open(1)

    other = free.open_tab(f"{site}{PAGE}?other")
    other.to_front()
    hidden = "() => document.visibilityState"
    living.until(lambda _: ours.evaluate(hidden) == "hidden")
    time.sleep(5)  # timers fire once a second here, and the heart beats twice
    ours.to_front()

    shown = living.until(lambda report: "page_visible" in report["signals"])
    time.sleep(2)
    assert 1 == shown["connection"] == living.report()["connection"]
    assert 1 == handshakes(server, "hidden")


def test_frozen_tab(tab, site: str, server: Server) -> None:
    """Chromium closes the sockets of a frozen tab, which reconnects when it resumes."""
    free, ours, living = tab
    living.start(server.urls("/echo", key="frozen"))
    living.until_open(1)
    free.open_tab(f"{site}{PAGE}?other").to_front()
    living.until(lambda _: ours.evaluate("() => document.hidden"))

    ours.freeze()
    time.sleep(3)
    ours.thaw()

    back = living.until_open(2)
    assert ["page_frozen", "page_resumed"] == back["signals"][:2]
    assert ["network_lost", "page_resumed", "opened"] == back["causes"][-3:]
    assert seconds_to_come_back(back) < 5
    assert 2 == handshakes(server, "frozen")


def test_a_secure_page(browser: Browser) -> None:
    """`wss:` works, and `ws:` fails once with an error that explains why."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(tls)
    with serve(tls) as site, Server(ssl=tls) as server:
        context = browser.new_context(ignore_https_errors=True)
        page = context.new_page()
        page.goto(site + PAGE)
        living = Living(page.evaluate, site)
        living.start(server.urls("/echo"))
        living.until_open(1)

        page.goto(f"{site}{PAGE}?insecure")
        living.start("ws://example.org/?retry=0.1")
        stopped = living.until(lambda report: report["state"] == "Closed")
        failure = page.evaluate("() => globalThis.failure")
        context.close()
    assert failure.startswith("WSHandshakeError: the browser refuses to connect")
    assert "may open wss:// only" in failure
    assert ["connect", "attempt_failed"] == stopped["causes"]
