/**
 * A slow link to a server on this machine, as its own process: `node scripts/bench/link.ts <port> <Mbit/s> <round trip in ms>`.
 * All connections share its rate in the direction of the client. Prints its port as one line of JSON.
 */
import { type AddressInfo, createServer, connect as netConnect, type Socket } from 'node:net';

const [port = 0, mbits = 100, roundTrip = 30] = process.argv.slice(2).map(Number);
const bytesPerMs = (mbits * 1e6) / 8 / 1000;
const oneWay = roundTrip / 2;

/** When what was sent so far has passed the link. */
let busyUntil = 0;

const server = createServer({ noDelay: true }, (client) => {
  // A connection is there after one round trip.
  setTimeout(() => {
    const upstream = netConnect({ port, host: '127.0.0.1', noDelay: true });
    pass(client, upstream, () => 0);
    pass(upstream, client, (bytes) => {
      busyUntil = Math.max(busyUntil, performance.now()) + bytes / bytesPerMs;
      return busyUntil - performance.now();
    });
  }, roundTrip);
});

/** Hands on what comes, in order, after it has waited: `queue` says how long so many bytes wait for the link. */
function pass(from: Socket, to: Socket, queue: (bytes: number) => number): void {
  const underway: { readonly due: number; readonly chunk: Buffer | undefined }[] = [];
  let timer: NodeJS.Timeout | undefined;
  const add = (wait: number, chunk: Buffer | undefined) => {
    underway.push({ due: performance.now() + wait, chunk });
    if (timer === undefined) timer = setTimeout(deliver, wait);
  };
  const deliver = () => {
    timer = undefined;
    for (let next = underway[0]; next !== undefined; next = underway[0]) {
      const wait = next.due - performance.now();
      if (wait > 0.5) {
        timer = setTimeout(deliver, wait);
        return;
      }
      underway.shift();
      if (next.chunk === undefined) to.end();
      else to.write(next.chunk);
    }
  };
  from.on('error', () => to.destroy());
  from.on('data', (chunk: Buffer) => {
    const wait = queue(chunk.length);
    add(wait + oneWay, chunk);
    if (wait <= roundTrip) return;
    // What comes faster than the link is not taken from the sender, as a receiver's window would have it.
    from.pause();
    setTimeout(() => from.resume(), wait - oneWay);
  });
  from.on('end', () => add(Math.max(0, (underway.at(-1)?.due ?? 0) - performance.now()), undefined));
}

server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
});
