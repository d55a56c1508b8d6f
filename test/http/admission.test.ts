/** What statistics may cost, over HTTP. */
import t from 'tap';
import { start } from '../helpers/server.js';
import { ASYNC, createArrays, metricOf, startJob, startSlow, SUM_OF_LARGE } from '../helpers/slow-server.js';
import { create, eventually, json } from '../system/calls.js';

t.test('what would read too much is refused before it reads, with the limit and what was asked', async t => {
  const server = await start(t, {
    env: { HYPERSLAB_CACHE_BYTES: '0', HYPERSLAB_STATISTICS_BYTES_MAX: '4000', HYPERSLAB_JOB_BYTES_MAX: '8000' },
  });
  await create(server, { name: 'floats', dtype: '<f4', shape: [3000] });
  const where = '/v1/datasets/floats/statistics?ops=sum';
  const answer = await server.fetch(where);
  t.equal(answer.status, 413);
  const problem = (await answer.json()) as { detail: string };
  t.match(problem, { code: 'too_large', limit: 4000, asked: 12_000, passes: 1 });
  t.match(problem.detail, /Select less/);
  t.match(await (await server.fetch(`${where}&slice=:1500`)).json(), { detail: /Prefer: respond-async/, asked: 6000 });
  t.equal((await server.fetch(`${where}&slice=:1000`)).status, 200);
  t.equal((await server.fetch('/v1/datasets/floats/statistics?ops=count')).status, 200, 'which reads nothing');

  t.ok(await startJob(server, `${where}&slice=:1500`));
  const job = await server.fetch(where, { headers: ASYNC });
  t.equal(job.status, 413);
  t.match(await job.json(), { code: 'too_large', limit: 8000, asked: 12_000 });

  const queries = [':1000', ':1001'].map(slice => ({ dataset: 'floats', ops: ['sum'], slice }));
  const lines = await (await server.fetch('/v1/statistics', json('POST', { queries }))).text();
  t.match(
    lines
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as unknown),
    [
      { index: 0, results: { sum: 0 } },
      { index: 1, error: { code: 'too_large', limit: 4000, asked: 4004 } },
    ],
  );
  t.equal(await metricOf(server, 'hyperslab_tasks_total{lane="interactive"}'), 2);
});

t.test('large statistics wait for a place, for a moment; small ones need none', async t => {
  const server = await startSlow(t, { readMs: 120, env: { HYPERSLAB_STATISTICS_RUNNING_MAX: '1' } });
  await createArrays(server);
  const first = new AbortController();
  const running = server.fetch(SUM_OF_LARGE, { signal: first.signal });
  running.catch(() => undefined);
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_statistics_running')) === 1));
  const second = new AbortController();
  const waiting = server.fetch(SUM_OF_LARGE, { signal: second.signal });
  waiting.catch(() => undefined);
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_statistics_waiting')) === 1));
  t.equal((await server.fetch('/v1/datasets/small/statistics?ops=sum')).status, 200);
  const answer = await server.fetch(SUM_OF_LARGE);
  t.equal(answer.status, 503);
  t.equal(answer.headers.get('retry-after'), '1');
  t.match(await answer.json(), { code: 'busy', limit: 1, running: 1, detail: /respond-async/ });
  const another = server.fetch(SUM_OF_LARGE, { signal: second.signal });
  another.catch(() => undefined);
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_statistics_waiting')) === 1));
  first.abort();
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_statistics_waiting')) === 0), 'it runs now');
  t.equal(await metricOf(server, 'hyperslab_statistics_running'), 1);
  second.abort();
});
