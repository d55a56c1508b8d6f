/** Jobs over HTTP: their states, what they answer, who sees them, how they are cancelled and when they are forgotten. */
import t from 'tap';
import {
  ASYNC,
  createArrays,
  jobOf,
  metricOf,
  reaches,
  settledReads,
  startJob,
  startSlow,
  SUM_OF_LARGE,
  type JobBody,
  type SlowServer,
} from '../helpers/slow-server.js';
import { eventually, json, outcome } from '../system/calls.js';

/** Reads that two workers may still do for a call that was cancelled: a chunk each, and one more that began meanwhile. */
const READS_LEFT = 16;
const READS_OF_LARGE = 256;

const SUM_OF_SMALL = '/v1/datasets/small/statistics?ops=sum,max';

let server: SlowServer;

t.before(async () => {
  server = await startSlow(t, { readMs: 40, env: { HYPERSLAB_JOBS_RUNNING_MAX: '2', HYPERSLAB_JOBS_QUEUED_MAX: '2' } });
  await createArrays(server);
});

async function cancel(id: string): Promise<JobBody> {
  const response = await server.fetch(`/v1/jobs/${id}`, { method: 'DELETE' });
  return (await response.json()) as JobBody;
}

t.test('a call that prefers it becomes a job, which answers what the call would have', async t => {
  const response = await server.fetch(SUM_OF_SMALL, { headers: ASYNC });
  t.equal(response.status, 202);
  t.equal(response.headers.get('preference-applied'), 'respond-async');
  t.equal(response.headers.get('cache-control'), 'no-store');
  const job = (await response.json()) as JobBody;
  t.equal(response.headers.get('location'), `../../jobs/${job.id}`);
  t.match(job.id, /^[0-9a-f]{32}$/);
  t.match(job, { state: /queued|running/, progress: { chunks: 0, chunks_total: 1, bytes_total: 4000 } });
  t.ok(await reaches(server, job.id, 'done'));
  const done = await jobOf(server, job.id);
  t.match(done, {
    id: job.id,
    state: 'done',
    progress: { chunks: 1, chunks_total: 1, bytes: 4000, bytes_total: 4000, seconds_left: null },
  });
  const direct = (await (await server.fetch(SUM_OF_SMALL)).json()) as Record<string, unknown>;
  t.strictSame({ ...(done.result as object), elapsed_ms: 0 }, { ...direct, elapsed_ms: 0 });
  const times = [done.created, done.started, done.ended].map(text => Date.parse(text!));
  t.ok(times[0]! <= times[1]! && times[1]! <= times[2]!, times.join());
});

t.test('a query by POST and a batch become jobs too', async t => {
  const one = await server.fetch('/v1/datasets/small/statistics', withPrefer(json('POST', { ops: ['max'] })));
  t.equal(one.status, 202);
  const { id } = (await one.json()) as JobBody;
  t.ok(await reaches(server, id, 'done'));
  t.match((await jobOf(server, id)).result, { results: { max: 0 } });

  const queries = [
    { dataset: 'small', ops: ['sum'], slice: ':10', as: ['ten'] },
    { dataset: 'nowhere', ops: ['sum'] },
    { dataset: 'small', ops: ['count'] },
  ];
  const batch = await server.fetch('/v1/statistics', withPrefer(json('POST', { queries })));
  t.equal(batch.status, 202);
  const job = (await batch.json()) as JobBody;
  t.ok(await reaches(server, job.id, 'done'));
  t.match(await jobOf(server, job.id), {
    progress: { chunks: 1, chunks_total: 1, bytes: 40, bytes_total: 40 },
    result: [
      { index: 0, results: { ten: 0 } },
      { index: 1, error: { code: 'unknown_dataset' } },
      { index: 2, results: { count: 1000 } },
    ],
  });
});

t.test('a preference that cannot be granted is none', async t => {
  const npy = await server.fetch('/v1/datasets/small/statistics?ops=sum&format=npy', { headers: ASYNC });
  t.equal(npy.status, 200);
  t.equal(npy.headers.get('preference-applied'), null);
  const head = await server.fetch(SUM_OF_SMALL, { method: 'HEAD', headers: ASYNC });
  t.equal(head.status, 200);
  const row = await server.fetch('/v1/datasets/small/rows/0', { headers: ASYNC });
  t.equal(row.status, 200);
});

