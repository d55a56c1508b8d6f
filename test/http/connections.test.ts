import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import t, { type Test } from 'tap';
import { startServer, type Service } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { metricOf } from '../helpers/slow-server.js';
import { eventually } from '../system/calls.js';

/** One request on a connection of the agent; resolves with the status when the body is read. */
function request(agent: http.Agent, url: string, body?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = http.request(
      url,
      {
        agent,
        method: body === undefined ? 'GET' : 'POST',
        ...(body !== undefined && { headers: { 'content-type': 'application/json' } }),
      },
      answer => answer.resume().once('end', () => resolve(answer.statusCode!)),
    );
    sent.once('error', reject).end(body);
  });
}

t.test('a kept connection gathers nothing however many statistics are asked on it', async t => {
  const server = await startServer({ env: { HYPERSLAB_DEMO: 'auto' } });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(async () => {
    agent.destroy();
    await server.stop();
    fs.rmSync(server.dataDir, { recursive: true });
  });
  const batch = JSON.stringify({ queries: [{ dataset: 'flights-delay', ops: ['mean'] }] });
  for (let i = 0; i < 15; i++) {
    t.equal(await request(agent, `${server.url}/v1/datasets/flights-delay/statistics?ops=mean`), 200);
    t.equal(await request(agent, `${server.url}/v1/statistics`, batch), 200);
    t.equal(await request(agent, `${server.url}/v1/datasets/flights-delay/data?format=raw`), 200);
  }
  t.notMatch(server.log.join('\n'), /MaxListenersExceededWarning/);
});

/** A connection that sends some bytes and reads what comes. Ends with the test. */
function connect(t: Test, { url }: Service, bytes: string, localAddress = '127.0.0.1') {
  const socket = net.connect({ host: '127.0.0.1', port: Number(new URL(url).port), localAddress });
  const connection = { socket, read: '', isClosed: false };
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined).on('close', () => (connection.isClosed = true));
  socket.on('data', (chunk: Buffer) => (connection.read += chunk.toString()));
  if (bytes !== '') socket.write(bytes);
  return connection;
}

const HEALTH = 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n';
const READY = 'GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n';
const LIST = 'GET /v1/datasets HTTP/1.1\r\nhost: localhost\r\n\r\n';
const UPLOAD =
  'PUT /v1/datasets/x HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-npy\r\ncontent-length: 100000\r\n\r\n';

t.test('silent, half and kept connections make room for new ones, the oldest first', async t => {
  const server = await startHere(t, {
    env: { HYPERSLAB_CONNECTIONS_MAX: '8', HYPERSLAB_CONNECTIONS_PER_ADDRESS: '6' },
  });
  const kinds = ['', 'GET /healthz HT', HEALTH];
  const old = [...kinds, ...kinds].map(bytes => connect(t, server, bytes));
  await eventually(() => old.filter(({ read }) => read.includes('200 OK')).length === 2);
  for (let i = 0; i < 20; i++) {
    const { socket, ...fresh } = connect(t, server, '');
    const answered = new Promise<string>(resolve => socket.once('data', chunk => resolve(chunk.toString())));
    socket.write(HEALTH);
    t.match(await answered, /^HTTP\/1.1 200 OK/, 'a new one is answered');
    t.notOk(fresh.isClosed);
  }
  t.ok(await eventually(() => old.every(({ isClosed }) => isClosed)));
  t.equal(await metricOf(server, 'hyperslab_connections'), 6);
});

t.test('an address whose connections are all at work gets no more but health, and others do', async t => {
  const server = await startHere(t, {
    env: { HYPERSLAB_CONNECTIONS_MAX: '8', HYPERSLAB_CONNECTIONS_PER_ADDRESS: '4' },
  });
  const busy = Array.from({ length: 4 }, () => connect(t, server, UPLOAD, '127.0.0.2'));
  const other = connect(t, server, HEALTH, '127.0.0.3');
  t.ok(await eventually(() => other.read.includes('200 OK')));
  await checkSpares(t, server, '127.0.0.2');
  t.strictSame(
    busy.map(({ isClosed }) => isClosed),
    [false, false, false, false],
    'those at work stay',
  );
  busy[0]!.socket.destroy();
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_connections')) === 5));
  const sixth = connect(t, server, LIST, '127.0.0.2');
  t.ok(await eventually(() => sixth.read.includes('200 OK')), 'what is given back can be had');
});

t.test('unless it is set, the share of an address leaves room for others', async t => {
  const server = await startHere(t, { env: { HYPERSLAB_CONNECTIONS_MAX: '16' } });
  const all = Array.from({ length: 16 }, (_, i) => connect(t, server, UPLOAD.replace('/x ', `/x${i} `), '127.0.0.2'));
  t.ok(await eventually(() => all.filter(({ isClosed }) => isClosed).length === 2), 'two find no place');
  const other = connect(t, server, LIST, '127.0.0.3');
  t.ok(await eventually(() => other.read.includes('200 OK')));
});

t.test('health is told where every connection of every address is at work', async t => {
  const server = await startHere(t, {
    env: { HYPERSLAB_CONNECTIONS_MAX: '8', HYPERSLAB_CONNECTIONS_PER_ADDRESS: '4' },
  });
  const addresses = ['127.0.0.2', '127.0.0.3'];
  const busy = addresses.flatMap(address => Array.from({ length: 4 }, () => connect(t, server, UPLOAD, address)));
  for (const address of [...addresses, '127.0.0.4']) await checkSpares(t, server, address);
  t.notOk(busy.some(({ isClosed }) => isClosed));
  // A spare one that says nothing goes for the next.
  for (let i = 0; i < 5; i++) connect(t, server, '', '127.0.0.2');
  await checkSpares(t, server, '127.0.0.5');
  for (const { socket } of busy) socket.destroy();
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_connections')) <= 2), 'all are counted back');
});

/** What a connection beyond the bound is told. */
async function checkSpares(t: Test, server: Service, address: string): Promise<void> {
  for (const [asked, told] of [
    [HEALTH, /^HTTP\/1.1 200 OK.*\r\nconnection: close\r\n/is],
    [READY, /^HTTP\/1.1 200 OK.*\r\nconnection: close\r\n/is],
    [LIST, /^HTTP\/1.1 503 .*\r\nconnection: close\r\nretry-after: 1\r\n.*"busy"/is],
    [UPLOAD, /^HTTP\/1.1 503 .*"busy"/is],
  ] as const) {
    const spare = connect(t, server, asked, address);
    t.ok(await eventually(() => spare.isClosed), 'it is closed');
    t.match(spare.read, told, `${address}: ${asked.split('\r\n', 1)[0]}`);
  }
}

t.test('a client that is told 408 and does not go is let go of', async t => {
  const server = await startHere(t, { env: { HYPERSLAB_STALL_SECONDS: '1' } });
  const { port } = new URL(server.url);
  // Keeps its side open whatever comes.
  const sockets = ['', 'GET /hea'].map(bytes => {
    const socket = net.connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true });
    t.teardown(() => socket.destroy());
    socket.on('error', () => undefined).resume();
    if (bytes !== '') socket.write(bytes);
    return socket;
  });
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_connections')) === 3), 'they are counted');
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_connections')) === 1), 'and let go of');
  t.equal(sockets.length, 2);
});
