// What plain JavaScript makes of it: sends so many messages, and returns the seconds
// until the server has told that everything is there.
const FULL = 2 ** 20;

export async function send_bench(url, isText, size, count) {
  const socket = new WebSocket(url);
  await new Promise((resolve) => (socket.onopen = resolve));
  const over = new Promise((resolve) => (socket.onmessage = resolve));
  const text = "x".repeat(size);
  const message = isText ? text : new TextEncoder().encode(text);
  const began = performance.now();
  for (let sent = 0; sent < count; sent++) {
    socket.send(message);
    while (socket.bufferedAmount > FULL)
      await new Promise((resolve) => setTimeout(resolve, 4));
  }
  await over;
  const seconds = (performance.now() - began) / 1000;
  socket.close();
  return seconds;
}
