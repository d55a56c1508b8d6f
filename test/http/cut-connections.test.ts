/**
 * Whatever is held for a request comes back when its connection ends: at each point of a request, in each way that a
 * connection can end. The gauges of /metrics are compared with what they were before, to the byte.
 */
import fs from 'node:fs';
import net from 'node:net';
import t from 'tap';
import { LIMITS } from '../../src/limits.js';
import { startHere } from '../helpers/service-here.js';
import { getText as get, headText as head } from '../helpers/request-text.js';
import { metricOf, metricsOf } from '../helpers/slow-server.js';
import { binary, create, eventually, GiB, json, KiB, MiB } from '../system/calls.js';

/** What must be as before; the request for the metrics counts itself. */
const GAUGES = [
  'hyperslab_connections',
  'hyperslab_held_bytes',
  'hyperslab_memory_waiters',
  'hyperslab_pre_image_bytes',
  'hyperslab_requests_in_flight',
  'hyperslab_statistics_running',
  'hyperslab_statistics_waiting',
  'hyperslab_tasks_queued',
];

const OCTETS = 'application/octet-stream';
const PAGE = '/docs/static/swagger-ui-bundle.js';

/** What a client has sent when its connection ends. It reads nothing. */
const POINTS: Readonly<Record<string, string>> = {
  nothing: '',
  'half a head': 'GET /healthz HTTP/1.1\r\nhost: loc',
  'the head of a body that is parsed': head('POST', '/v1/statistics', MiB),
  'half of a body that is parsed': `${head('POST', '/v1/statistics', MiB)}{"queries": [${' '.repeat(KiB)}`,
  'the head of a write': head('PUT', '/v1/datasets/a/data', 4 * MiB, OCTETS),
  'half of a write': head('PUT', '/v1/datasets/a/data', 4 * MiB, OCTETS) + 'x'.repeat(100 * KiB),
  'half of a bulk load': head('PUT', '/v1/datasets/b/data?durability=none', 4 * MiB, OCTETS) + 'x'.repeat(100 * KiB),
  'half of an import': head('PUT', '/v1/datasets/c', 4 * MiB, 'application/x-npy') + 'x'.repeat(KiB),
  'a read': get('/v1/datasets/a/data?format=raw'),
  'a read whose bytes must be gathered': get('/v1/datasets/a/data?format=raw&slice=:,::-1'),
  'a read as JSON': get('/v1/datasets/a/data?slice=:100'),
  'a statistic': get('/v1/datasets/a/statistics?q=0.1,0.5,0.7'),
  'a statistic with many cells': get('/v1/datasets/a/statistics?ops=mean&axis=1'),
  'a statistic with many groups': get(
    `/v1/datasets/codes/statistics?ops=sum&group_by=${encodeURIComponent('{"self":true}')}`,
  ),
  'behind unread answers, a body': get(PAGE).repeat(3) + head('POST', '/v1/statistics', MiB),
  'behind unread answers, a read': get(PAGE).repeat(3) + get('/v1/datasets/a/data?format=raw'),
  'behind unread answers, a write': get(PAGE).repeat(3) + head('PUT', '/v1/datasets/a/data', 4 * MiB, OCTETS),
  'behind unread answers, a bulk load':
    get(PAGE).repeat(3) + head('PUT', '/v1/datasets/b/data?durability=none', 4 * MiB, OCTETS),
  'behind unread answers, a statistic': get(PAGE).repeat(3) + get('/v1/datasets/a/statistics?q=0.3,0.6'),
  'a long statistic, and requests behind it': get('/v1/datasets/huge/statistics?ops=std') + get('/healthz').repeat(100),
  'a thousand requests': get('/openapi.json').repeat(1000),
};

const ENDS: Readonly<Record<string, (socket: net.Socket) => void>> = {
  'is ended': socket => socket.end(),
  'is closed': socket => socket.destroy(),
  'is reset': socket => socket.resetAndDestroy(),
};

