/** Clients that hang up while their request waits in a line: they leave it at once, whatever line it is. */
import http from 'node:http';
import t from 'tap';
import { LIMITS } from '../../src/limits.js';
import { start, type TestServer } from '../helpers/server.js';
import { createArrays, metricOf, startJob, startSlow, SUM_OF_LARGE } from '../helpers/slow-server.js';
import { create, eventually, json, MiB } from '../system/calls.js';

/** Less than a line keeps those who wait in it. */
const AT_ONCE_MS = LIMITS.budgetWaitMs / 2;

/** Begins an upload that takes the memory of its body, and does not send it. Returns how to end it. */
async function holdMemory(server: TestServer, bodyBytes: number): Promise<() => void> {
  const request = http.request(`${server.url}/v1/datasets/wide/data?slice=0:${bodyBytes}`, {
    method: 'PUT',
    agent: false,
    headers: { 'content-type': 'application/octet-stream', 'content-length': bodyBytes },
  });
  request.on('error', () => undefined);
  request.flushHeaders();
  await eventually(async () => (await metricOf(server, 'hyperslab_held_bytes')) >= 2 * bodyBytes);
  return () => request.destroy();
}

t.test('a client that hangs up leaves the line for memory at once', async t => {
  const server = await start(t, { env: { HYPERSLAB_MEMORY_BYTES: String(8 * MiB) } });
  await create(server, { name: 'wide', dtype: 'u1', shape: [8 * MiB] });
  const end = await holdMemory(server, 4 * MiB);
  await create(server, { name: 'rows', dtype: 'f4', shape: [20_000, 2] });
  const queries = [{ dataset: 'rows', ops: ['sum'], axis: [1] }];
  const waiting: [name: string, where: string, init: RequestInit][] = [
    ['a read', '/v1/datasets/wide/data?slice=:200000', {}],
    ['a write', '/v1/datasets/wide/data?slice=3', json('PUT', 1)],
    ['a batch of writes', '/v1/datasets/wide/writes', json('POST', { writes: [] })],
    ['a statistic', '/v1/datasets/rows/statistics?ops=sum&axis=1', {}],
    ['a batch of statistics', '/v1/statistics', json('POST', { queries })],
  ];
  for (const [name, where, init] of waiting) {
    const client = new AbortController();
    const answer = server.fetch(where, { ...init, signal: client.signal });
    t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_memory_waiters')) === 1), `${name} waits`);
    client.abort();
    await t.rejects(answer);
    t.ok(
      await eventually(async () => (await metricOf(server, 'hyperslab_memory_waiters')) === 0, AT_ONCE_MS),
      `${name} left`,
    );
  }
  const { id } = await startJob(server, '/v1/datasets/rows/statistics?ops=sum&axis=1');
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_memory_waiters')) === 1), 'a job waits');
  await server.fetch(`/v1/jobs/${id}`, { method: 'DELETE' });
  t.equal(await metricOf(server, 'hyperslab_memory_waiters'), 0, 'one that is deleted left');
  end();
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_held_bytes')) === 0), 'nothing is lost');
});

t.test('a client that hangs up leaves the line of large statistics at once', async t => {
  const server = await startSlow(t, { readMs: 120, env: { HYPERSLAB_STATISTICS_RUNNING_MAX: '1' } });
  await createArrays(server);
  const first = new AbortController();
  const running = server.fetch(SUM_OF_LARGE, { signal: first.signal });
  running.catch(() => undefined);
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_statistics_running')) === 1));
  const second = new AbortController();
  const waiting = server.fetch(SUM_OF_LARGE, { signal: second.signal });
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_statistics_waiting')) === 1));
  second.abort();
  await t.rejects(waiting);
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_statistics_waiting')) === 0, AT_ONCE_MS));
  first.abort();
});
