/**
 * A disk that fails to confirm once: the Nth fdatasync or fsync answers EIO. No write is confirmed that no successful
 * sync covers, its file is refused from then on while others are served, and a restart puts everything right.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { startServer, temporaryFolder, type TestServer } from '../helpers/server.js';
import { binary, create, eventually, json, KiB, outcome, readRaw } from '../system/calls.js';
import { figure, FULL, unlessPrograms, unlessRoot } from './harness.js';
import { traceProcess, type TracedCall } from './strace.js';

const FAILING = FULL ? Array.from({ length: 20 }, (_, i) => i + 1) : [1, 2, 3, 8, 20];
const WRITERS = 4;
const ROW_BYTES = 16 * KiB;
const FAILURE_MS_MAX = 20_000;
/** strace counts calls per thread. */
const ONE_THREAD = { UV_THREADPOOL_SIZE: '1' };

interface Ack {
  readonly what: string;
  readonly beganMs: number;
  readonly answeredMs: number;
}

/** What one client knows of the value that it writes. */
interface Known {
  lastBegin: number;
  lastAck: number;
}

const skip = unlessRoot() || unlessPrograms('strace');

for (const call of ['fdatasync', 'fsync']) {
  t.test(`${call} fails once`, { skip }, async t => {
    let acks = 0;
    let refused = 0;
    for (const nth of FAILING) {
      await t.test(`the ${nth}. time`, async t => {
        const result = await runOne(t, call, nth);
        acks += result.acks;
        refused += result.refused ? 1 : 0;
      });
    }
    figure(t, `${call} that failed`, FAILING.length);
    figure(t, `${call}: acknowledged writes, each with a sync of its own time`, acks);
    figure(t, `${call}: files refused until a restart`, refused);
  });
}

async function runOne(t: Test, call: string, nth: number): Promise<{ acks: number; refused: boolean }> {
  const dataDir = temporaryFolder();
  const logFile = path.join(dataDir, '..', `${path.basename(dataDir)}.strace`);
  const server = await startServer({ dataDir, env: ONE_THREAD });
  t.teardown(async () => {
    await server.stop('SIGKILL');
    fs.rmSync(dataDir, { recursive: true });
    fs.rmSync(logFile, { force: true });
  });
  await makeArrays(server);
  const trace = await traceProcess(server.pid, {
    calls: ['fdatasync', 'fsync'],
    inject: [`${call}:error=EIO:when=${nth}`],
    logFile,
  });
  const load = startLoad(server, t);
  const failed = await eventually(() => trace.calls().some(each => each.injected), FAILURE_MS_MAX);
  t.ok(failed, 'the failure was injected');
  await sleep(200);
  await load.stop();

  const failedAt = trace.calls().find(each => each.injected)!;
  const refused = isOfFile(failedAt.path);
  if (refused) await checkRefused(t, server);
  else t.comment(`it hit ${path.basename(failedAt.path)}`);
  await checkOthers(t, server);

  await server.stop('SIGKILL');
  await trace.ended();
  checkCovered(t, load.acks, trace.calls());
  await checkRestarted(t, dataDir, load);
  return { acks: load.acks.length, refused };
}

async function makeArrays(server: TestServer): Promise<void> {
  await create(server, { name: 'a', dtype: '|u1', shape: [WRITERS, ROW_BYTES], format: 'raw' });
  await create(server, { name: 'twin', path: 'arrays/a.raw', dtype: '|u1', shape: [WRITERS, ROW_BYTES] });
  await create(server, { name: 'other', dtype: '|u1', shape: [ROW_BYTES] });
  for (const name of ['a', 'other']) {
    const written = await server.fetch(`/v1/datasets/${name}/data`, json('PUT', 1));
    if (written.status !== 200) throw new Error(await written.text());
    await written.text();
  }
}

/** The array itself or its journal; a temporary file that was never renamed concerns nobody. */
function isOfFile(target: string): boolean {
  const name = path.basename(target);
  const folder = path.basename(path.dirname(target));
  return name === 'a.raw' || (folder === 'journal' && !name.startsWith('.hyperslab-'));
}

interface Load {
  readonly acks: Ack[];
  readonly rows: readonly Known[];
  readonly attrs: Known;
  stop(): Promise<void>;
}

