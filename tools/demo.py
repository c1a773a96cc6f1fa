"""Run the demo: the same program in the terminal and in a page, with a local server.

`make demo` runs the program in this terminal, then serves the page until Ctrl-C.
`make demo ARGS=--check` runs the program in the terminal and in a headless browser, and
fails if one of the two fails.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.assets import build_wheel, ensure_node_modules
from tools.browser import ensure_chromium, load_config
from tools.common import ROOT, WEB_DEMO, ToolError, print_line, run_main
from tools.setup import install_profile

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PREFERRED_PORT = 8000
TERMINAL_TIMEOUT = 60.0
"""Seconds after which the program in the terminal is terminated."""

LAST_LINE = "Done."
"""The last line that `web-demo/conversation.py` prints."""


def run_in_terminal(base_url: str) -> str:
    """Run the program in this terminal, and return its output.

    Raises:
        ToolError: The program failed, or was terminated after `TERMINAL_TIMEOUT`.
    """
    endpoint = base_url.replace("http", "ws", 1) + "/ws"
    program = WEB_DEMO / "conversation.py"
    print_line(f"── In the terminal: {program.relative_to(ROOT)} {endpoint}")
    command = [sys.executable, "-u", str(program), endpoint]
    lines: list[str] = []
    # On Ctrl-C a terminal sends SIGINT to its whole foreground process group. In a
    # session of its own the program does not get it and prints no traceback; we
    # terminate it.
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        start_new_session=True,
    ) as process:
        limit = threading.Timer(TERMINAL_TIMEOUT, process.terminate)
        limit.start()
        try:
            assert process.stdout is not None  # noqa: S101 - for the type checker
            for line in process.stdout:
                print_line(f"   {line.rstrip()}")
                lines.append(line)
            code = process.wait()
        finally:
            limit.cancel()
            process.terminate()
    if code:
        raise ToolError(f"The program in the terminal ended with exit code {code}.")
    return "".join(lines)


def run_in_page(base_url: str, screenshot: Path | None) -> str:
    """Open the page in a headless Chromium, and return its final log.

    Raises:
        ToolError: The program in the page failed, or did not end in time.
    """
    # `make demo` without --check runs in an environment that has no Playwright.
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - see above

    config = load_config()
    print_line(f"\n── In the page: {base_url}/")
    with sync_playwright() as playwright:
        chromium = playwright.chromium
        browser = chromium.launch(
            **config["launch_arguments"](chromium.executable_path)
        )
        try:
            text = _read_page(browser, base_url, config, screenshot)
        finally:
            browser.close()
    return text


def _read_page(
    browser: "Browser",
    base_url: str,
    config: dict[str, Any],
    screenshot: Path | None,
) -> str:
    from playwright.sync_api import Error  # noqa: PLC0415 - see run_in_page()

    page = browser.new_context(**config["context_arguments"]()).new_page()
    messages: list[str] = []
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("console", lambda message: messages.append(message.text))
    log = page.locator("#log")
    try:
        page.goto(base_url, timeout=config["NAVIGATION_TIMEOUT"])
        _wait_for_end(page, messages, config["PYODIDE_TIMEOUT"])
        # The page shows the state `Closed` a moment after the last line is printed,
        # since the listener runs in a task of its own. A screenshot has to wait for it.
        page.locator("#state.closed").wait_for(timeout=config["ACTION_TIMEOUT"])
    except (Error, ToolError) as error:
        log_text = log.inner_text() if log.count() else "(the page did not load)"
        console_text = "\n".join(messages) or "(nothing)"
        raise ToolError(
            f"The program in the page failed: {error}\n"
            f"The page showed:\n{log_text}\nThe browser's console:\n{console_text}",
        ) from error
    if screenshot is not None:
        screenshot.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=screenshot, full_page=True)
    text = log.inner_text()
    print_line("\n".join(f"   {line}" for line in text.splitlines()))
    return text


def _wait_for_end(page: "Page", messages: list[str], timeout: int) -> None:
    # A program that fails never prints the last line. Its traceback appears in the
    # console, so it can be reported at once and not only after the timeout.
    deadline = time.monotonic() + timeout / 1000
    ended = page.locator("#log").filter(has_text=LAST_LINE)
    while not ended.count():
        if any("Traceback" in message for message in messages):
            raise ToolError("it raised an exception")
        if time.monotonic() > deadline:
            raise ToolError(f"it did not end within {timeout / 1000:.0f} s")
        page.wait_for_timeout(100)


def _select_exchanged(text: str) -> list[str]:
    # The other lines differ between the platforms: the page shows the states elsewhere,
    # and the metrics contain times.
    return [line for line in text.splitlines() if line.startswith(("→", "←"))]


def check_both(base_url: str, screenshot: Path | None) -> int:
    """Run the program in the terminal and in the page, and compare their messages.

    Returns:
        The exit code: 0 if both succeed and exchange the same messages.
    """
    outputs: list[str] = []
    failures: list[str] = []
    runs: list[Callable[[], str]] = [
        lambda: run_in_terminal(base_url),
        lambda: run_in_page(base_url, screenshot),
    ]
    for run in runs:
        try:
            outputs.append(run())
        except ToolError as error:
            failures.append(str(error))
    if not failures and _select_exchanged(outputs[0]) != _select_exchanged(outputs[1]):
        failures.append("The terminal and the page did not exchange the same messages.")
    for failure in failures:
        print_line(f"\nFAILED. {failure}")
    if not failures:
        print_line("\nOK: the same program ran in the terminal and in the page.")
    return 1 if failures else 0


def serve_page(base_url: str) -> int:
    """Run the program in the terminal, then serve the page until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        run_in_terminal(base_url)
        url = f"{base_url}/"
        print_line(f"\n── Now the page: open {url} in a browser. Press Ctrl-C to stop.")
        threading.Event().wait()
    print_line("\nBye.")
    return 0


def main() -> int:
    """Run the demo."""
    parser = argparse.ArgumentParser(prog="tools.demo", description=__doc__)
    parser.add_argument(
        "--check",
        action="store_true",
        help="run in the terminal and in a headless browser, then exit",
    )
    parser.add_argument("--port", type=int, default=PREFERRED_PORT)
    parser.add_argument(
        "--screenshot",
        type=Path,
        help="with --check: save a screenshot of the page to this file",
    )
    arguments = parser.parse_args()
    ensure_node_modules()
    build_wheel()
    if arguments.check:
        install_profile("demo-check")
        ensure_chromium()
    config = load_config()
    # The default action of SIGTERM would end this process without running any `finally`
    # and leave the server behind. Raising KeyboardInterrupt stops the server as well.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with config["demo_server"](arguments.port) as base_url:
        if arguments.check:
            return check_both(base_url, arguments.screenshot)
        return serve_page(base_url)


if __name__ == "__main__":
    sys.exit(run_main(main))
