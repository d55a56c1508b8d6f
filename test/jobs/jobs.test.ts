/** The table of jobs: whose turn it is, what is kept, and what a cancelled job still holds. */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { Job } from '../../src/jobs/job.js';
import { JOB_BOUNDS, Jobs, keptResultBytes, type JobBounds, type JobPlace } from '../../src/jobs/jobs.js';
import { LIMITS } from '../../src/limits.js';
import { seededRandom } from '../helpers/random.js';

const BOUNDS: JobBounds = {
  ...JOB_BOUNDS,
  jobsRunningMax: 2,
  jobsQueuedMax: 3,
  clientShare: 1,
  jobResultSeconds: 60,
  keptBytesMax: 1000,
};
const ADMIN = { owner: 'admin', seesAll: true };

/** Jobs that end when they are told to. */
class Script {
  readonly jobs: Jobs;
  /** In the order in which they began. */
  readonly began: string[] = [];
  readonly #ends = new Map<string, { resolve: (bytes: Uint8Array) => void; reject: (error: Error) => void }>();
  readonly #made: Job[] = [];

  constructor(bounds: Partial<JobBounds> = {}) {
    this.jobs = new Jobs({ ...BOUNDS, ...bounds });
    t.teardown(() => this.jobs.close());
  }

  make(name: string, { owner = 'ann', inputBytes = 0 } = {}): Job {
    const job = this.jobs.start({
      owner,
      client: owner,
      inputBytes,
      chunksTotal: 4,
      bytesTotal: 400,
      work: (_signal, onProgress) => {
        this.began.push(name);
        onProgress({ chunks: 1, chunksTotal: 4, bytes: 100, bytesTotal: 400 });
        return new Promise((resolve, reject) => this.#ends.set(name, { resolve, reject }));
      },
    });
    this.#made.push(job);
    return job;
  }

  async end(name: string, bytes = 0): Promise<void> {
    this.#ends.get(name)!.resolve(new Uint8Array(bytes));
    await nextTurn();
  }

  async failWith(name: string, error: Error): Promise<void> {
    this.#ends.get(name)!.reject(error);
    await nextTurn();
  }

  get states(): string {
    return this.#made.map(({ state }) => state[0]).join('');
  }
}

t.test('a bounded number runs; the next begins when one ends', async t => {
  const script = new Script();
  for (const name of ['a', 'b', 'c', 'd']) script.make(name);
  t.strictSame(script.began, ['a', 'b']);
  t.equal(script.states, 'rrqq');
  await script.end('b');
  t.strictSame(script.began, ['a', 'b', 'c']);
  await script.failWith('a', new Error('no'));
  t.equal(script.states, 'fdrr');
  t.strictSame(script.jobs.counts, { queued: 0, running: 2, done: 1, failed: 1, cancelled: 0 });
  t.strictSame(script.jobs.endedCounts, { done: 1, failed: 1, cancelled: 0 });
});

t.test('the next is the first of those who have the fewest running', async t => {
  const script = new Script({ jobsQueuedMax: 10 });
  for (const name of ['a1', 'a2', 'a3', 'a4']) script.make(name);
  script.make('b1', { owner: 'bob' });
  script.make('b2', { owner: 'bob' });
  script.make('c1', { owner: 'cid' });
  for (const [ended, next] of [
    ['a1', 'b1'],
    ['a2', 'a3'],
    ['a3', 'a4'],
    ['a4', 'c1'],
    ['b1', 'b2'],
  ] as const) {
    await script.end(ended);
    t.equal(script.began.at(-1), next);
  }
});

t.test('the line is bounded for each owner, in all, and in bytes', async t => {
  const script = new Script({ queuedTotalMax: 4, inputBytesMax: 100 });
  for (const name of ['1', '2', '3', '4', '5']) script.make(name);
  t.throws(() => script.make('6'), { code: 'too_many_jobs', values: { limit: 3, asked: 4, running: 2, queued: 3 } });
  script.make('b', { owner: 'bob' });
  t.throws(() => script.make('c', { owner: 'cid' }), { code: 'too_many_jobs', values: { limit: 4, queued: 4 } });
  t.equal(script.states, 'rrqqqq', 'what is refused is not there');

  const bytes = new Script({ inputBytesMax: 100 });
  bytes.make('1', { inputBytes: 40 });
  bytes.make('2', { inputBytes: 40 });
  t.throws(() => bytes.make('3', { inputBytes: 21 }), {
    code: 'too_many_jobs',
    message: /101 bytes of queries would wait in line; at most 100 may/,
  });
  bytes.make('4', { inputBytes: 20 });
  await bytes.end('1');
  bytes.make('5', { inputBytes: 40 });
});

t.test('jobs of one client leave a place, and a part of the line, to others', async t => {
  const script = new Script({
    jobsRunningMax: 4,
    jobsQueuedMax: 100,
    queuedTotalMax: 4,
    inputBytesMax: 100,
    clientShare: 0.75,
  });
  for (const name of ['a1', 'a2', 'a3', 'a4', 'a5', 'a6']) script.make(name);
  t.strictSame(script.began, ['a1', 'a2', 'a3']);
  t.throws(() => script.make('a7'), { code: 'too_many_jobs', values: { limit: 3, asked: 4 } });
  script.make('b1', { owner: 'bob' });
  script.make('b2', { owner: 'bob' });
  t.strictSame(script.began.slice(3), ['b1']);
  t.equal(script.states, 'rrrqqqrq');
  await script.end('a1');
  await script.end('b1');
  t.strictSame(script.began.slice(4), ['b2', 'a4']);

  const alone = new Script({ jobsRunningMax: 1, inputBytesMax: 100, clientShare: 0.75 });
  alone.make('a1', { inputBytes: 40 });
  t.strictSame(alone.began, ['a1'], 'one always runs');
  alone.make('a2', { inputBytes: 35 });
  t.throws(() => alone.make('a3', { inputBytes: 1 }), {
    code: 'too_many_jobs',
    message: /76 bytes of your queries .* at most 75 may/,
  });
  alone.make('b1', { owner: 'bob', inputBytes: 25 });
});

t.test('where there is no room for results, those of the client go who has the most', async t => {
  const script = new Script({ jobsRunningMax: 10, keptBytesMax: 100, keptMax: 5 });
  const first = script.make('b', { owner: 'bob' });
  await script.end('b', 30);
  for (const name of ['a1', 'a2', 'a3', 'a4']) {
    script.make(name);
    // oxlint-disable-next-line no-await-in-loop
    await script.end(name, 30);
  }
  const kept = (): JobPlace[] => script.jobs.list(ADMIN, undefined, 10);
  t.equal(kept().length, 3);
  t.ok(kept().includes(first));
  for (let i = 0; i < 5; i++) {
    script.make(`c${i}`, { owner: 'cid' });
    // oxlint-disable-next-line no-await-in-loop
    await script.end(`c${i}`);
  }
  t.ok(kept().includes(first), 'nor where there are too many');
  t.equal(kept().length, 5);
});

t.test('a job that waits can be cancelled, and never begins', async t => {
  const script = new Script({ jobsRunningMax: 1 });
  script.make('a');
  const waiting = script.make('b');
  script.make('c');
  script.jobs.cancel(waiting);
  t.equal(script.states, 'rcq');
  await script.end('a');
  t.strictSame(script.began, ['a', 'c']);
  t.equal(waiting.startedMs, undefined);
});

t.test('one that is cancelled while it runs has ended, and has its place until its work has', async t => {
  const script = new Script({ jobsRunningMax: 1 });
  const job = script.make('a');
  script.make('b');
  let told = 0;
  job.watch(() => told++);
  script.jobs.cancel(job);
  t.equal(script.states, 'cq');
  t.equal(told, 1);
  await job.ended();
  t.strictSame(script.began, ['a']);
  await script.failWith('a', new Error('the work was told to stop'));
  t.equal(script.states, 'cr');
  t.equal(job.error, undefined, 'what its work said afterwards does not count');
  script.jobs.cancel(job);
  t.equal(script.jobs.endedCounts.cancelled, 1);
});

t.test('those that ended first go first, when there are too many or they hold too much', async t => {
  const script = new Script({ keptMax: 3, jobsRunningMax: 10 });
  const jobs = ['a', 'b', 'c', 'd'].map(name => script.make(name));
  for (const name of ['b', 'a', 'd', 'c']) await script.end(name, 10);
  t.strictSame(kept(script), idsOf(jobs[0], jobs[2], jobs[3]), 'b is gone');
  const more = ['e', 'f'].map(name => script.make(name));
  await script.end('e', 985);
  t.strictSame(kept(script), idsOf(jobs[2], more[0], more[1]), 'the last results, as many as fit');
  await script.end('f', 1001);
  t.strictSame(kept(script), [], 'one that is larger than the room for all');
  t.equal(more[1]!.state, 'done');
});

function kept({ jobs }: Script): string[] {
  return idsOf(...jobs.list(ADMIN, undefined, 100));
}

function idsOf(...jobs: (Job | undefined)[]): string[] {
  return jobs.map(job => job!.id).toSorted();
}

t.test('small containers keep less', t => {
  t.equal(keptResultBytes(LIMITS.memoryBytes), LIMITS.jobResultBytesMax);
  t.equal(keptResultBytes(80), 10);
  t.end();
});

t.test('a job that has ended is kept for its time', async t => {
  const script = new Script({ jobResultSeconds: 0.2 });
  const job = script.make('a');
  await script.end('a');
  const viewer = { owner: 'ann', seesAll: false };
  t.equal(script.jobs.get(job.id, viewer), job);
  await sleep(100);
  const later = script.make('b');
  await script.end('b');
  t.equal(script.jobs.get(job.id, viewer), job);
  while (script.jobs.counts.done === 2) await sleep(5);
  t.equal(script.jobs.get(later.id, viewer), later, 'one by one');
  t.throws(() => script.jobs.get(job.id, viewer), { code: 'unknown_job' });
  while (script.jobs.counts.done === 1) await sleep(5);
  script.make('c');
  t.equal(script.jobs.counts.running, 1, 'one that runs is never forgotten');
});

t.test('closing cancels all, says which, and takes no more', async t => {
  const script = new Script({ jobsRunningMax: 1 });
  const jobs = ['a', 'b', 'c'].map(name => script.make(name));
  await script.end('a');
  t.strictSame(script.jobs.close(), { running: [jobs[1]!.id], queued: [jobs[2]!.id] });
  t.equal(script.states, 'dcc');
  t.match(jobs[2]!.error, { code: 'shutting_down' });
  t.equal(jobs[0]!.error, undefined);
  t.throws(() => script.make('d'), { code: 'shutting_down' });
  await script.end('b');
  t.strictSame(script.began, ['a', 'b']);
});

t.test('whatever comes and goes, the counts hold', async t => {
  const random = seededRandom(5);
  const script = new Script({ jobsRunningMax: 3, jobsQueuedMax: 5, queuedTotalMax: 9, keptMax: 7, inputBytesMax: 50 });
  const open = new Map<string, Job>();
  let made = 0;
  for (let step = 0; step < 3000; step++) {
    const action = random.next();
    if (action < 0.5) {
      const name = `${step}`;
      try {
        const owner = random.pick(['ann', 'bob', 'cid']);
        open.set(name, script.make(name, { owner, inputBytes: random.integer(0, 9) }));
        made++;
      } catch (error) {
        t.match(error, { code: 'too_many_jobs' });
      }
    } else if (open.size > 0) {
      const [name, job] = random.pick([...open]);
      if (action < 0.6) script.jobs.cancel(job);
      if (!script.began.includes(name)) {
        if (job.hasEnded) open.delete(name);
        continue;
      }
      if (action < 0.8) await script.end(name, random.integer(0, 300));
      else await script.failWith(name, new Error('no'));
      if (random.next() < 0.2) script.jobs.forget(job);
      open.delete(name);
    }
    await nextTurn();
    const { queued, running, done, failed, cancelled } = script.jobs.counts;
    if (running > 3 || queued > 9 || done + failed + cancelled > 7) t.fail(JSON.stringify(script.jobs.counts));
  }
  for (let name = [...open].find(([each]) => script.began.includes(each)); name;) {
    await script.end(name[0]);
    open.delete(name[0]);
    name = [...open].find(([each]) => script.began.includes(each));
  }
  await nextTurn();
  const { endedCounts, counts } = script.jobs;
  t.equal(endedCounts.done + endedCounts.failed + endedCounts.cancelled, made);
  t.match(counts, { queued: 0, running: 0 });
  t.ok(endedCounts.done > 100 && endedCounts.failed > 50 && endedCounts.cancelled > 50, JSON.stringify(endedCounts));
});
