"""The demo: one program in the terminal and in a page, on a server of our own.

`make demo` holds the conversation in this terminal, then serves the page until Ctrl-C.
`make demo ARGS=--check` does both without a person, and fails if either does.
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
LAST_LINE = "Done."


def run_in_terminal(base_url: str) -> str:
    """Run the conversation in this terminal, and return what it printed.

    Raises:
        ToolError: It failed, or did not end.
    """
    endpoint = base_url.replace("http", "ws", 1) + "/ws"
    program = WEB_DEMO / "conversation.py"
    print_line(f"── In the terminal: {program.relative_to(ROOT)} {endpoint}")
    command = [sys.executable, "-u", str(program), endpoint]
    lines: list[str] = []
    # In a session of its own, so that Ctrl-C is ours to carry out, without a traceback.
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
        raise ToolError(f"The conversation in the terminal failed, with code {code}.")
    return "".join(lines)


def run_in_page(base_url: str, screenshot: Path | None) -> str:
    """Open the page in a headless Chromium, and return what it shows at the end.

    Raises:
        ToolError: The conversation failed, or did not end.
    """
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not for `demo`

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
    from playwright.sync_api import Error  # noqa: PLC0415 - not for `demo`

    page = browser.new_context(**config["context_arguments"]()).new_page()
    messages: list[str] = []
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("console", lambda message: messages.append(message.text))
    log = page.locator("#log")
    try:
        page.goto(base_url, timeout=config["NAVIGATION_TIMEOUT"])
        _wait_for_end(page, messages, config["PYODIDE_TIMEOUT"])
        # The last state is shown a moment after the last line is printed.
        page.locator("#state.closed").wait_for(timeout=config["ACTION_TIMEOUT"])
    except (Error, ToolError) as error:
        log_text = log.inner_text() if log.count() else "(no page)"
        console_text = "\n".join(messages) or "(nothing)"
        raise ToolError(
            f"The conversation in the page failed: {error}\n"
            f"It showed:\n{log_text}\nThe browser's console:\n{console_text}",
        ) from error
    if screenshot is not None:
        screenshot.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=screenshot, full_page=True)
    text = log.inner_text()
    print_line("\n".join(f"   {line}" for line in text.splitlines()))
    return text


def _wait_for_end(page: "Page", messages: list[str], timeout: int) -> None:
    # A program that has failed prints no last line: nobody need wait for it.
    deadline = time.monotonic() + timeout / 1000
    ended = page.locator("#log").filter(has_text=LAST_LINE)
    while not ended.count():
        if any("Traceback" in message for message in messages):
            raise ToolError("The program in the page failed.")
        if time.monotonic() > deadline:
            raise ToolError(f"It did not end within {timeout / 1000:.0f} s.")
        page.wait_for_timeout(100)


def _select_exchanged(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(("→", "←"))]


def check_both(base_url: str, screenshot: Path | None) -> int:
    """Hold the conversation on both sides; both must succeed, and agree."""
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
        failures.append("The two sides did not exchange the same messages.")
    for failure in failures:
        print_line(f"\nFAILED. {failure}")
    if not failures:
        print_line("\nOK: the same program ran in the terminal and in the page.")
    return 1 if failures else 0


def serve_page(base_url: str) -> int:
    """Hold the conversation here, then leave the page to the person, until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        run_in_terminal(base_url)
        url = f"{base_url}/"
        print_line(
            f"\n── Now in the page. Open {url} in a browser; Ctrl-C ends the demo."
        )
        threading.Event().wait()
    print_line("\nBye.")
    return 0


def main() -> int:
    """Run the demo."""
    parser = argparse.ArgumentParser(prog="tools.demo", description=__doc__)
    parser.add_argument("--check", action="store_true", help="run without a person")
    parser.add_argument("--port", type=int, default=PREFERRED_PORT)
    parser.add_argument(
        "--screenshot",
        type=Path,
        help="with --check: save a picture of the page here",
    )
    arguments = parser.parse_args()
    ensure_node_modules()
    build_wheel()
    if arguments.check:
        install_profile("demo-check")
        ensure_chromium()
    config = load_config()
    # Ended by `kill`, it takes its server along, just as on Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with config["demo_server"](arguments.port) as base_url:
        if arguments.check:
            return check_both(base_url, arguments.screenshot)
        return serve_page(base_url)


if __name__ == "__main__":
    sys.exit(run_main(main))
