/**
 * Served folders with many files: how soon they are listed after the start, in how much memory, and how long the steps of the
 * event loop are meanwhile, also while folders of thousands of files come and go. A step has several rounds, of which
 * one must do, since the machine has other work.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { counting, eventually } from '../helpers/served-folder.js';
import { startServer, temporaryFolder, type TestServer } from '../helpers/server.js';
import { figure, inMs, rounds } from './harness.js';

const FOLDERS = 200;
const FILES_EACH = rounds(25, 100);
const FILES = FOLDERS * FILES_EACH;
/** In one folder, which is moved away and back. */
const FILES_MOVED = rounds(4000, 20_000);
const LIST_MS_MAX = rounds(60_000, 10_000);
const RESIDENT_MB_MAX = 400;
/** As in event-loop.faults.ts: the promise, and what finds steps that grow on a shared machine. */
const STEP_MS_MAX = rounds(60, 20);
const ROUNDS = rounds(4, 8);

const folder = temporaryFolder();
const moved = path.join(folder, 'large');
const outside = `${folder}.outside`;
const steps = `${folder}.steps`;
let server: TestServer;
let begunMs = 0;

t.before(async () => {
  const bytes = counting(1, 8);
  const fill = (at: string, count: number): void => {
    fs.mkdirSync(at);
    for (let i = 0; i < count; i++) fs.writeFileSync(path.join(at, `f${i}.npy`), bytes);
  };
  for (let i = 0; i < FOLDERS; i++) fill(path.join(folder, `d${i}`), FILES_EACH);
  fill(outside, FILES_MOVED);
  fs.writeFileSync(steps, '');
  begunMs = Date.now();
  server = await startServer({
    nodeArgs: ['--import', fileURLToPath(new URL('../helpers/loop-watch.js', import.meta.url))],
    env: { HYPERSLAB_TEST_STEPS: steps, HYPERSLAB_FOLDERS: folder },
  });
});

t.teardown(async () => {
  await server.stop();
  for (const each of [server.dataDir, folder, outside, steps]) fs.rmSync(each, { recursive: true, force: true });
});

interface Page {
  readonly datasets: readonly { readonly name: string }[];
  readonly next_cursor: string | null;
}

async function page(query: string): Promise<Page> {
  const answer = await server.fetch(`/v1/datasets?${query}`);
  if (answer.status !== 200) throw new Error(`${query}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Page;
}

async function all(): Promise<number> {
  let count = 0;
  for (let cursor = ''; ;) {
    // oxlint-disable-next-line no-await-in-loop
    const { datasets, next_cursor: next } = await page(`limit=1000&fields=name${cursor}`);
    count += datasets.length;
    if (next === null) return count;
    cursor = `&cursor=${encodeURIComponent(next)}`;
  }
}

/** The longest step of the event loop since a time. */
function longestStepMs(fromMs: number): number {
  const lines = fs.readFileSync(steps, 'utf8').split('\n').slice(0, -1);
  return Math.max(
    0,
    ...lines.map(line => line.split(' ').map(Number)).flatMap(([at, took]) => (at! >= fromMs ? took! : [])),
  );
}

function residentMB(): number {
  const status = fs.readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Number(/RssAnon:\s+(\d+) kB/.exec(status)![1]) / 1024;
}

t.test('the first list comes soon after the start, in little memory', async t => {
  const first = await page('limit=1000');
  const tookMs = Date.now() - begunMs;
  t.equal(first.datasets.length, 1000);
  t.ok(tookMs < LIST_MS_MAX, `${tookMs} ms after the start`);
  t.equal(await all(), FILES);
  t.ok(residentMB() < RESIDENT_MB_MAX, `${residentMB()} MB`);
  figure(t, `the first list of ${FILES} files in ${FOLDERS} folders, after the start`, inMs(tookMs));
  figure(t, 'memory with all of them listed', `${Math.round(residentMB())} MB`);
});

const CALLS: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['a page of 1,000 files', () => page('limit=1000')],
  ['all names', all],
  ['those that are not served', () => page('state=quarantined')],
  ['those of a part of the name', () => page('q=zz')],
  ['readiness', async () => (await server.fetch('/readyz')).text()],
  ['a name of no file', async () => (await server.fetch('/v1/datasets/nothing')).text()],
  [
    `a folder of ${FILES_MOVED} files that comes and goes`,
    async () => {
      fs.renameSync(outside, moved);
      const hasCome = await eventually(
        async () => (await page(`prefix=large.f${FILES_MOVED - 1}`)).datasets.length === 1,
      );
      fs.renameSync(moved, outside);
      const hasGone = await eventually(async () => (await page('prefix=large.&limit=1')).datasets.length === 0);
      if (!hasCome || !hasGone) throw new Error('the folder was not noticed');
    },
  ],
];

t.test('no step of the event loop takes long', async t => {
  for (const [name, call] of CALLS) {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < ROUNDS && best > STEP_MS_MAX; round++) {
      const from = Date.now();
      await call();
      // What ends behind the answer belongs to it.
      await sleep(100);
      best = Math.min(best, longestStepMs(from));
    }
    t.ok(best <= STEP_MS_MAX, `${name}: ${best} ms`);
    figure(t, name, inMs(best));
  }
  t.equal(await all(), FILES, 'and nothing was lost');
});
