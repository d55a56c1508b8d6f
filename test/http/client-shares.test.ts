/** One client cannot hold all memory of the others: what it asks for beyond its share waits, or is refused. */
import net from 'node:net';
import t from 'tap';
import { headText } from '../helpers/request-text.js';
import { start } from '../helpers/server.js';
import { metricOf } from '../helpers/slow-server.js';
import { binary, create, eventually, MiB } from '../system/calls.js';

/** A quarter of it, which is left to others, is more than a write of 1 MiB holds at any time: 4 MiB and its answer. */
const MEMORY_BYTES = 24 * MiB;

t.test('while one address holds its share of the memory, others write and read', async t => {
  const server = await start(t, { env: { HYPERSLAB_MEMORY_BYTES: String(MEMORY_BYTES) } });
  await create(server, { name: 'a', dtype: 'u1', shape: [MiB] });
  await create(server, { name: 'b', dtype: 'u1', shape: [MiB] });
  const port = Number(new URL(server.url).port);
  for (let i = 0; i < 30; i++) {
    const socket = net.connect({ host: '127.0.0.1', port, localAddress: '127.0.0.2' });
    t.teardown(() => socket.destroy());
    socket.on('error', () => undefined).resume();
    // Never sent.
    socket.write(headText('PUT', '/v1/datasets/a/data', MiB, 'application/octet-stream'));
  }
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_memory_waiters')) > 0), 'it waits for its own');
  const held = await metricOf(server, 'hyperslab_held_bytes');
  t.ok(held > MEMORY_BYTES / 2 && held <= 0.75 * MEMORY_BYTES, `it holds ${held} bytes`);
  for (let i = 0; i < 3; i++) {
    t.equal((await server.fetch('/v1/datasets/b/data', binary('PUT', Buffer.alloc(MiB, i)))).status, 200);
    const read = await server.fetch('/v1/datasets/b/data?format=raw');
    t.equal(read.status, 200);
    // Read to its end, or its memory is held beside that of the next.
    t.equal((await read.arrayBuffer()).byteLength, MiB);
  }
});
