/**
 * Clients in a process of their own: each has one connection, appends one row and waits for its answer, again and again.
 * Prints what it counted. Usage: clients-child.js URL CLIENTS SECONDS
 */
import type net from 'node:net';
import { performance } from 'node:perf_hooks';
import { answersOf, connectAll, spreadOf } from '../by-hand.js';
import { ROW_BYTES } from './rows.js';

const [target, clients, seconds] = process.argv.slice(2) as [string, string, string];
const url = new URL(target);
const head =
  `POST ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\n` +
  `Content-Type: application/octet-stream\r\nContent-Length: ${ROW_BYTES}\r\n\r\n`;
const request = Buffer.concat([Buffer.from(head), Buffer.alloc(ROW_BYTES, 1)]);
const latencies: number[] = [];

const sockets = await connectAll(url, Number(clients));
const started = performance.now();
const end = started + Number(seconds) * 1000;
await Promise.all(sockets.map(append));
const elapsed = (performance.now() - started) / 1000;
process.stdout.write(JSON.stringify({ acks: latencies.length, seconds: elapsed, ...spreadOf(latencies) }));

async function append(socket: net.Socket): Promise<void> {
  const answers = answersOf(socket);
  for (let sent = performance.now(); sent < end; sent = performance.now()) {
    socket.write(request);
    const answer = await answers.next();
    if (answer.done || !answer.value.startsWith('HTTP/1.1 200 ')) throw new Error(`not appended: ${answer.value}`);
    latencies.push(performance.now() - sent);
  }
  socket.destroy();
}
