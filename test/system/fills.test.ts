/**
 * Fills whose elements have gaps between them: what they cost is counted where it is spent, and others do not pay for it.
 * Bounds of time are those of a busy machine; the code that made a call for each element took a minute.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { seededRandom } from '../helpers/random.js';
import { start, startServer, temporaryFolder, type Service, type TestServer } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { binary, create, json, MiB, outcome, readRaw } from './calls.js';

const [ROWS, COLUMNS] = [2048, 8192];
const BYTES = ROWS * COLUMNS;
/** On a quiet machine a fill takes a fifth of a second. */
const FILL_MS_MAX = 5000;

/** An array of the service, or a file outside its folder that other programs may write, too. */
async function make(server: Service, folder: string, name: string, options: object = {}): Promise<void> {
  const shape = [ROWS, COLUMNS];
  if (name.startsWith('own')) return void (await create(server, { name, dtype: '|u1', shape, ...options }));
  const file = path.join(folder, `${name}.raw`);
  fs.writeFileSync(file, Buffer.alloc(BYTES));
  await create(server, { name, dtype: '|u1', shape, path: file, mode: 'r+', ...options });
}

async function withRoot<T>(
  t: Test,
  begin: (t: Test, options: { dataDir: string; env: Env }) => Promise<T>,
): Promise<{ server: T; folder: string; dataDir: string; env: Env }> {
  const [folder, dataDir] = [temporaryFolder(), temporaryFolder()];
  const env = { HYPERSLAB_ROOTS: folder };
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  return { server: await begin(t, { dataDir, env }), folder, dataDir, env };
}

type Env = Readonly<Record<string, string>>;

function fill(server: Service, name: string, slice: string, value: number, query = ''): Promise<string> {
  const place = `/v1/datasets/${name}/data?slice=${encodeURIComponent(slice)}${query}`;
  return outcome(server.fetch(place, binary('PUT', Uint8Array.of(value))));
}

async function timed(work: () => Promise<string>): Promise<{ ended: string; ms: number }> {
  const started = performance.now();
  return { ended: await work(), ms: performance.now() - started };
}

/** True where exactly every `step`th column of a matrix is `value`, and all others are `beside`. */
function isStriped(bytes: Buffer, step: number, value: number, beside: number): boolean {
  const row = Buffer.alloc(COLUMNS, beside);
  for (let at = 0; at < COLUMNS; at += step) row[at] = value;
  for (let at = 0; at < bytes.byteLength; at += COLUMNS) {
    if (!bytes.subarray(at, at + COLUMNS).equals(row)) return false;
  }
  return true;
}

t.test('a fill of every second element takes no call for each, wherever the file is', async t => {
  const { server, folder } = await withRoot(t, startHere);
  for (const [name, slice, options] of [
    ['own', ':,::2', {}],
    ['own-sparse', ':,::2', { sparse: true }],
    ['own-fortran', '::2', { order: 'F' }],
    ['outside', ':,::2', {}],
    ['outside-backwards', '::-1,::-2', {}],
    ['outside-fortran', '::2', { order: 'F' }],
    ['outside-hundredth', ':,::100', {}],
    ['outside-unsynced', ':,::2', {}],
  ] as const) {
    await make(server, folder, name, options);
    const query = name.endsWith('unsynced') ? '&durability=none' : '';
    const { ended, ms } = await timed(() => fill(server, name, slice, 7, query));
    t.equal(ended, '200', name);
    t.ok(ms < FILL_MS_MAX, `${name}: ${Math.round(ms)} ms`);
    if (slice !== ':,::2') continue;
    t.ok(isStriped(await readRaw(server, name), 2, 7, 0), `${name}: these elements and no others`);
  }
});

t.test('what another program writes between the elements of a fill stays', async t => {
  const { server, folder } = await withRoot(t, startHere);
  await make(server, folder, 'outside');
  const fd = fs.openSync(path.join(folder, 'outside.raw'), 'r+');
  t.teardown(() => fs.closeSync(fd));
  const random = seededRandom(3);
  const written = new Set<number>();
  const filling = { isOver: false };
  const filled = fill(server, 'outside', ':,::2', 1).finally(() => (filling.isOver = true));
  while (!filling.isOver) {
    for (let i = 0; i < 100; i++) {
      const place = 2 * random.integer(0, BYTES / 2 - 1) + 1;
      fs.writeSync(fd, Uint8Array.of(9), 0, 1, place);
      written.add(place);
    }
    await sleep(0);
  }
  t.equal(await filled, '200');
  const bytes = fs.readFileSync(path.join(folder, 'outside.raw'));
  t.equal([...written].filter(place => bytes[place] !== 9).length, 0, `of ${written.size} bytes none is lost`);
  t.ok(written.size > 100);
});