/** Writers of one row each, one that flushes, and one that changes the manifest. */
function startLoad(server: TestServer, t: Test): Load {
  const acks: Ack[] = [];
  const rows = Array.from({ length: WRITERS }, () => ({ lastBegin: 1, lastAck: 1 }));
  const attrs = { lastBegin: 0, lastAck: 0 };
  const running = { on: true };
  const repeat = async (what: string, known: Known | undefined, send: (value: number) => Promise<Response>) => {
    while (running.on) {
      const value = known ? ++known.lastBegin : 0;
      const beganMs = Date.now();
      const result = await outcome(send(value));
      if (result === '200') {
        if (known) known.lastAck = value;
        acks.push({ what, beganMs, answeredMs: Date.now() + 1 });
      } else if (!/^(503 durability_unknown|500 io_error)/.test(result)) t.fail(`${what}: ${result}`);
      // A refused file is not worth hammering, and a flush between every two writes would leave nothing to share.
      if (result !== '200' || !known) await sleep(10);
    }
  };
  const clients = [
    ...rows.map((known, row) =>
      repeat(`row ${row}`, known, value =>
        server.fetch(`/v1/datasets/a/data?slice=${row}`, binary('PUT', Buffer.alloc(ROW_BYTES, value % 256))),
      ),
    ),
    repeat('flush', undefined, () => server.fetch('/v1/datasets/a/flush', { method: 'POST' })),
    repeat('attrs', attrs, value => server.fetch('/v1/datasets/a', json('PATCH', { attrs: { value } }))),
  ];
  return {
    acks,
    rows,
    attrs,
    async stop() {
      running.on = false;
      await Promise.all(clients);
    },
  };
}

async function checkRefused(t: Test, server: TestServer): Promise<void> {
  const calls: [string, RequestInit?][] = [
    ['a/data?format=raw'],
    ['a/data?slice=0,0'],
    ['a/statistics?ops=sum'],
    ['twin/data?format=raw'],
    ['a/data?slice=0', json('PUT', 9)],
    ['a/data?slice=0&durability=none', json('PUT', 9)],
    ['a/flush', { method: 'POST' }],
  ];
  for (const [call, init] of calls) {
    const result = await outcome(server.fetch(`/v1/datasets/${call}`, init));
    t.equal(result, '503 durability_unknown', `${init?.method ?? 'GET'} ${call}`);
  }
  const ready = await server.fetch('/readyz');
  t.equal(ready.status, 200, 'still ready');
  const { durability_unknown: listed } = (await ready.json()) as { durability_unknown: string[] };
  t.strictSame(listed.sort(), ['a', 'twin'], 'and says which are not');
}

async function checkOthers(t: Test, server: TestServer): Promise<void> {
  const bytes = await readRaw(server, 'other');
  t.ok(bytes.equals(Buffer.alloc(ROW_BYTES, 1)), 'another file is read');
  t.equal(await outcome(server.fetch('/v1/datasets/other/data?slice=0:10', json('PUT', 2))), '200', 'and written');
  t.equal(await outcome(server.fetch('/v1/datasets/other/flush', { method: 'POST' })), '200', 'and flushed');
  const created = { name: 'third', dtype: '|u1', shape: [10] };
  t.equal(await outcome(server.fetch('/v1/datasets', json('POST', created))), '201', 'a new one is made');
  t.equal(await outcome(server.fetch('/healthz')), '200');
}

/** Each confirmation stands behind a sync that began after the request did and ended well before the answer. */
function checkCovered(t: Test, acks: readonly Ack[], calls: readonly TracedCall[]): void {
  const syncs = calls.filter(({ ok }) => ok);
  const uncovered = acks.filter(({ what, beganMs, answeredMs }) => {
    // A flush with nothing to write has nothing to sync.
    if (what === 'flush') return false;
    return !syncs.some(({ startMs, endMs }) => startMs >= beganMs && endMs <= answeredMs);
  });
  t.equal(uncovered.length, 0, `${acks.length} confirmed, each after a sync of its own time`);
}

async function checkRestarted(t: Test, dataDir: string, { rows, attrs }: Load): Promise<void> {
  const server = await startServer({ dataDir });
  try {
    for (const [row, { lastBegin, lastAck }] of rows.entries()) {
      const bytes = await readRaw(server, 'a', String(row));
      t.ok(bytes.equals(Buffer.alloc(ROW_BYTES, bytes[0])), `row ${row} is whole`);
      const found = lastAck + ((bytes[0]! - (lastAck % 256) + 256) % 256);
      t.ok(found <= lastBegin, `row ${row} has ${found}, from ${lastAck} to ${lastBegin}`);
    }
    const response = await server.fetch('/v1/datasets/a');
    const { value = 0 } = ((await response.json()) as { attrs: { value?: number } }).attrs;
    t.ok(value >= attrs.lastAck && value <= attrs.lastBegin, 'the manifest is the confirmed one, or one begun later');
    t.ok((await readRaw(server, 'other', '10:')).equals(Buffer.alloc(ROW_BYTES - 10, 1)));
    t.equal(await outcome(server.fetch('/v1/datasets/a/data?slice=0', json('PUT', 9))), '200', 'written again');
    const { durability_unknown: listed } = (await (await server.fetch('/readyz')).json()) as Record<string, unknown>;
    t.strictSame(listed, []);
  } finally {
    await server.stop();
  }
}
