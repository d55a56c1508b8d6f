/** Memory of groups comes out of the budget as they are found: what does not fit is told so with numbers. */
import http from 'node:http';
import t from 'tap';
import { start } from '../helpers/server.js';
import { jobOf, metricOf, reaches, startJob } from '../helpers/slow-server.js';
import { binary, create, eventually, json, MiB, outcome } from '../system/calls.js';

const GROUPS = 40_000;
const BY_SELF = `/v1/datasets/codes/statistics?ops=sum&group_by=${encodeURIComponent('{"self":true}')}`;
const FEW = `${BY_SELF}&slice=:100`;
const AFRESH = { 'cache-control': 'no-cache' };

t.test('groups that do not fit are refused with numbers, and leave nothing behind', async t => {
  const server = await start(t, { env: { HYPERSLAB_MEMORY_BYTES: String(4 * MiB) } });
  await create(server, { name: 'codes', dtype: 'i4', shape: [GROUPS] });
  const codes = new Uint8Array(Int32Array.from({ length: GROUPS }, (_, i) => i).buffer);
  t.equal((await server.fetch('/v1/datasets/codes/data', binary('PUT', codes))).status, 200);
  const answer = await server.fetch(BY_SELF);
  t.equal(answer.status, 413);
  const problem = (await answer.json()) as { asked: number; detail: string };
  t.match(problem, { code: 'too_large', limit: 4 * MiB, detail: /groups that were found/ });
  t.ok(problem.asked > 4 * MiB, `${problem.asked} bytes`);
  t.equal((await server.fetch(FEW)).status, 200, 'fewer fit');
  const query = { dataset: 'codes', ops: ['sum'], group_by: { self: true } };
  const lines = await (
    await server.fetch('/v1/statistics', json('POST', { queries: [query, { ...query, slice: ':100' }] }))
  ).text();
  t.match(
    lines
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as unknown),
    [
      { index: 0, error: { code: 'too_large', limit: 4 * MiB } },
      { index: 1, count: 100 },
    ],
  );
  const { id } = await startJob(server, BY_SELF);
  t.ok(await reaches(server, id, 'failed'));
  t.match(await jobOf(server, id), { error: { code: 'too_large', limit: 4 * MiB } });
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_held_bytes')) === 0));
});

t.test('groups wait for memory that others hold, for a while', async t => {
  const server = await start(t, { env: { HYPERSLAB_MEMORY_BYTES: String(16 * MiB) } });
  await create(server, { name: 'codes', dtype: 'i4', shape: [GROUPS] });
  await create(server, { name: 'wide', dtype: 'u1', shape: [8 * MiB] });
  const codes = new Uint8Array(Int32Array.from({ length: GROUPS }, (_, i) => i).buffer);
  await server.fetch('/v1/datasets/codes/data', binary('PUT', codes));
  const upload = http.request(`${server.url}/v1/datasets/wide/data?slice=:${7 * MiB}`, {
    method: 'PUT',
    agent: false,
    headers: { 'content-type': 'application/octet-stream', 'content-length': 7 * MiB },
  });
  upload.on('error', () => undefined);
  upload.flushHeaders();
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_held_bytes')) >= 14 * MiB));
  const refused = await server.fetch(BY_SELF);
  t.equal(refused.status, 503);
  t.match(await refused.json(), { code: 'busy', limit: 16 * MiB, asked: Number });
  const waiting = server.fetch(BY_SELF, { headers: AFRESH });
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_memory_waiters')) === 1));
  upload.destroy();
  t.equal(await outcome(waiting), '200');
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_held_bytes')) === 0));
});
