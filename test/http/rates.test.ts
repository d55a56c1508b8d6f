/** Clients that stall are let go of, and what they held with them; slow ones that keep the rate are served. */
import fs from 'node:fs';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { start, startServer, type TestServer } from '../helpers/server.js';
import { binary, create, eventually, get, json, metric, MiB, outcome, upload } from '../system/calls.js';

const RATE = 1024;
const NPY = { 'content-type': 'application/x-npy' };
const RAW = { 'content-type': 'application/octet-stream' };
/** Far beyond the window of a second and what is added to it; a noisy machine may need it. */
const GONE_MS = 30_000;

let server: TestServer;

t.before(async () => {
  const env = {
    HYPERSLAB_STALL_SECONDS: '1',
    HYPERSLAB_MIN_RATE_BYTES: String(RATE),
    HYPERSLAB_COMMIT_BYTES_MAX: String(MiB),
  };
  server = await startServer({ env });
  await create(server, { name: 'large', dtype: 'u1', shape: [64 * MiB], sparse: true });
  await create(server, { name: 'small', dtype: 'f8', shape: [1000] });
});

t.teardown(async () => {
  await server.stop();
  fs.rmSync(server.dataDir, { recursive: true });
});

/** Sends bytes on a connection of its own and resolves with all that came when the service has closed it. */
function sendAndStall(...parts: (string | Buffer)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    const socket = net.connect(Number(port), hostname, () => {
      for (const part of parts) socket.write(part);
    });
    let answer = '';
    socket.setTimeout(GONE_MS, () => socket.destroy(new Error('the connection was not closed')));
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

function headOf(call: string, type: string, length: number): string {
  return `${call} HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n`;
}

t.test('a request head that does not end is answered 408', async t => {
  const answer = await sendAndStall('GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-more: ');
  t.match(answer, /^HTTP\/1.1 408 [\s\S]*"code":"too_slow"/);
});

t.test('a JSON body that stalls is answered 408, and the connection closed', async t => {
  const answer = await sendAndStall(`${headOf('POST /v1/datasets', 'application/json', 500)}{"name":`);
  t.match(answer, /^HTTP\/1.1 408 [\s\S]*"code":"too_slow"/);
  t.match(answer, /connection: close/i);
});

t.test('a write that stalls gives its memory back', async t => {
  const head = headOf('PUT /v1/datasets/large/data?slice=:1000000', RAW['content-type'], 1_000_000);
  const answer = await sendAndStall(`${head}abc`);
  t.match(answer, /^HTTP\/1.1 408 [\s\S]*"code":"too_slow"/);
  t.ok(await eventually(async () => (await metric(server, 'hyperslab_held_bytes')) === 0));
});

t.test('a stream that stalls lets go of its file', async t => {
  const head = headOf('PUT /v1/datasets/large/data?durability=none', RAW['content-type'], 64 * MiB);
  const stalled = sendAndStall(head + 'a'.repeat(100_000));
  const write = (): Promise<string> =>
    outcome(server.fetch('/v1/datasets/large/data?slice=7', binary('PUT', Buffer.from('x'))));
  t.ok(await eventually(async () => (await write()) === '503 bulk_load'), 'the file is taken');
  t.match(await stalled, /^HTTP\/1.1 408 /);
  t.equal(await write(), '200');
});

t.test('an import that stalls lets go of its name', async t => {
  const npy = Buffer.from(await (await server.fetch('/v1/datasets/small/data?format=npy')).arrayBuffer());
  const head = headOf('PUT /v1/datasets/imported', NPY['content-type'], npy.byteLength);
  const stalled = sendAndStall(head, npy.subarray(0, 200));
  const put = (): Promise<string> =>
    outcome(server.fetch('/v1/datasets/imported', binary('PUT', npy, NPY['content-type'])));
  await delay(300);
  t.equal(await put(), '503 busy', 'the name is taken');
  t.match(await stalled, /^HTTP\/1.1 408 /);
  t.equal(await put(), '201');
});

t.test('a body that keeps the rate may take several windows', async t => {
  const bytes = Buffer.alloc(8000, 1);
  const slow = upload('PUT', `${server.url}/v1/datasets/small/data`, { ...RAW, 'content-length': bytes.byteLength });
  for (let at = 0; at < bytes.byteLength; at += 1000) {
    await slow.send(bytes.subarray(at, at + 1000));
    // Twice the rate.
    await delay((1000 * 1000) / (2 * RATE));
  }
  const { status, text } = await slow.finish();
  t.equal(status, 200, text);
});

t.test('an answer that nobody reads is cut', async t => {
  const response = await get(`${server.url}/v1/datasets/large/data?format=raw`);
  const gone = new Promise(resolve => response.socket.once('close', resolve));
  response.on('error', () => undefined);
  response.socket.on('error', () => undefined);
  // Never read: what is on its way fills the buffers of both kernels.
  response.pause();
  t.ok(await eventually(() => /reads too slowly/.test(server.log.join('')), GONE_MS));
  response.resume();
  await gone;
  t.notOk(response.complete);
});

t.test('a connection that waits between two requests stays', async t => {
  const { hostname, port } = new URL(server.url);
  const socket = net.connect(Number(port), hostname);
  let answers = '';
  socket.on('data', (chunk: Buffer) => (answers += chunk.toString()));
  const ask = (): boolean => socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n');
  ask();
  t.ok(await eventually(() => answers.split('HTTP/1.1 200').length === 2));
  await delay(3000);
  ask();
  t.ok(await eventually(() => answers.split('HTTP/1.1 200').length === 3));
  socket.destroy();
});

t.test('more connections than allowed are closed at once', async t => {
  const tight = await startServer({ env: { HYPERSLAB_CONNECTIONS_MAX: '3' } });
  const { hostname, port } = new URL(tight.url);
  const sockets: net.Socket[] = [];
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    await tight.stop();
    fs.rmSync(tight.dataDir, { recursive: true });
  });
  let closed = 0;
  for (let i = 0; i < 5; i++) {
    const socket = net.connect(Number(port), hostname);
    socket.on('close', () => closed++);
    socket.on('error', () => undefined);
    socket.resume();
    sockets.push(socket);
  }
  t.ok(await eventually(() => closed === 2), `${closed} were closed`);
});

t.test('bodies that are parsed are counted while they are read', async t => {
  const long = JSON.stringify({ name: 'x', dtype: 'f4', shape: [1], attrs: { text: 'x'.repeat(200_000) } });
  const tight = await start(t, { env: { HYPERSLAB_MEMORY_BYTES: '100000' } });
  t.equal(await outcome(tight.fetch('/v1/datasets', { ...json('POST', {}), body: long })), '413 too_large');
  t.equal(await outcome(tight.fetch('/v1/datasets', json('POST', { name: 'y', dtype: 'f4', shape: [1] }))), '201');
});