t.test('with a wait the answer itself comes where it is there in time, and leaves no job', async t => {
  const before = (await list()).length;
  const prefer = { prefer: 'respond-async, wait=20' };
  const now = await server.fetch(SUM_OF_SMALL, { headers: prefer });
  t.equal(now.status, 200);
  t.equal(now.headers.get('x-dataset-generation'), '1');
  t.equal(now.headers.get('preference-applied'), null);
  t.match(await now.json(), { dataset: 'small', results: { sum: 0, max: 0 } });
  const queries = [
    { dataset: 'small', ops: ['sum'] },
    { dataset: 'nowhere', ops: ['sum'] },
  ];
  const lines = await server.fetch('/v1/statistics', withPrefer(json('POST', { queries }), prefer));
  t.equal(lines.headers.get('content-type'), 'application/x-ndjson');
  t.match(
    (await lines.text())
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as unknown),
    [{ index: 0 }, { index: 1, error: { code: 'unknown_dataset' } }],
  );
  const nan = json('PUT', 'NaN');
  await server.fetch('/v1/datasets/small/data?slice=3', nan);
  const fault = server.fetch('/v1/datasets/small/statistics?ops=sum&nan=raise', { headers: prefer });
  t.equal(await outcome(fault), '422 nan_found');
  await server.fetch('/v1/datasets/small/data?slice=3', json('PUT', 0));
  t.equal((await list()).length, before);

  const later = await server.fetch(SUM_OF_LARGE, { headers: { prefer: 'respond-async, wait=1' } });
  t.equal(later.status, 202);
  const { id, state } = (await later.json()) as JobBody;
  t.equal(state, 'running');
  t.equal((await cancel(id)).state, 'cancelled');
});

t.test('a client that waits for a job which somebody cancels is told where to look', async t => {
  const known = new Set((await list()).map(({ id }) => id));
  const waiting = server.fetch(SUM_OF_LARGE, { headers: { prefer: 'respond-async, wait=20' } });
  const newIds = async (): Promise<string[]> => (await list()).map(({ id }) => id).filter(id => !known.has(id));
  await eventually(async () => (await newIds()).length > 0);
  const [id = ''] = await newIds();
  await cancel(id);
  const answer = await waiting;
  t.equal(answer.status, 202);
  t.match(await answer.json(), { id, state: 'cancelled' });
  t.match(await jobOf(server, id), { id, state: 'cancelled' }, 'its place still answers');
});

t.test('a job that fails says why', async t => {
  await server.fetch('/v1/datasets/small/data?slice=3', json('PUT', 'NaN'));
  const { id } = await startJob(server, '/v1/datasets/small/statistics?ops=sum&nan=raise');
  t.ok(await reaches(server, id, 'failed'));
  const job = await jobOf(server, id);
  t.match(job.error, { code: 'nan_found', status: 422, type: 'urn:hyperslab:problem:nan_found' });
  t.notOk('result' in job);
  await server.fetch('/v1/datasets/small/data?slice=3', json('PUT', 0));
});

t.test('while it runs it tells how far it is, and DELETE stops its workers within a chunk', async t => {
  const { id } = await startJob(server, SUM_OF_LARGE);
  t.ok(await eventually(async () => (await jobOf(server, id)).progress.chunks >= 4, 30_000));
  const { state, progress, ended } = await jobOf(server, id);
  t.equal(state, 'running');
  t.equal(ended, null);
  t.match(progress, { chunks_total: 64, bytes_total: 256 * 2 ** 20 });
  t.ok(progress.bytes > 0 && progress.bytes < progress.bytes_total);
  t.ok(progress.bytes_per_second! > 0);
  const expected = (progress.bytes_total - progress.bytes) / progress.bytes_per_second!;
  t.ok(Math.abs(progress.seconds_left! - expected) <= 0.06 + expected / 1000, `${progress.seconds_left} s left`);

  const job = await cancel(id);
  const reads = server.reads();
  t.equal(job.state, 'cancelled');
  t.ok(job.ended);
  t.notOk('error' in job);
  const after = await settledReads(server, 300);
  t.ok(after - reads <= READS_LEFT, `${after - reads} more reads`);
  t.match(await jobOf(server, id), { state: 'cancelled', progress: { chunks_total: 64 } });
  t.equal((await server.fetch(`/v1/jobs/${id}`, { method: 'DELETE' })).status, 204, 'one that has ended is forgotten');
  t.equal(await outcome(server.fetch(`/v1/jobs/${id}`)), '404 unknown_job');
  t.equal(await outcome(server.fetch(`/v1/jobs/${id}`, { method: 'DELETE' })), '404 unknown_job');
});

t.test('a batch that is cancelled begins no other query', async t => {
  const queries = Array.from({ length: 9 }, () => ({ dataset: 'large', ops: ['sum'] }));
  const before = await settledReads(server, 300);
  const answer = await server.fetch('/v1/statistics', withPrefer(json('POST', { queries })));
  const { id } = (await answer.json()) as JobBody;
  t.ok(await eventually(() => server.reads() > before + 4, 30_000), 'it began');
  t.match((await jobOf(server, id)).progress, { chunks_total: 9 * 64, bytes_total: 9 * 256 * 2 ** 20 });
  t.equal((await cancel(id)).state, 'cancelled');
  const reads = server.reads();
  const after = await settledReads(server, 300);
  t.ok(after - reads <= READS_LEFT, `${after - reads} more reads`);
});