t.test('what a request holds comes back with the end of its connection', { timeout: 120_000 }, async t => {
  const server = await startHere(t);
  const { hostname, port } = new URL(server.url);
  const call = async (where: string, init: RequestInit): Promise<number> => {
    // No connection is kept.
    const response = await server.fetch(where, {
      ...init,
      headers: { ...(init.headers as object), connection: 'close' },
    });
    await response.arrayBuffer();
    return response.status;
  };
  for (const [name, dtype, shape] of [
    ['a', 'u1', [KiB, 4 * KiB]],
    ['b', 'u1', [KiB, 4 * KiB]],
    ['codes', '<i4', [40_000]],
    ['huge', '<f8', [8 * GiB]],
  ] as const) {
    const made = await call('/v1/datasets', json('POST', { name, dtype, shape, sparse: true }));
    t.equal(made, 201, name);
  }
  t.equal(await call('/v1/datasets/a/data', binary('PUT', Buffer.alloc(4 * MiB, 3))), 200);
  const codes = Int32Array.from({ length: 40_000 }, (_, i) => i);
  t.equal(await call('/v1/datasets/codes/data', binary('PUT', Buffer.from(codes.buffer))), 200);

  const gauges = async (): Promise<string> => {
    const all = await metricsOf(server);
    return GAUGES.map(name => `${name} ${String(all.get(name))}`).join(', ');
  };
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_connections')) === 1), 'one is left');
  const before = await gauges();
  for (const [point, bytes] of Object.entries(POINTS)) {
    for (const [end, cut] of Object.entries(ENDS)) {
      for (const waitMs of [0, 50]) {
        const socket = net.connect(Number(port), hostname);
        socket.on('error', () => undefined);
        await new Promise(resolve => socket.write(bytes || '\r\n', resolve));
        await new Promise(resolve => setTimeout(resolve, waitMs));
        cut(socket);
        // Whoever only ends its side may go on to read.
        if (end === 'is ended') setTimeout(() => socket.destroy(), 20);
      }
      const isBack = await eventually(async () => (await gauges()) === before);
      t.ok(isBack, `${point}, and the connection ${end}${isBack ? '' : `: ${await gauges()}`}`);
    }
  }
  // Nobody reads the bytes any more that these replace, nor the files that go.
  for (const name of ['a', 'b']) {
    t.equal(await call(`/v1/datasets/${name}/data`, binary('PUT', Buffer.alloc(4 * MiB, 4))), 200);
    t.equal(await metricOf(server, 'hyperslab_pre_image_bytes'), 0, 'no old bytes are saved');
    t.equal(await call(`/v1/datasets/${name}?data=delete`, { method: 'DELETE' }), 204);
  }
  const isLetGo = await eventually(() => !openFiles().some(each => each.endsWith('(deleted)')));
  t.ok(isLetGo, 'no deleted file is open');
});

/** Of this process, and so of the service. */
function openFiles(): string[] {
  const folder = '/proc/self/fd';
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).flatMap(fd => {
    try {
      return [fs.readlinkSync(`${folder}/${fd}`)];
    } catch {
      return [];
    }
  });
}

t.test('many requests on one connection are answered in their order, and hold up nobody', async t => {
  const server = await startHere(t);
  await create(server, { name: 'a', dtype: '<i4', shape: [KiB] });
  const { hostname, port } = new URL(server.url);
  const socket = net.connect(Number(port), hostname);
  let read = '';
  socket.on('data', (chunk: Buffer) => (read += chunk.toString('latin1')));
  const count = 3 * LIMITS.pipelinedMax;
  let asked = '';
  for (let i = 0; i < count; i++) {
    asked += i % 3 === 0 ? head('PUT', `/v1/datasets/a/data?slice=${i}`, 2) + '77' : get(`/v1/datasets/a/rows/${i}`);
  }
  socket.write(asked);
  const bodies = (): (string | undefined)[] => read.split(/HTTP\/1.1 200.*?\r\n\r\n/s).slice(1);
  await eventually(() => bodies().length === count && read.endsWith('}'));
  socket.destroy();
  t.equal(bodies().length, count);
  t.strictSame(
    bodies().map(body => /"(elements|data)":/.exec(body!)?.[1]),
    Array.from({ length: count }, (_, i) => (i % 3 === 0 ? 'elements' : 'data')),
  );
});
