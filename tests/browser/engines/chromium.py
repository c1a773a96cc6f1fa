"""Chromium, as pytest-playwright has started it."""

import sys
from typing import Any

from playwright.sync_api import Page


class Chromium:
    """A page of it, whose console is printed.

    Attributes:
        version: As it tells.
        page: Playwright's.
    """

    def __init__(self, page: Page) -> None:
        assert page.context.browser is not None
        self.version = f"Chromium {page.context.browser.version}"
        self.page = page
        page.on("console", lambda message: sys.stdout.write(f"{message.text}\n"))
        page.on("pageerror", lambda error: sys.stdout.write(f"{error}\n"))

    def goto(self, url: str) -> None:
        self.page.goto(url)

    def evaluate(self, script: str, argument: Any) -> Any:
        return self.page.evaluate(script, argument)