for (const [title, where, init] of [
  ['a call', SUM_OF_LARGE, {}],
  ['a call that waits for its job', SUM_OF_LARGE, { headers: { prefer: 'respond-async, wait=40' } }],
  [
    'a batch',
    '/v1/statistics',
    json('POST', { queries: Array.from({ length: 9 }, () => ({ dataset: 'large', ops: ['sum'] })) }),
  ],
] as const) {
  t.test(`a client that goes away ends ${title} within a chunk`, async t => {
    const before = await settledReads(server, 300);
    const going = new AbortController();
    const answer = server.fetch(where, { ...init, signal: going.signal });
    answer.catch(() => undefined);
    t.ok(await eventually(() => server.reads() > before + 4, 30_000), 'it began');
    going.abort();
    await t.rejects(answer);
    const reads = server.reads();
    const after = await settledReads(server, 300);
    t.ok(after - reads <= READS_LEFT, `${after - reads} more reads`);
    t.ok(after - before < READS_OF_LARGE / 2);
    t.equal(await metricOf(server, 'hyperslab_jobs{state="running"}'), 0);
    t.equal(await metricOf(server, 'hyperslab_statistics_running'), 0, 'its places are free');
    t.equal(await metricOf(server, 'hyperslab_held_bytes'), 0, 'and its memory');
  });
}

t.test('jobs wait in a bounded line; one that leaves it makes room, and so does one that is cancelled', async t => {
  const jobs = [];
  for (let i = 0; i < 4; i++) jobs.push(await startJob(server, SUM_OF_LARGE));
  t.strictSame(
    (await Promise.all(jobs.map(({ id }) => jobOf(server, id)))).map(({ state }) => state),
    ['running', 'running', 'queued', 'queued'],
  );
  t.match(await jobOf(server, jobs[3]!.id), {
    started: null,
    progress: { bytes_per_second: null, seconds_left: null },
  });
  const refused = await server.fetch(SUM_OF_LARGE, { headers: ASYNC });
  t.equal(refused.status, 429);
  const retryAfter = Number(refused.headers.get('retry-after'));
  t.ok(retryAfter >= 1 && retryAfter <= 60, `${retryAfter} s`);
  t.match(await refused.json(), {
    code: 'too_many_jobs',
    limit: 2,
    running: 2,
    queued: 2,
    retry_after_seconds: retryAfter,
  });
  t.equal((await cancel(jobs[2]!.id)).state, 'cancelled', 'one that waits');
  const another = await startJob(server, SUM_OF_LARGE);
  await cancel(jobs[0]!.id);
  t.ok(await reaches(server, jobs[3]!.id, 'running'), 'the next in line has its place');
  for (const id of [jobs[1]!.id, jobs[3]!.id, another.id]) await cancel(id);
  t.equal(await metricOf(server, 'hyperslab_jobs{state="running"}'), 0);
  t.ok((await metricOf(server, 'hyperslab_jobs_ended_total{state="cancelled"}')) >= 5);
});

t.test('the list has pages, in the order in which jobs were made', async t => {
  for (const { id } of await list()) await server.fetch(`/v1/jobs/${id}`, { method: 'DELETE' });
  const made: string[] = [];
  await settledReads(server, 300);
  for (const together of [2, 2, 1]) {
    const jobs = await Promise.all(Array.from({ length: together }, () => startJob(server, SUM_OF_SMALL)));
    for (const { id } of jobs) t.ok(await reaches(server, id, 'done'));
    made.push(...jobs.map(({ id }) => id));
  }
  const whole = await list();
  // Several may be made in one millisecond: their order is any, and stays.
  t.strictSame(
    whole.map(({ created }) => created),
    whole.map(({ created }) => created).toSorted(),
  );
  t.strictSame(new Set(whole.map(({ id }) => id)), new Set(made));
  t.notOk(
    whole.some(job => 'result' in job),
    'without results',
  );

  const seen: string[] = [];
  let cursor: string | null = '';
  let pages = 0;
  while (cursor !== null) {
    const page: Page = await pageOf(`?limit=2${cursor && `&cursor=${cursor}`}`);
    seen.push(...page.jobs.map(({ id }) => id));
    cursor = page.next_cursor;
    // A page goes on where the one before ended, whatever became of its jobs.
    if (++pages === 1) for (const { id } of page.jobs) await server.fetch(`/v1/jobs/${id}`, { method: 'DELETE' });
  }
  t.equal(pages, 3);
  t.strictSame(
    seen,
    whole.map(({ id }) => id),
  );
});

interface Page {
  readonly jobs: readonly JobBody[];
  readonly next_cursor: string | null;
}

async function pageOf(query: string): Promise<Page> {
  return (await (await server.fetch(`/v1/jobs${query}`)).json()) as Page;
}

async function list(): Promise<readonly JobBody[]> {
  return (await pageOf('')).jobs;
}

function withPrefer(init: RequestInit, prefer: Record<string, string> = ASYNC): RequestInit {
  return { ...init, headers: { ...(init.headers as Record<string, string>), ...prefer } };
}
