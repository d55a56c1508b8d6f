/** The door to the worker threads. */
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import type { SourceDescriptor } from '../../src/descriptor.js';
import { WorkerPool } from '../../src/jobs/pool.js';
import type { ScanTask } from '../../src/jobs/scan-task.js';
import { numberDType } from '../../src/dtype/index.js';
import { packedView } from '../../src/layout/view.js';
import { LIMITS } from '../../src/limits.js';
import { parseQuery, planStatistics } from '../../src/statistics/index.js';
import { temporaryFolder } from '../helpers/server.js';
import { MiB, sparseFile } from '../system/calls.js';

const folder = temporaryFolder();
const file = path.join(folder, 'zeros');
sparseFile(file, 64 * MiB, []);
const fd = fs.openSync(file, 'r');
t.teardown(() => {
  fs.closeSync(fd);
  fs.rmSync(folder, { recursive: true });
});
const source: SourceDescriptor = { fd, windows: [], residencyTrusted: false };

/** Gathers every 16th byte; `items` of them, in a time that grows with their number. */
function gather(pool: WorkerPool, items: number): Promise<void> {
  const out = new Uint8Array(new SharedArrayBuffer(items));
  return pool.of().gather(source, { shape: [items], strides: [16], offset: 0 }, 1, out);
}

/** A task without chunks. */
function emptyTask(cancel: Int32Array): ScanTask {
  const { scan } = planStatistics(parseQuery({ ops: ['mean'] }, 1), numberDType('<f4'), packedView([1], 4, 'C', 0));
  const none = { first: 0, end: 0, claimed: new Int32Array(1), chunksMax: 1, sources: [], saves: [], savesKnown: [] };
  return { ...none, specs: [], scan, scanId: 1, cancel };
}

t.test('closing waits for the longest task under way, not for the first to end', async t => {
  const pool = new WorkerPool(2);
  await Promise.all([gather(pool, 1), gather(pool, 1)]);
  const tasks = [gather(pool, 4 * MiB), gather(pool, 1), gather(pool, 4 * MiB)];
  await pool.close();
  t.strictSame(
    (await Promise.allSettled(tasks)).map(({ status }) => status),
    tasks.map(() => 'fulfilled'),
  );
  // Long ones are left to another task once or more.
  t.ok(pool.counts.done.interactive >= 5);
  // Files are closed after their readers.
  t.doesNotThrow(() => pool.letGoOf('1:2'));
});

t.test('what goes wrong in a task is told as what it is, and costs no thread', async t => {
  const pool = new WorkerPool(1);
  const task = pool
    .of()
    .gather(
      { ...source, fd: 1_000_000 },
      { shape: [1], strides: [1], offset: 0 },
      1,
      new Uint8Array(new SharedArrayBuffer(1)),
    );
  await t.rejects(task, { code: 'io_error' });
  t.equal(pool.counts.lost, 0);
  await pool.close();
});

t.test('the line of what somebody waits for is bounded; long scans are not in it', async t => {
  const pool = new WorkerPool(1);
  const { tasksQueuedMax } = LIMITS;
  const task = emptyTask(new Int32Array(1));
  const scans = Array.from({ length: tasksQueuedMax + 10 }, () => pool.of().inLane('bulk').scan(task));
  const slices = Array.from({ length: tasksQueuedMax + 10 }, () => gather(pool, 1));
  const outcomes = await Promise.allSettled(slices);
  const refused = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
  t.equal(refused.length, 10);
  t.match(refused[0], { code: 'busy' });
  await Promise.all(scans);
  t.equal(pool.counts.done.bulk, scans.length);
  await pool.close();
});

t.test('one client fills a share of that line, and what others wait for goes between', async t => {
  const pool = new WorkerPool(1, { keepsFiles: false, clientShare: 0.75 });
  const out = new Uint8Array(new SharedArrayBuffer(2));
  const ask = (id: string): Promise<void> =>
    pool.of(id).gather(source, { shape: [2], strides: [16], offset: 0 }, 1, out);
  await ask('ann');
  const ended: string[] = [];
  const note = async (id: string): Promise<void> => {
    await ask(id);
    ended.push(id);
  };
  const ownMax = LIMITS.tasksQueuedMax * 0.75;
  // The first has a thread already.
  const many = Array.from({ length: ownMax + 1 }, () => note('ann'));
  await t.rejects(ask('ann'), { code: 'busy' });
  // What was done up to here is noted. The order counts, not what is known when: answers may come many at a time.
  await nextTurn();
  const before = ended.length;
  const others = [note('bob'), note('bob')];
  await Promise.all([...many, ...others]);
  t.ok(ended.lastIndexOf('bob') - before < 10, `${ended.lastIndexOf('bob') - before} were done first`);
  await pool.close();
});

t.test('tasks of a scan that is cancelled leave the line at once, and no others', async t => {
  const pool = new WorkerPool(1);
  await gather(pool, 1);
  const underWay = gather(pool, 4 * MiB);
  const scan = (cancel: Int32Array): Promise<unknown> => pool.of().inLane('bulk').scan(emptyTask(cancel));
  const [gone, wanted] = [new Int32Array(1), new Int32Array(1)];
  const dropped = [scan(gone), scan(gone)];
  const kept = scan(wanted);
  t.equal(pool.queued, 3);
  pool.of().inLane('bulk').drop!(gone);
  t.equal(pool.queued, 1);
  for (const each of dropped) await t.rejects(each, { code: 'cancelled' });
  await Promise.all([underWay, kept]);
  t.match(pool.counts, { lost: 0, done: { bulk: 1 } });
  await pool.close();
});
