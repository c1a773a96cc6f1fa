// The same in a module worker.
import { run } from "./boot.mjs";

self.onmessage = async ({ data }) => {
  try {
    self.postMessage({ results: await run(data) });
  } catch (error) {
    self.postMessage({ error: String(error.stack ?? error) });
  }
};
