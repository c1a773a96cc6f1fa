"""The page of the demo, as a visitor sees it."""

from playwright.sync_api import Page, expect

EXCHANGED = [
    "'Hello, wörld ✓'",
    r"b'\x00\x01\x02\x03\x04\x05\x06\x07'",
    """'{"id": 7, "what": ["tea", "milk"], "paid": false}'""",
    "'ping'",
    "'Still there?'",
]


def finish(page: Page, demo_url: str, timeout: int) -> None:
    """Open the page and wait for the end of the conversation."""
    page.goto(demo_url)
    expect(page.locator("#log")).to_contain_text("Done.", timeout=timeout)


def test_conversation(page: Page, demo_url: str, playwright_config) -> None:
    """It exchanges messages, loses its connection, reconnects, and shows it all."""
    finish(page, demo_url, playwright_config["PYODIDE_TIMEOUT"])

    lines = page.locator("#log").inner_text().splitlines()
    sent = [line[2:] for line in lines if line.startswith("→")]
    received = [line[2:] for line in lines if line.startswith("←")]

    assert EXCHANGED == sent
    assert [text.replace("'ping'", "'pong'") for text in EXCHANGED] == received
    assert "Connected, on platform 'js'." in lines
    expect(page.locator("#state")).to_have_text("Closed")
    expect(page.locator("#states li")).to_have_text(
        ["Open", "Reconnecting", "Connecting", "Open", "Disconnecting", "Closed"],
    )
    expect(page.locator("#reconnects_successful")).to_have_text("1")
    expect(page.locator("#disconnects")).to_have_text("2")
    expect(page.locator("#last_disconnect_code")).to_have_text("1000")


def test_no_complaints(page: Page, demo_url: str, playwright_config) -> None:
    """No request fails, and none goes to another server."""
    errors: list[str] = []
    requested: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requested.append(request.url))
    page.on(
        "response",
        lambda response: errors.append(response.url) if not response.ok else None,
    )

    finish(page, demo_url, playwright_config["PYODIDE_TIMEOUT"])

    assert [] == errors
    assert [] == [url for url in requested if not url.startswith((demo_url, "data:"))]
    assert page.evaluate("crossOriginIsolated")
