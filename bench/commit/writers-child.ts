/**
 * Writers in a process of their own: each has one connection, sends one block and waits for its answer, again and again.
 * HTTP by hand, since Node's client costs more than the servers do. Prints what it counted.
 * Usage: writers-child.js URL WRITERS SECONDS, where the row's number is put behind the URL.
 */
import { once } from 'node:events';
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import { BLOCK_BYTES, rowsOf } from './blocks.js';

const [target, writers, seconds] = process.argv.slice(2) as [string, string, string];
const { host, hostname, port, pathname, search } = new URL(target);
const block = Buffer.alloc(BLOCK_BYTES, 1);
const latencies: number[] = [];

const sockets = await Promise.all(Array.from({ length: Number(writers) }, connect));
const started = performance.now();
const end = started + Number(seconds) * 1000;
await Promise.all(sockets.map(write));
const elapsed = (performance.now() - started) / 1000;
process.stdout.write(JSON.stringify({ acks: latencies.length, seconds: elapsed, ...spreadOf(latencies) }));

async function connect(): Promise<net.Socket> {
  const socket = net.connect(Number(port), hostname);
  await once(socket, 'connect');
  return socket.setNoDelay(true);
}

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

/** Whole answers, one after the other. */
async function* answersOf(socket: net.Socket): AsyncGenerator<string, undefined> {
  let text = '';
  for await (const part of socket as AsyncIterable<Buffer>) {
    text += part.toString('latin1');
    const bodyStart = text.indexOf('\r\n\r\n') + 4;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1]);
    if (bodyStart < 4 || !(text.length >= bodyStart + length)) continue;
    yield text.slice(0, bodyStart + length);
    text = text.slice(bodyStart + length);
  }
  return undefined;
}

function spreadOf(values: readonly number[]): { p50: number; p99: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
