// Runs pytest inside Pyodide: the same for a page, a worker and Node.
//
// config.base      the URL of `serving.py`
// config.pyodide   where pyodide.mjs and its files are
// config.archives  names of wheels and zip files to unpack, in order
// config.env       environment variables inside
// config.args      what pytest is given
//
// Returns the results as JSON, see `inside/main.py`.

export async function run(config) {
  const { loadPyodide } = await import(`${config.pyodide}pyodide.mjs`);
  const pyodide = await loadPyodide({ env: { HOME: "/home/pyodide", ...config.env } });

  // Handlers of events are bound methods, and nothing else that we give to JavaScript
  // is: so many of their proxies are alive.
  pyodide._module.enable_pyproxy_allocation_tracing();
  globalThis.countHandlers = () =>
    [...pyodide._module.pyproxy_alloc_map.keys()].filter((p) => p.type === "method").length;

  for (const name of config.archives) {
    const answer = await fetch(`${config.base}archives/${name}`);
    if (!answer.ok) throw new Error(`${answer.status} for ${answer.url}`);
    const isWheel = name.endsWith(".whl");
    pyodide.unpackArchive(await answer.arrayBuffer(), isWheel ? "wheel" : "zip", {
      extractDir: isWheel ? undefined : config.env.WS_TREE,
    });
  }
  globalThis.pytestArguments = config.args;
  // JSPI, and so run_sync(), is there under runPythonAsync alone.
  return await pyodide.runPythonAsync(`
import os, sys
sys.path.insert(0, os.environ["WS_TREE"])
from tests.browser.inside.main import main
main()
`);
}