t.test('a stop in the middle of fills ends within five seconds with status 0, and loses nothing', async t => {
  const { server, folder, dataDir, env } = await withRoot(t, start);
  const names = ['own-1', 'own-2', 'outside-1', 'outside-2'];
  for (const name of names) await make(server, folder, name);
  const acknowledged = await fillUntilGone(server, names, async () => {
    const started = performance.now();
    await server.stop('SIGTERM');
    const ms = performance.now() - started;
    t.equal(server.child.exitCode, 0);
    t.ok(ms < 5000, `ended after ${Math.round(ms)} ms`);
  });
  const next = await startServer({ dataDir, env });
  t.teardown(() => next.stop());
  await checkFills(t, next, names, acknowledged);
});

t.test('a kill in the middle of fills is recovered without waiting for the disk, and loses nothing', async t => {
  const { server, folder, dataDir, env } = await withRoot(t, start);
  const names = ['own-1', 'own-2', 'outside-1', 'outside-2'];
  for (const name of names) await make(server, folder, name);
  const acknowledged = await fillUntilGone(server, names, () => server.stop('SIGKILL'));
  const { ms: emptyMs, ended: empty } = await startedIn(temporaryFolder(), {});
  const { ms, ended: next } = await startedIn(dataDir, env);
  t.teardown(() => Promise.all([empty, next].map(each => each.stop())));
  // An ordinary start takes less than a second, where nothing else runs.
  const boundMs = 3000 * Math.max(1, emptyMs / 1000);
  t.ok(ms - emptyMs < boundMs, `ready after ${Math.round(ms)} ms, an empty folder after ${Math.round(emptyMs)} ms`);
  await checkFills(t, next, names, acknowledged);
});

t.test('small writes between two checkpoints are bounded in what a recovery has to apply', async t => {
  const { server, dataDir } = await withRoot(t, start);
  await create(server, { name: 'points', dtype: '|u1', shape: [16 * MiB] });
  const random = seededRandom(4);
  for (let batch = 1; batch <= 4; batch++) {
    const writes = Array.from({ length: 10_000 }, () => ({
      slice: String(random.integer(0, 16 * MiB - 1)),
      data: batch,
    }));
    t.equal(await outcome(server.fetch('/v1/datasets/points/writes', json('POST', { writes }))), '200');
  }
  await server.stop('SIGKILL');
  const next = await startServer({ dataDir });
  t.teardown(() => next.stop());
  const replayed = next.log.map(line => /"records":(\d+)/.exec(line)?.[1]).find(Boolean);
  t.ok(Number(replayed ?? 0) < 3, `${replayed ?? 'no'} batches of 10,000 pages were applied again`);
});

/** What each dataset was filled with last, by fills that were answered, until `end` has ended the server. */
async function fillUntilGone(
  server: Service,
  names: readonly string[],
  end: () => Promise<void>,
): Promise<Map<string, number>> {
  const acknowledged = new Map(names.map(name => [name, 0]));
  const fills = names.map(async name => {
    for (let value = 1; ; value++) {
      const ended = await fill(server, name, ':,::2', value % 256).catch(() => 'gone');
      if (ended !== '200') return;
      acknowledged.set(name, value);
    }
  });
  while ([...acknowledged.values()].some(value => value === 0)) await sleep(10);
  await sleep(100);
  await end();
  await Promise.all(fills);
  return acknowledged;
}

/** Each is the fill that was answered last, or the one after it, and that whole. */
async function checkFills(
  t: Test,
  server: TestServer,
  names: readonly string[],
  acknowledged: ReadonlyMap<string, number>,
): Promise<void> {
  for (const name of names) {
    const bytes = await readRaw(server, name);
    const last = acknowledged.get(name)!;
    const isWhole = isStriped(bytes, 2, last % 256, 0) || isStriped(bytes, 2, (last + 1) % 256, 0);
    t.ok(isWhole, `${name}: ${bytes[0]} after ${last} was acknowledged`);
  }
}

async function startedIn(dataDir: string, env: Env): Promise<{ ended: TestServer; ms: number }> {
  const started = performance.now();
  const ended = await startServer({ dataDir, env });
  return { ended, ms: performance.now() - started };
}
