// What plain JavaScript makes of it: receives so many bursts of `count` messages, and
// returns the seconds from the first of each to its last.
export async function receive_bench(url, bursts, count) {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  await new Promise((resolve) => (socket.onopen = resolve));
  let seconds = 0;
  let size = 0;
  for (let burst = 0; burst < bursts; burst++) {
    let left = count;
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
    seconds += (performance.now() - began) / 1000;
  }
  socket.close();
  return seconds;
}
