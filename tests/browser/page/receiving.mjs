// What plain JavaScript makes of it: receives `count` messages, returns the seconds
// from the first to the last. The server begins when a message has come.
export async function receive(url, count) {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  await new Promise((resolve) => (socket.onopen = resolve));
  let left = count;
  let size = 0;
  let began = 0;
  const done = new Promise((resolve) => {
    socket.onmessage = ({ data }) => {
      began ||= performance.now();
      size += data.length ?? data.byteLength;
      if (--left === 0) resolve();
    };
  });
  socket.send("begin");
  await done;
  const seconds = (performance.now() - began) / 1000;
  socket.close();
  return seconds;
}
