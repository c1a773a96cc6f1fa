// The same in Node: node node.mjs CONFIG RESULTS
//
// config.websocket   a module whose WebSocket stands in for Node's own
import { readFile, writeFile } from "node:fs/promises";

import { run } from "./boot.mjs";

const [configFile, resultsFile] = process.argv.slice(2);
const config = JSON.parse(await readFile(configFile, "utf8"));
if (config.websocket) {
  globalThis.WebSocket = (await import(config.websocket)).WebSocket;
}
await writeFile(resultsFile, await run(config));
// Sockets and timers of tests that failed may still be there.
process.exit(0);
