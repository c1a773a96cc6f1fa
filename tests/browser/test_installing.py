"""The wheel gets into a page in every way there is, and the README's program runs."""

import json
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser import distribution, lite
from tests.browser.bundle import Bundle
from tests.browser.serving import serve
from tests.support.server import Server
from tools.common import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
URL = "ws://127.0.0.1:8000/ws"

PYSCRIPT_PAGE = """<!doctype html>
<link rel="icon" href="data:,">
<script type="module" src="/pyscript/core.js"></script>
<script type="py" {place} config='{config}'>
{program}
</script>
"""

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
def program() -> Iterator[str]:
    """The first program of the README, with the address of a server."""
    found = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert found is not None
    assert URL in found[1]
    with Server() as server:
        yield found[1].replace(URL, server.urls("/echo"))


def the_wheel(bundle: Bundle) -> str:
    (name,) = (name for name in bundle.archives if name.startswith("ws_everywhere"))
    return name


def test_micropip_brings_nothing_else(page: Page, bundle):
    """One pure wheel: no `websockets`, and nothing of the native backend's needs."""
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
@pytest.mark.parametrize("place", ["main", "worker"])
def test_pyscript(page: Page, bundle, program, *, playwright_config, place, way):
    """A page with nothing but the wheel and the README's program shows its answer."""
    distribution.with_micropip()
    archives = dict(bundle.archives)
    with serve(archives) as base:
        wheel = f"{base}archives/{the_wheel(bundle)}"
        config = {"interpreter": f"{base}pyodide/pyodide.mjs", **WAYS[way]}
        text = json.dumps(config).replace("{wheel}", wheel)
        html = PYSCRIPT_PAGE.format(
            place="worker" if place == "worker" else "",
            config=text.replace('"/micropip', f'"{base}micropip'),
            program=program,
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


@pytest.mark.everywhere
@pytest.mark.timeout(300)
def test_jupyterlite(page: Page, bundle, program, playwright_config):
    """A cell installs the wheel and runs the same program."""
    lite.build()
    cell = f"%pip install -q ws-everywhere\n{program}".replace("ws.run", "await ws.run")
    query = urlencode({"kernel": "python", "code": cell, "execute": 1})
    with serve(bundle.archives) as base:
        page.goto(f"{base}lite/repl/index.html?{query}")
        output = page.locator(".jp-OutputArea-output")
        timeout = 2 * playwright_config["PYODIDE_TIMEOUT"]
        expect(output.last).to_have_text("Hello!", timeout=timeout)
