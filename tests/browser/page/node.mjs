// The same in Node: node node.mjs CONFIG RESULTS
//
// config.websocket   a module whose WebSocket stands in for Node's own
import { readFile, writeFile } from "node:fs/promises";

import { run } from "./boot.mjs";

// Node would print the line of the source as well: all of Pyodide is one.
process.on("uncaughtException", (error) => {
  console.error(String(error.stack ?? error).slice(0, 10_000));
  process.exit(1);
});

const [configFile, resultsFile] = process.argv.slice(2);
const config = JSON.parse(await readFile(configFile, "utf8"));
if (config.websocket) {
  globalThis.WebSocket = (await import(config.websocket)).WebSocket;
}
await writeFile(resultsFile, await run(config));
// Sockets and timers of tests that failed may still be there.
process.exit(0);
