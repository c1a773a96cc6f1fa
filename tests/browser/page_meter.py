"""A page of Chromium with Pyodide, in which Python is called and memory measured."""

from dataclasses import dataclass
from typing import Any

from tests.browser.engines.devtools import DevTools
from tests.browser.runtimes import TREE

OPEN = """async (config) => {
    const boot = await import("/page/boot.mjs");
    const pyodide = await boot.start(config);
    globalThis.callPython = (...call) => boot.call(pyodide, ...call);
    globalThis.wasmBytes = () => pyodide._module.HEAPU8.length;
}"""


@dataclass(frozen=True)
class Memory:
    """The memory in use after a garbage collection.

    Attributes:
        js: Bytes in JavaScript's heap.
        buffers: Bytes in its array buffers.
        wasm: Bytes of WebAssembly's memory, which never shrinks.
        proxies: Python's objects that JavaScript holds.
        objects: Python's objects that its collector knows.
    """

    js: int
    buffers: int
    wasm: int
    proxies: int
    objects: int


class Measured:
    """A page in which Pyodide has been loaded.

    Args:
        page: A fresh one.
        base: The URL of `serving.py`.
        archives: What is unpacked in Pyodide.
    """

    def __init__(self, page: DevTools, base: str, archives: list[str]) -> None:
        self._page = page
        self.evaluate = page.evaluate
        page.goto(f"{base}page/index.html")
        config = {
            "base": base,
            "pyodide": f"{base}pyodide/",
            "archives": archives,
            "env": {"WS_TREE": TREE},
        }
        page.evaluate(OPEN, config)
        page.send("Performance.enable")

    def call(self, module: str, function: str, *arguments: Any) -> Any:
        """Call a function in Python, and wait if it is a coroutine function."""
        call = [module, function, list(arguments)]
        return self._page.evaluate("(call) => callPython(...call)", call)

    def memory(self) -> Memory:
        """Measure after garbage collections in Python and in JavaScript."""
        objects = self.call("tests.browser.inside.heavy", "objects")
        js, buffers = self.heap()
        return Memory(
            js=js,
            buffers=buffers,
            wasm=self.wasm(),
            proxies=self._page.evaluate("() => countProxies()", 0),
            objects=objects,
        )

    def heap(self) -> tuple[int, int]:
        """Bytes in the heap of JavaScript and in its array buffers, without garbage."""
        for _ in range(2):
            self._page.send("HeapProfiler.collectGarbage")
        heap = self._page.send("Runtime.getHeapUsage")
        return int(heap["usedSize"]), int(heap["backingStorageSize"])

    def wasm(self) -> int:
        """Bytes of the memory of WebAssembly."""
        return int(self._page.evaluate("() => wasmBytes()", 0))

    def busy(self) -> float:
        """Seconds for which the main thread has worked so far."""
        metrics = self._page.send("Performance.getMetrics")["metrics"]
        named = {metric["name"]: metric["value"] for metric in metrics}
        return float(named["TaskDuration"])
