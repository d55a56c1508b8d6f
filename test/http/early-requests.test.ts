/** Requests that a client sends without reading its answers: as many wait as there is memory for. */
import net from 'node:net';
import t, { type Test } from 'tap';
import { LIMITS } from '../../src/limits.js';
import { getText as get } from '../helpers/request-text.js';
import { start, type TestServer } from '../helpers/server.js';
import { binary, create, eventually, MiB } from '../system/calls.js';

const SHORT = 'GET / HTTP/1.1\r\nhost:a\r\n\r\n';

/** An answer that is larger than all buffers on its way. */
const LARGE = get('/v1/datasets/large/data.raw');

/** A connection that asks for something, and reads nothing of it. */
async function stalled(t: Test, server: TestServer): Promise<net.Socket> {
  const socket = net.connect(Number(new URL(server.url).port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined).pause();
  await new Promise(resolve => socket.write(LARGE, resolve));
  return socket;
}

async function withArrays(t: Test): Promise<TestServer> {
  const server = await start(t);
  await create(server, { name: 'large', dtype: 'u1', shape: [64 * MiB], sparse: true });
  await create(server, { name: 'small', dtype: 'u1', shape: [1] });
  return server;
}

t.test('where too many requests wait in all, connections with the most of them are cut', async t => {
  const server = await withArrays(t);
  const perChunk = Math.floor(64_000 / SHORT.length);
  const count = Math.ceil((2 * LIMITS.pipelinedTotalMax) / perChunk);
  let cut = 0;
  for (let i = 0; i < count; i++) {
    // oxlint-disable-next-line no-await-in-loop
    const socket = await stalled(t, server);
    socket.once('close', () => cut++);
    socket.write(SHORT.repeat(perChunk));
    // What was cut shows in a write.
    const timer = setInterval(() => socket.write(SHORT), 100);
    socket.once('close', () => clearInterval(timer));
  }
  t.ok(await eventually(() => cut > 0), `${cut} of ${count} were cut`);
  t.ok(cut < count, 'those within the bound stay');
  t.equal((await server.fetch('/v1/datasets/small/data', binary('PUT', Buffer.alloc(1)))).status, 200);
});
