// Starts Pyodide with archives and runs Python: the same for a page, a worker and Node.
//
// config.base      the URL of `serving.py`
// config.pyodide   where pyodide.mjs and its files are
// config.archives  names of wheels and zip files to unpack, in order
// config.env       environment variables inside
// config.args      what pytest is given, for run()

// Pyodide, and in it a function that imports one of our modules and calls a function.
export async function start(config) {
  const { loadPyodide } = await import(`${config.pyodide}pyodide.mjs`);
  const pyodide = await loadPyodide({ env: { HOME: "/home/pyodide", ...config.env } });

  // Handlers of events are bound methods, and nothing else that we give to JavaScript
  // is: so many of their proxies are alive.
  pyodide._module.enable_pyproxy_allocation_tracing();
  const proxies = pyodide._module.pyproxy_alloc_map;
  globalThis.countHandlers = () =>
    [...proxies.keys()].filter((proxy) => proxy.type === "method").length;
  globalThis.countProxies = () => proxies.size;

  for (const name of config.archives) {
    const answer = await fetch(`${config.base}archives/${name}`);
    if (!answer.ok) throw new Error(`${answer.status} for ${answer.url}`);
    const isWheel = name.endsWith(".whl");
    pyodide.unpackArchive(await answer.arrayBuffer(), isWheel ? "wheel" : "zip", {
      extractDir: isWheel ? undefined : config.env.WS_TREE,
    });
  }
  globalThis.pytestArguments = config.args;
  return pyodide;
}

// Runs the tests and returns their results as JSON, see `inside/main.py`.
export async function run(config) {
  const pyodide = await start(config);
  // After a fatal error of Pyodide nothing in it goes on: there is nothing to wait for.
  const died = new Promise((_, reject) => {
    pyodide._api.on_fatal = (error) =>
      reject(new Error(`Pyodide died in ${globalThis.currentTest}: ${error}`));
  });
  return await Promise.race([died, call(pyodide, "tests.browser.inside.main", "main")]);
}

// Calls a function of a Python module with JSON; a coroutine is waited for.
export async function call(pyodide, module, name, args = []) {
  const locals = pyodide.toPy({ module, name, args: JSON.stringify(args) });
  try {
    // JSPI, and so run_sync(), is there under runPythonAsync alone.
    return await pyodide.runPythonAsync(
      `
import importlib, inspect, json, os, sys
if os.environ["WS_TREE"] not in sys.path:
    sys.path.insert(0, os.environ["WS_TREE"])
result = getattr(importlib.import_module(module), name)(*json.loads(args))
await result if inspect.isawaitable(result) else result
`,
      { globals: locals },
    );
  } finally {
    locals.destroy();
  }
}
