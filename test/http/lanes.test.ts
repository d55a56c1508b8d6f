/** Small questions go before long scans: by the order of tasks, not by time. */
import t from 'tap';
import { createArrays, jobOf, metricOf, startJob, startSlow, SUM_OF_LARGE } from '../helpers/slow-server.js';
import { eventually, json, readRaw } from '../system/calls.js';

/**
 * What the jobs may do while a question is answered: what runs when it comes, and what the other worker does meanwhile.
 * These are 2 to 6 tasks, more where the machine is slow to ask; in all, the jobs have some 190.
 */
const TASKS_MEANWHILE_MAX = 24;

t.test('while three large jobs run, what somebody waits for does not wait for them', async t => {
  const server = await startSlow(t, { readMs: 60 });
  await createArrays(server);
  const jobs = await Promise.all([1, 2, 3].map(() => startJob(server, SUM_OF_LARGE)));
  const bulk = (): Promise<number> => metricOf(server, 'hyperslab_tasks_total{lane="bulk"}');
  t.ok(await eventually(async () => (await bulk()) >= 4, 60_000), 'they run');
  const questions: [title: string, ask: () => Promise<unknown>][] = [
    ['a statistic', () => server.fetch('/v1/datasets/small/statistics?ops=sum').then(answer => answer.json())],
    ['a batch', () => server.fetch('/v1/statistics', json('POST', BATCH)).then(answer => answer.text())],
    ['a slice that a worker gathers', () => readRaw(server, 'large', '::4194304')],
  ];
  for (const [title, ask] of questions) {
    const before = await bulk();
    await ask();
    const passed = (await bulk()) - before;
    t.ok(passed <= TASKS_MEANWHILE_MAX, `${title}: ${passed} tasks of the jobs were done meanwhile`);
  }
  for (const { id } of jobs) {
    const { state, progress } = await jobOf(server, id);
    t.equal(state, 'running');
    t.ok(progress.chunks < progress.chunks_total);
    await server.fetch(`/v1/jobs/${id}`, { method: 'DELETE' });
  }
});

const BATCH = { queries: [{ dataset: 'small', ops: ['max'] }] };

t.test('a crowd of small questions does not keep a job from its end', async t => {
  const server = await startSlow(t, { readMs: 20 });
  await createArrays(server);
  const crowding = { isAsking: true };
  let asked = 0;
  const ask = async (): Promise<void> => {
    while (crowding.isAsking) {
      await (await server.fetch('/v1/datasets/small/statistics?ops=sum')).arrayBuffer();
      asked++;
    }
  };
  // Two workers do a hundred such questions a second: there are always some in line.
  const crowd = Array.from({ length: 32 }, ask);
  const { id } = await startJob(server, `${SUM_OF_LARGE}&slice=:8388608`);
  t.ok(await eventually(async () => (await jobOf(server, id)).state === 'done', 60_000), 'the job is done');
  crowding.isAsking = false;
  await Promise.all(crowd);
  t.comment(`${asked} questions meanwhile`);
});
