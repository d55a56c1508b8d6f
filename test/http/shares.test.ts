/** What one client does costs others a turn: its tasks, statistics, jobs and writes wait in lines of their own. */
import t, { type Test } from 'tap';
import { addKey, bearer } from '../helpers/keys.js';
import { temporaryFolder } from '../helpers/server.js';
import {
  createArrays,
  jobOf,
  metricsOf,
  settledReads,
  startJob,
  startSlow,
  SUM_OF_LARGE,
  type SlowServer,
} from '../helpers/slow-server.js';
import { eventually } from '../system/calls.js';

/** A chunk is four reads: those under way, those of the question, and some while a busy machine brings it. */
const READS_MEANWHILE = 40;

interface Clients {
  readonly server: SlowServer;
  /** Asks until it is ended, or the test is, as a client that wants all there is. */
  readonly flood: (where: string, count: number) => () => void;
  readonly other: (where: string, init?: RequestInit) => Promise<Response>;
  readonly metric: (name: string) => Promise<number>;
}

/** A server with two clients, whose keys stand for them. */
async function startWithTwo(t: Test, readMs: number, env: Record<string, string> = {}): Promise<Clients> {
  const dataDir = temporaryFolder();
  const [own, theirs] = [await addKey(dataDir, ['admin']), await addKey(dataDir, ['write'])];
  const slow = await startSlow(t, { readMs, dataDir, env });
  const as =
    (key: string) =>
    (where: string, init?: RequestInit): Promise<Response> =>
      slow.fetch(where, { ...init, headers: { ...(init?.headers as object), ...bearer(key).headers } });
  const server = { ...slow, fetch: as(own) };
  await createArrays(server);
  return {
    server,
    flood: (where, count) => {
      const ending = new AbortController();
      const end = (): void => ending.abort();
      t.teardown(end);
      for (let i = 0; i < count; i++) void server.fetch(where, { signal: ending.signal }).catch(() => undefined);
      return end;
    },
    other: as(theirs),
    metric: async name => (await metricsOf(server)).get(name) ?? Number.NaN,
  };
}

const SMALL = '/v1/datasets/small/statistics?ops=sum';

/** The reads of all workers while an answer comes. */
async function readsDuring(t: Test, { server, other }: Clients, where: string): Promise<number> {
  const before = server.reads();
  const answer = await other(where);
  t.equal(answer.status, 200);
  await answer.arrayBuffer();
  return server.reads() - before;
}

t.test('a crowd of small questions of one client keeps nobody else waiting', async t => {
  const clients = await startWithTwo(t, 40);
  const { server, flood } = clients;
  // Each is of 16 chunks, and has four tasks in line.
  flood('/v1/datasets/large/statistics?ops=sum&slice=:16777216', 24);
  t.ok(await eventually(async () => server.reads() > 8));
  const reads = await readsDuring(t, clients, SMALL);
  t.ok(reads <= READS_MEANWHILE, `${reads} reads meanwhile`);
  // It has 16 of its own, a few at a time.
  const slice = await readsDuring(t, clients, '/v1/datasets/large/data?format=raw&slice=::4194304');
  t.ok(slice <= READS_MEANWHILE + 4 * 16, `${slice} reads meanwhile`);
});

t.test('nobody waits for more than a piece of what the workers do', async t => {
  const clients = await startWithTwo(t, 60);
  const { server, flood } = clients;
  for (const [title, where, count] of [
    // 64 chunks in four tasks, by what they would take were the file in memory.
    ['a task that was thought to be short', SUM_OF_LARGE, 1],
    // 256 KiB of 256 MiB, each.
    ['a slice that a worker gathers', '/v1/datasets/large/data?format=raw&slice=::1024', 2],
  ] as const) {
    const before = server.reads();
    const end = flood(where, count);
    t.ok(await eventually(async () => server.reads() >= before + 2));
    const reads = await readsDuring(t, clients, SMALL);
    t.ok(reads <= READS_MEANWHILE, `${title}: ${reads} reads meanwhile`);
    end();
    await settledReads(server, 300);
  }
});

t.test('a long scan of one client has as many turns as all those of another together', async t => {
  const clients = await startWithTwo(t, 20);
  const { flood, other, metric } = clients;
  const bulk = (): Promise<number> => metric('hyperslab_tasks_total{lane="bulk"}');
  flood(SUM_OF_LARGE, 8);
  t.ok(await eventually(async () => (await bulk()) >= 8));
  const before = await bulk();
  // 18 chunks, and as many tasks.
  const answer = await other(`${SUM_OF_LARGE}&slice=:18874368`);
  t.equal(answer.status, 200);
  await answer.arrayBuffer();
  const tasks = (await bulk()) - before;
  t.ok(tasks < 3 * 18, `${tasks} tasks meanwhile`);
});

t.test('large statistics of one client leave places to others', async t => {
  const { flood, other, metric } = await startWithTwo(t, 60, { HYPERSLAB_STATISTICS_RUNNING_MAX: '4' });
  flood(SUM_OF_LARGE, 6);
  t.ok(await eventually(async () => (await metric('hyperslab_statistics_waiting')) === 3));
  t.equal(await metric('hyperslab_statistics_running'), 3);
  const ending = new AbortController();
  other(SUM_OF_LARGE, { signal: ending.signal }).catch(() => undefined);
  t.ok(await eventually(async () => (await metric('hyperslab_statistics_running')) === 4));
  t.equal(await metric('hyperslab_statistics_waiting'), 3);
  ending.abort();
});

t.test('jobs of one client leave a place to others', async t => {
  const { server, other } = await startWithTwo(t, 60);
  const jobs = [];
  // oxlint-disable-next-line no-await-in-loop
  for (let i = 0; i < 5; i++) jobs.push(await startJob(server, SUM_OF_LARGE));
  jobs.push(await startJob({ ...server, fetch: other }, SUM_OF_LARGE));
  const states = await Promise.all(jobs.map(async ({ id }) => (await jobOf(server, id)).state));
  t.strictSame(states, ['running', 'running', 'running', 'queued', 'queued', 'running']);
});
