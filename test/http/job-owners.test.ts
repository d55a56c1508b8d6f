/** Who sees which jobs, how long they are kept, and what a shutdown does to them. */
import t from 'tap';
import { startHere } from '../helpers/service-here.js';
import { eventsOf, type ServerEvent } from '../helpers/events.js';
import { addKey, bearer } from '../helpers/keys.js';
import { temporaryFolder } from '../helpers/server.js';
import {
  createArrays,
  jobOf,
  reaches,
  startJob,
  startSlow,
  SUM_OF_LARGE,
  type JobBody,
} from '../helpers/slow-server.js';
import { create, eventually, json, outcome } from '../system/calls.js';

const SUM = '/v1/datasets/a1/statistics?ops=sum';

t.test('a job belongs to the key that made it; only an admin of everything sees the others', async t => {
  const dataDir = temporaryFolder();
  const keys = {
    ann: await addKey(dataDir, ['read']),
    bob: await addKey(dataDir, ['write']),
    held: await addKey(dataDir, ['admin'], { datasets: ['b*'] }),
    root: await addKey(dataDir, ['admin']),
  };
  const server = await startHere(t, { dataDir });
  const admin = bearer(keys.root).headers;
  for (const name of ['a1', 'b1']) {
    await server.fetch('/v1/datasets', {
      ...json('POST', { name, dtype: 'f4', shape: [4] }),
      headers: { 'content-type': 'application/json', ...admin },
    });
  }
  const { id } = await startJob(server, SUM, bearer(keys.ann).headers);
  const own = await startJob(server, '/v1/datasets/b1/statistics?ops=sum', bearer(keys.held).headers);

  const seenBy = async (key: string): Promise<string[]> => {
    const { jobs } = (await (await server.fetch('/v1/jobs', bearer(key))).json()) as { jobs: JobBody[] };
    return jobs.map(job => job.id);
  };
  t.strictSame(await seenBy(keys.ann), [id]);
  t.strictSame(await seenBy(keys.bob), []);
  t.strictSame(await seenBy(keys.held), [own.id], 'an admin of some datasets does not see all jobs');
  t.strictSame((await seenBy(keys.root)).toSorted(), [id, own.id].toSorted());

  for (const key of [keys.bob, keys.held]) {
    for (const [where, init] of [
      [`/v1/jobs/${id}`, {}],
      [`/v1/jobs/${id}/events`, {}],
      [`/v1/jobs/${id}`, { method: 'DELETE' }],
    ] as const) {
      const answer = await server.fetch(where, { ...init, ...bearer(key) });
      const body = (await answer.json()) as Record<string, unknown>;
      const never = 'f'.repeat(32);
      const unknown = await server.fetch(where.replace(id, never), { ...init, ...bearer(key) });
      t.equal(answer.status, 404, where);
      const text = (await unknown.text()).replaceAll(never, id);
      t.strictSame(body, JSON.parse(text), 'as for an id that was never given out');
    }
  }
  t.equal((await server.fetch(`/v1/jobs/${id}`)).status, 401);
  t.equal((await server.fetch(`/v1/jobs/${id}`, bearer(keys.root))).status, 200);
  t.ok(await eventually(async () => (await jobOf(server, id, bearer(keys.ann).headers)).state === 'done'));
  const forgotten = await server.fetch(`/v1/jobs/${id}`, { method: 'DELETE', ...bearer(keys.ann) });
  t.equal(forgotten.status, 204, 'the scope read is enough');
});

t.test('a job is computed on what its caller reaches', async t => {
  const dataDir = temporaryFolder();
  const root = await addKey(dataDir, ['admin']);
  const held = await addKey(dataDir, ['read'], { datasets: ['b*'] });
  const server = await startHere(t, { dataDir });
  const body = json('POST', { name: 'a1', dtype: 'f4', shape: [4] });
  await server.fetch('/v1/datasets', { ...body, headers: { ...(body.headers as object), ...bearer(root).headers } });
  const headers = { prefer: 'respond-async', ...bearer(held).headers };
  t.equal(await outcome(server.fetch(SUM, { headers })), '404 unknown_dataset');
  const batch = json('POST', { queries: [{ dataset: 'a1', ops: ['sum'] }] });
  const answer = await server.fetch('/v1/statistics', {
    ...batch,
    headers: { ...(batch.headers as object), ...headers },
  });
  const { id } = (await answer.json()) as JobBody;
  t.ok(await eventually(async () => (await jobOf(server, id, bearer(held).headers)).state === 'done'));
  t.match(await jobOf(server, id, bearer(held).headers), {
    result: [{ index: 0, error: { code: 'unknown_dataset' } }],
  });
});

