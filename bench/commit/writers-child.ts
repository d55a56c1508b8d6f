/**
 * Writers in a process of their own: each has one connection, sends one block and waits for its answer, again and again.
 * Prints what it counted.
 * Usage: writers-child.js URL WRITERS SECONDS, where the row's number is put behind the URL.
 */
import type net from 'node:net';
import { performance } from 'node:perf_hooks';
import { answersOf, connectAll, spreadOf } from '../by-hand.js';
import { BLOCK_BYTES, rowsOf } from './blocks.js';

const [target, writers, seconds] = process.argv.slice(2) as [string, string, string];
const url = new URL(target);
const { host, pathname, search } = url;
const block = Buffer.alloc(BLOCK_BYTES, 1);
const latencies: number[] = [];

const sockets = await connectAll(url, Number(writers));
const started = performance.now();
const end = started + Number(seconds) * 1000;
await Promise.all(sockets.map(write));
const elapsed = (performance.now() - started) / 1000;
process.stdout.write(JSON.stringify({ acks: latencies.length, seconds: elapsed, ...spreadOf(latencies) }));

async function write(socket: net.Socket, writer: number): Promise<void> {
  const answers = answersOf(socket);
  for (const row of rowsOf(writer)) {
    const sent = performance.now();
    if (sent >= end) break;
    const head =
      `PUT ${pathname}${search}${row} HTTP/1.1\r\nHost: ${host}\r\n` +
      `Content-Type: application/octet-stream\r\nContent-Length: ${BLOCK_BYTES}\r\n\r\n`;
    socket.write(Buffer.concat([Buffer.from(head), block]));
    const answer = await answers.next();
    if (answer.done || !answer.value.startsWith('HTTP/1.1 200 ')) throw new Error(`not written: ${answer.value}`);
    latencies.push(performance.now() - sent);
  }
  socket.destroy();
}
