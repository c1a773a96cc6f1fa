// npm `ws` as a server; `node with_npm_ws.mjs PORT path/to/ws/index.js`.
import { createRequire } from "node:module";

const [port, library] = process.argv.slice(2);
const { WebSocketServer } = createRequire(import.meta.url)(library);

let lastCode = 0;
const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(port),
  perMessageDeflate: true,
  handleProtocols: (offered) => (offered.has("two") ? "two" : false),
});
server.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("close", (code) => (lastCode = code));
  socket.on("message", (data, isBinary) => {
    const [word, code, reason] = isBinary ? [] : data.toString().split(":");
    if (word === "close") socket.close(Number(code), reason);
    else if (word === "last") socket.send(String(lastCode));
    else socket.send(data, { binary: isBinary });
  });
});
