"""Every way to install the wheel in a page, after which the README's program runs."""

import json
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser import distribution, lite
from tests.browser.bundle import Bundle
from tests.browser.static_server import serve
from tests.support.server import Server
from tools.common import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = (ROOT / "docs" / "browser.md").read_text(encoding="utf-8")
URL = "ws://127.0.0.1:8000/ws"
NO_ICON = '<link rel="icon" href="data:,">'

INSTALL = """async ([pyodide, wheel, program]) => {
    const { loadPyodide } = await import(`${pyodide}pyodide.mjs`);
    const python = await loadPyodide();
    await python.loadPackage("micropip");
    await python.pyimport("micropip").install(wheel);
    return await python.runPythonAsync(program);
}"""

WHAT_IS_THERE = """
import importlib.util, json, micropip, ws
names = ("websockets", "picows", "ws_vm", "pip")
json.dumps([sorted(micropip.list()), [n for n in names if importlib.util.find_spec(n)]])
"""


@pytest.fixture
def echo() -> Iterator[str]:
    """The address of a server that echoes."""
    with Server() as server:
        yield server.urls("/echo")


def example(text: str, language: str) -> str:
    """The first example in a language."""
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    """Replace the first string of each pair by the second; it has to occur."""
    for old, new in pairs:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


def script(html: str) -> tuple[str, str]:
    """The configuration of a page's script, and what PyScript is loaded from."""
    config = re.search(r"config='(.*?)'", html)
    source = re.search(r'src="(.*?)"', html)
    assert config is not None
    assert source is not None
    assert json.loads(config[1]) == {"packages": ["ws-everywhere"]}
    return config[1], source[1]


def the_wheel(bundle: Bundle) -> str:
    (name,) = (name for name in bundle.archives if name.startswith("ws_everywhere"))
    return name


def test_micropip_brings_nothing_else(page: Page, bundle):
    """One pure wheel is installed, without `websockets` or other native packages."""
    distribution.with_micropip()
    with serve(bundle.archives) as base:
        page.goto(f"{base}page/index.html")
        wheel = f"{base}archives/{the_wheel(bundle)}"
        answer = page.evaluate(INSTALL, [f"{base}micropip/", wheel, WHAT_IS_THERE])
    installed, there = json.loads(answer)
    assert ["micropip", "ws-everywhere"] == installed
    # The wheel is one for all platforms: `ws_vm` is in it, and is not imported.
    assert ["ws_vm"] == there


WAYS = {
    "files": {"files": {"{wheel}": "./*"}},
    "packages": {"packages": ["{wheel}"], "packages_cache": "passthrough"},
    "micropip": {"packages": ["{wheel}"], "interpreter": "/micropip/pyodide.mjs"},
}


@pytest.mark.parametrize(
    "way",
    [
        "files",
        pytest.param("packages", marks=pytest.mark.everywhere),
        pytest.param("micropip", marks=pytest.mark.everywhere),
    ],
)
@pytest.mark.parametrize("place", ["", "worker"], ids=["main", "worker"])
def test_pyscript(page: Page, bundle, echo, *, playwright_config, place, way):
    """The page of the docs, with our copies of what it loads, shows the answer."""
    distribution.with_micropip()
    archives = dict(bundle.archives)
    html = example(DOCS, "html")
    given, source = script(html)
    with serve(archives) as base:
        wheel = f"{base}archives/{the_wheel(bundle)}"
        config = {"interpreter": f"{base}pyodide/pyodide.mjs", **WAYS[way]}
        text = json.dumps(config).replace("{wheel}", wheel)
        html = replaced(
            html,
            ("<!doctype html>", f"<!doctype html>{NO_ICON}"),
            (source, "/pyscript/core.js"),
            ('<script type="py"', f'<script type="py" {place}'),
            (given, text.replace('"/micropip', f'"{base}micropip')),
            (URL, echo),
        )
        archives["page.html"] = html.encode()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        with page.expect_console_message(
            lambda message: message.text.strip() == "Hello!",
            timeout=playwright_config["PYODIDE_TIMEOUT"],
        ):
            page.goto(f"{base}archives/page.html")
    assert [] == [text for text in said if "Error" in text]


def test_the_page_of_the_readme(page: Page, bundle, playwright_config):
    """It is a part of a page, and shows what a server sends."""
    archives = dict(bundle.archives)
    html = example(README, "html")
    config = re.search(r"config='(.*?)'", html)
    assert config is not None
    with serve(archives) as base, Server() as server:
        ours = {
            "interpreter": f"{base}pyodide/pyodide.mjs",
            "files": {f"{base}archives/{the_wheel(bundle)}": "./*"},
        }
        html = replaced(
            html,
            (config[1], json.dumps(ours)),
            ("wss://example.com/socket", server.urls("/greeting")),
        )
        source = '<script type="module" src="/pyscript/core.js"></script>'
        archives["page.html"] = f"<!doctype html>{NO_ICON}{source}{html}".encode()
        with page.expect_console_message(
            lambda message: message.text.strip() == "hello",
            timeout=playwright_config["PYODIDE_TIMEOUT"],
        ):
            page.goto(f"{base}archives/page.html")


@pytest.mark.everywhere
@pytest.mark.timeout(300)
def test_jupyterlite(page: Page, bundle, echo, playwright_config):
    """The cell of the docs installs the wheel and shows the answer."""
    lite.build()
    cell = replaced(example(DOCS, "text"), (URL, echo))
    query = urlencode({"kernel": "python", "code": cell, "execute": 1})
    with serve(bundle.archives) as base:
        page.goto(f"{base}lite/repl/index.html?{query}")
        output = page.locator(".jp-OutputArea-output")
        timeout = 2 * playwright_config["PYODIDE_TIMEOUT"]
        expect(output.last).to_have_text("Hello!", timeout=timeout)
