/** Selections and coarsened answers when things end early: clients that hang up, and the process, killed while it writes. */
import fs from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { caseStride } from '../helpers/cases.js';
import { start, startServer, temporaryFolder, type TestServer } from '../helpers/server.js';
import { startServiceHere } from '../helpers/service-here.js';
import { createArrays, metricOf, startSlow } from '../helpers/slow-server.js';
import { create, eventually, json, MiB, readRaw } from './calls.js';

const KILLER = fileURLToPath(new URL('../helpers/kill-at-step.js', import.meta.url));
const ROWS = 64;
const ROW_BYTES = 16 * 1024;
/** In no order, and one of them twice. */
const CHOSEN = [40, 3, 3, 17, 63, -64, 21];

t.test(
  'a write to a list of rows is there whole or not at all, wherever it is killed',
  { timeout: 240_000 },
  async t => {
    const folder = temporaryFolder();
    t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }));
    const fresh = path.join(folder, 'fresh');
    const maker = await startServiceHere({ dataDir: fresh });
    await create(maker, { name: 'rows', dtype: '|u1', shape: [ROWS, ROW_BYTES] });
    await maker.stop();

    const stride = caseStride(16);
    const states = { none: 0, whole: 0 };
    for (let step = 1; states.whole < 2; step += stride) {
      const dataDir = path.join(folder, `killed-${step}`);
      fs.cpSync(fresh, dataDir, { recursive: true });
      const env = { HYPERSLAB_TEST_KILL_AT: String(step), HYPERSLAB_WORKERS: '1' };
      const victim = await startServer({ dataDir, env, nodeArgs: ['--import', KILLER] }).catch(() => undefined);
      if (!victim) continue;
      const write = json('POST', { writes: [{ index: [CHOSEN], data: 7 }] });
      const isAcknowledged = await victim.fetch('/v1/datasets/rows/writes', write).then(
        ({ status }) => status === 200,
        () => false,
      );
      await victim.stop('SIGKILL');
      const next = await startServiceHere({ dataDir });
      const bytes = await readRaw(next, 'rows');
      await next.stop();
      fs.rmSync(dataDir, { recursive: true });
      const wanted = (value: number): Buffer => {
        const all = Buffer.alloc(ROWS * ROW_BYTES);
        for (const row of CHOSEN)
          all.fill(value, ((row + ROWS) % ROWS) * ROW_BYTES, (((row + ROWS) % ROWS) + 1) * ROW_BYTES);
        return all;
      };
      const isWhole = bytes.equals(wanted(7));
      t.ok(
        isWhole || (!isAcknowledged && bytes.equals(wanted(0))),
        `step ${step}: ${isAcknowledged ? '' : 'not '}acknowledged`,
      );
      states[isWhole ? 'whole' : 'none']++;
    }
    t.ok(states.none > 0, `${states.none} times nothing`);
  },
);

/** Sends a question, and resolves as soon as its answer begins. */
function beginning(server: TestServer, where: string, body: object): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const request = http.request(`${server.url}${where}`, { method: 'POST', headers, agent: false }, resolve);
    request.on('error', reject);
    request.end(JSON.stringify(body));
  });
}

t.test('a client that hangs up in the middle of a selection gives back what it held', async t => {
  const server = await start(t, { env: { HYPERSLAB_WORKERS: '1' } });
  await create(server, { name: 'wide', dtype: '<f4', shape: [256, 64 * 1024], sparse: true });
  await create(server, { name: 'flags', dtype: 'bool', shape: [256], fill: true });
  const held = (): Promise<number> => metricOf(server, 'hyperslab_held_bytes');
  const rows = Array.from({ length: 256 }, (_, i) => 255 - i);
  for (const [where, body] of [
    ['/v1/datasets/wide/select?format=raw', { index: [rows] }],
    ['/v1/datasets/wide/select?format=npy&dtype=float64', { index: [rows] }],
    ['/v1/datasets/wide/select?format=raw', { where: { dataset: 'flags', eq: true } }],
    ['/v1/datasets/wide/select?format=npz&dtype=float64', { slices: ['::-1', ':'] }],
    ['/v1/select?format=npz', { reads: [{ dataset: 'wide', mask: 'flags' }, { dataset: 'flags' }] }],
  ] as const) {
    const answer = await beginning(server, where, body);
    t.equal(answer.statusCode, 200, where);
    answer.once('error', () => undefined);
    answer.destroy();
    t.ok(await eventually(async () => (await held()) === 0), `${where}: ${await held()} bytes are held`);
  }
  // What a claim held back does not hold back writers.
  t.equal((await server.fetch('/v1/datasets/wide/data?slice=3', json('PUT', 1))).status, 200);
});

t.test('a client that hangs up ends what is coarsened for it', async t => {
  const server = await startSlow(t, { readMs: 60 });
  await createArrays(server);
  const client = new AbortController();
  const answer = server.fetch(`/v1/datasets/large/data?coarsen=${MiB}&format=raw`, { signal: client.signal });
  answer.catch(() => undefined);
  t.ok(await eventually(() => server.reads() > 2), 'it is read');
  client.abort();
  await t.rejects(answer);
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_held_bytes')) === 0), 'nothing is held');
  const reads = server.reads();
  t.ok(reads < 128, `${reads} of 256 MiB were read`);
  const [min] = new Float32Array(
    await (await server.fetch('/v1/datasets/small/data?coarsen=1000&format=raw')).arrayBuffer(),
  );
  t.equal(min, 0, 'others are answered');
});
