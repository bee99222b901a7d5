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

/** `queue` says how long so many bytes wait for the link. */
function pass(from: Socket, to: Socket, queue: (bytes: number) => number): void {
  from.on('error', () => to.destroy());
  // What comes faster than the link is not taken from the sender, as a receiver's window would have it.
  from.on('data', (chunk: Buffer) => {
    const wait = queue(chunk.length);
    if (wait > roundTrip) {
      from.pause();
      setTimeout(() => from.resume(), wait - oneWay);
    }
    setTimeout(() => to.write(chunk), wait + oneWay);
  });
  from.on('end', () => setTimeout(() => to.end(), Math.max(0, busyUntil - performance.now()) + oneWay + 1));
}

server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
});
