/**
 * Many clients that read and many that send far below the minimum rate. They are closed by the rate and not before a
 * window has passed; meanwhile the memory of the service hardly grows, and others are served.
 */
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import t from 'tap';
import { rssAnonBytes } from '../helpers/memory.js';
import { start, type TestServer } from '../helpers/server.js';
import { create, eventually, get, MiB, rest } from '../system/calls.js';
import { figure, inMs, quantile, rounds } from './harness.js';

/** Of each kind. */
const CLIENTS = rounds(60, 100);
const WINDOW_SECONDS = rounds(3, 10);
const RATE = 512 * 1024;
/** What 100 of each kind may cost, most of it Node's own objects for 200 connections. */
const GROWTH_MAX = 64 * MiB;
const PROBE_MS = rounds(2000, 5000);
const PROBES = 4;
/** Two windows, and a lot for a busy machine. */
const GONE_MS = WINDOW_SECONDS * 2000 + 20_000;

/** Reads one row after the other until told; the milliseconds of each, and how many were not answered well. */
async function probe(server: TestServer, until: () => boolean): Promise<{ times: number[]; failed: number }> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: PROBES });
  const times: number[] = [];
  let failed = 0;
  const one = async (): Promise<void> => {
    while (!until()) {
      const started = performance.now();
      const status = await new Promise<number>((resolve, reject) => {
        const url = `${server.url}/v1/datasets/large/data?slice=5&format=raw`;
        http.get(url, { agent }, answer => answer.resume().once('end', () => resolve(answer.statusCode!))).on('error', reject); // prettier-ignore
      }).catch(() => 0);
      if (status !== 200) failed++;
      times.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: PROBES }, one));
  agent.destroy();
  return { times, failed };
}

/** Connections that the service holds. A reader whose kernel still has bytes for it does not see its own end. */
function connectionsOf(server: TestServer): number {
  const folder = `/proc/${server.pid}/fd`;
  return fs.readdirSync(folder).filter(fd => {
    try {
      return fs.readlinkSync(`${folder}/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}

interface SlowClient {
  readonly socket: net.Socket;
  answer: string;
}

function connect(server: TestServer, onConnect: (socket: net.Socket) => void): SlowClient {
  const { hostname, port } = new URL(server.url);
  const socket = net.connect(Number(port), hostname, () => onConnect(socket));
  socket.on('error', () => undefined);
  return { socket, answer: '' };
}

/** Takes what the kernel has once a second, at most 64 KiB: an eighth of the rate. */
function slowReader(server: TestServer): SlowClient {
  const client = connect(server, socket => {
    socket.write('GET /v1/datasets/large/data?format=raw HTTP/1.1\r\nhost: localhost\r\n\r\n');
  });
  client.socket.on('data', () => {
    client.socket.pause();
    setTimeout(() => client.socket.resume(), 1000);
  });
  return client;
}

/** Writes, statistics and imports whose bodies come a few bytes at a time. */
function slowSender(server: TestServer, number: number): SlowClient {
  const call = [
    'PUT /v1/datasets/large/data?slice=:500000 HTTP/1.1\r\ncontent-type: application/octet-stream',
    'POST /v1/datasets/large/statistics HTTP/1.1\r\ncontent-type: application/json',
    `PUT /v1/datasets/slow${number} HTTP/1.1\r\ncontent-type: application/x-npy`,
    'PUT /v1/datasets/large/data HTTP/1.1\r\ncontent-type: application/json',
  ][number % 4]!;
  const magic = Buffer.concat([Buffer.from([0x93]), Buffer.from('NUMPY'), Buffer.from([1, 0]), Buffer.alloc(100, 1)]);
  let sent = 0;
  const client = connect(server, socket => {
    socket.write(`${call}\r\nhost: localhost\r\ncontent-length: 500000\r\n\r\n`);
    const timer = setInterval(() => socket.write(number % 4 === 2 ? magic.subarray(sent, ++sent) : ' '), 200);
    socket.once('close', () => clearInterval(timer));
  });
  client.socket.on('data', (chunk: Buffer) => (client.answer += chunk.toString()));
  return client;
}

const skip = process.platform === 'linux' ? false : 'needs /proc';

t.test('slow clients are closed by their rate, and hold little meanwhile', { skip }, async t => {
  const env = { HYPERSLAB_STALL_SECONDS: String(WINDOW_SECONDS), HYPERSLAB_MIN_RATE_BYTES: String(RATE) };
  const server = await start(t, { env });
  await create(server, { name: 'large', dtype: 'u1', shape: [64 * MiB], fill: 1 });
  // What a working service has in memory anyway is not what slow clients cost.
  for (let i = 0; i < 5; i++) await rest(await get(`${server.url}/v1/datasets/large/data?format=raw`));
  const quietEnd = performance.now() + PROBE_MS;
  const quiet = await probe(server, () => performance.now() > quietEnd);
  const before = rssAnonBytes(server.pid);

  const alone = connectionsOf(server);
  const started = performance.now();
  const clients = [
    ...Array.from({ length: CLIENTS }, () => slowReader(server)),
    ...Array.from({ length: CLIENTS }, (_, number) => slowSender(server, number)),
  ];
  let isOver = false;
  let memory = before;
  let connections = 0;
  const sampler = setInterval(() => (memory = Math.max(memory, rssAnonBytes(server.pid))), 20);
  const probing = probe(server, () => isOver);
  const held = (): number => connectionsOf(server) - alone - PROBES;
  const areOpen = await eventually(() => (connections = Math.max(connections, held())) >= 1.5 * CLIENTS, GONE_MS);
  t.ok(areOpen, `${connections} were open at one time`);
  t.ok(await eventually(() => held() < CLIENTS, GONE_MS));
  t.ok(performance.now() - started >= WINDOW_SECONDS * 900, 'they were given a window');
  t.ok(await eventually(() => held() <= 0, GONE_MS), 'all were closed');
  figure(t, 'slow clients: closed after', `${((performance.now() - started) / 1000).toFixed(1)} s at most`);
  isOver = true;
  const busy = await probing;
  clearInterval(sampler);
  for (const { socket } of clients) socket.destroy();

  const told = clients.filter(({ answer }) => /^HTTP\/1\.1 408 .*"code":"too_slow"/s.test(answer)).length;
  // A reset may overtake the answer when the client goes on sending.
  t.ok(told >= CLIENTS / 2, `${told} of ${CLIENTS} senders read why`);
  t.equal(busy.failed + quiet.failed, 0, 'others were served');
  const growth = memory - before;
  t.ok(growth < GROWTH_MAX, `RssAnon grew by ${(growth / MiB).toFixed(1)} MiB`);
  figure(t, `slow clients: RssAnon growth of ${CLIENTS} + ${CLIENTS}`, `${(growth / MiB).toFixed(1)} MiB`);
  figure(t, 'slow clients: p99 of small reads without', inMs(quantile(quiet.times, 0.99)));
  figure(t, 'slow clients: p99 of small reads with', inMs(quantile(busy.times, 0.99)));
  t.comment(`${quiet.times.length} reads without, ${busy.times.length} with`);
});