t.test('a job that has ended is forgotten after its time, and not before it', async t => {
  const server = await startHere(t, { env: { HYPERSLAB_JOB_RESULT_SECONDS: '2' } });
  await create(server, { name: 'a1', dtype: 'f4', shape: [4] });
  const { id } = await startJob(server, SUM);
  t.ok(await reaches(server, id, 'done'));
  const { ended } = await jobOf(server, id);
  t.ok(await eventually(async () => (await server.fetch(`/v1/jobs/${id}`)).status === 404, 30_000));
  t.ok(Date.now() - Date.parse(ended!) >= 1990, 'not before');
  t.equal(await outcome(server.fetch(`/v1/jobs/${id}`)), '404 unknown_job');
  t.strictSame(((await (await server.fetch('/v1/jobs')).json()) as { jobs: [] }).jobs, []);
  const next = await startJob(server, SUM);
  t.ok(await reaches(server, next.id, 'done'));
  t.ok(
    await eventually(async () => (await server.fetch(`/v1/jobs/${next.id}`)).status === 404, 30_000),
    'nor the next',
  );
});

t.test('a dataset that is replaced while its job waits in line is computed as it is then', async t => {
  const server = await startSlow(t, { readMs: 20, env: { HYPERSLAB_JOBS_RUNNING_MAX: '1' } });
  await createArrays(server);
  const running = await startJob(server, SUM_OF_LARGE);
  const waiting = await startJob(server, '/v1/datasets/small/statistics?ops=count');
  const gone = await startJob(server, '/v1/datasets/small/statistics?ops=sum&slice=999');
  await create(server, { name: 'small', dtype: 'i2', shape: [7], mode: 'w+', overwrite: true });
  await server.fetch(`/v1/jobs/${running.id}`, { method: 'DELETE' });
  t.ok(await reaches(server, waiting.id, 'done'));
  t.match(await jobOf(server, waiting.id), { result: { results: { count: 7 } } });
  t.ok(await reaches(server, gone.id, 'failed'));
  t.match(await jobOf(server, gone.id), { error: { code: 'index_out_of_bounds' } });
});

t.test('a shutdown cancels jobs, logs which, and tells their watchers', async t => {
  const server = await startSlow(t, { readMs: 40, env: { HYPERSLAB_JOBS_RUNNING_MAX: '1' } });
  await createArrays(server);
  const ended = await startJob(server, '/v1/datasets/small/statistics?ops=sum');
  t.ok(await reaches(server, ended.id, 'done'));
  const jobs = [await startJob(server, SUM_OF_LARGE), await startJob(server, SUM_OF_LARGE)];
  const streams = await Promise.all(
    jobs.map(async ({ id }) => eventsOf((await server.fetch(`/v1/jobs/${id}/events`)).body!)),
  );
  for (const stream of streams) t.match((await stream.next()).value, { event: 'progress' });
  const stopping = server.stop();
  for (const stream of streams) {
    let last: ServerEvent | undefined;
    for await (const event of stream) last = event;
    t.equal(last?.event, 'end');
    t.match(JSON.parse(last?.data ?? '{}'), { state: 'cancelled', error: { code: 'shutting_down', status: 503 } });
  }
  await stopping;
  t.equal(server.child.exitCode, 0);
  const line = server.log.find(each => each.includes('jobs were cut by the shutdown'));
  t.match(JSON.parse(line ?? '{}'), { running: [jobs[0]!.id], queued: [jobs[1]!.id], level: 40 });
});
