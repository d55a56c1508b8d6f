/**
 * Readers of a block that is rewritten all the time: each answer is one write, that of the generation it names, whole or
 * visibly cut; on a connection generations never go back; and a reader that stalls holds up no write.
 */
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { start, type TestServer } from '../helpers/server.js';
import { binary, create, describe, get, KiB, MiB, outcome, readRaw, rest } from '../system/calls.js';
import { figure, inMs, quantile, rounds } from './harness.js';

const READERS = 8;
const STALL_MS = rounds(8_000, 60_000);
const WRITE_PAUSE_MS = 5;
const PIECE_BYTES = 64 * KiB;

const server = await start(t);

interface Seen {
  whole: number;
  cut: number;
  busy: number;
  readonly faults: string[];
  /** Value by generation, as readers found it. */
  readonly values: Map<number, number>;
}

for (const { title, bytes, writes } of [
  { title: '1 MiB', bytes: MiB, writes: rounds(60, 500) },
  { title: '32 MiB', bytes: 32 * MiB, writes: rounds(12, 100) },
]) {
  t.test(`${READERS} readers of ${title} that is written ${writes} times`, async t => {
    const name = `block-${bytes}`;
    await create(server, { name, dtype: '<u4', shape: [bytes / 4] });
    const written = new Map([[(await describe(server, name)).generation, 0]]);
    const seen: Seen = { whole: 0, cut: 0, busy: 0, faults: [], values: new Map() };
    const running = { on: true };
    const readers = Array.from({ length: READERS }, () => readOn(name, bytes, seen, running));
    for (let value = 1; value <= writes; value++) {
      const body = Buffer.from(new Uint32Array(bytes / 4).fill(value).buffer);
      const response = await server.fetch(`/v1/datasets/${name}/data`, binary('PUT', body));
      const { generation } = (await response.json()) as { generation: number };
      t.notOk(written.has(generation), `generation ${generation} belongs to one write`);
      written.set(generation, value);
    }
    running.on = false;
    await Promise.all(readers);
    const wrong = [...seen.values].filter(([generation, value]) => written.get(generation) !== value);
    t.strictSame(wrong, [], 'each generation was read as it was written');
    t.strictSame(seen.faults.slice(0, 5), [], 'each whole answer is one generation, and none goes back');
    t.ok(seen.whole > 0, `${seen.whole} whole answers`);
    t.ok(seen.values.size > 1, `of ${seen.values.size} generations`);
    figure(t, `${title} rewritten ${writes} times: whole answers, each of one generation`, seen.whole);
    figure(t, `${title}: generations that readers saw`, seen.values.size);
    figure(t, `${title}: answers visibly cut`, seen.cut);
    figure(t, `${title}: answers 503 busy_writing`, seen.busy);
  });
}

/** Reads the block again and again on one connection, as long as it lasts; a cut answer needs another. */
async function readOn(name: string, bytes: number, seen: Seen, running: { on: boolean }): Promise<void> {
  while (running.on) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    let last = 0;
    for (let whole = true; whole && running.on;) {
      const answer = await readOnce(`${server.url}/v1/datasets/${name}/data?format=raw`, agent);
      whole = answer.whole;
      if (answer.status === 503) seen.busy++;
      else if (!whole) seen.cut++;
      else {
        seen.whole++;
        last = judge(answer, { bytes, last, seen });
      }
    }
    agent.destroy();
  }
}

interface Answer {
  readonly status: number;
  readonly generation: number;
  readonly bytes: Buffer;
  readonly whole: boolean;
}

async function readOnce(url: string, agent: http.Agent): Promise<Answer> {
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    http.get(url, { agent }, resolve).on('error', reject);
  });
  return {
    status: response.statusCode!,
    generation: Number(response.headers['x-dataset-generation']),
    ...(await rest(response)),
  };
}

function judge(
  { status, generation, bytes }: Answer,
  expected: { readonly bytes: number; readonly last: number; readonly seen: Seen },
): number {
  const { faults, values } = expected.seen;
  if (status !== 200) faults.push(`${status} ${bytes.toString().slice(0, 300)}`);
  else if (bytes.byteLength !== expected.bytes) faults.push(`${bytes.byteLength} bytes`);
  else if (!isConstant(bytes)) faults.push(`generation ${generation} is a mixture`);
  else {
    const value = bytes.readUInt32LE();
    const before = values.get(generation);
    if (before !== undefined && before !== value) faults.push(`generation ${generation} is ${before} and ${value}`);
    values.set(generation, value);
  }
  if (generation < expected.last) faults.push(`generation ${generation} came after ${expected.last}`);
  return Math.max(generation, expected.last);
}

/** Every element is the one before it. */
function isConstant(bytes: Buffer): boolean {
  return bytes.subarray(4).equals(bytes.subarray(0, -4));
}

t.test(`a reader that stalls for ${STALL_MS / 1000} s holds up no write`, async t => {
  const bytes = 32 * MiB;
  await create(server, { name: 'stalled', dtype: '<u4', shape: [bytes / 4] });
  const content = Buffer.alloc(bytes);
  const alone = await writeLatencies(server, content);
  // Nobody is writing: this is what the answer must be.
  const before = Buffer.from(content);
  const response = await get(`${server.url}/v1/datasets/stalled/data?format=raw`);
  response.pause();
  const beside = await writeLatencies(server, content);
  const { bytes: body, whole } = await rest(response);
  if (whole) t.ok(body.equals(before), 'the answer came whole, as it was when it began');
  else
    t.ok(body.byteLength < bytes && body.equals(before.subarray(0, body.byteLength)), 'visibly cut, and right so far');
  t.ok((await readRaw(server, 'stalled')).equals(content), 'all writes are there');
  const slowest = Math.max(...beside);
  t.ok(slowest < STALL_MS / 2, `no write waited for the reader: ${inMs(slowest)}`);
  tell(t, 'without', alone);
  tell(t, 'with', beside);
  figure(t, 'the stalled answer', whole ? 'whole, of its generation' : `cut after ${body.byteLength} bytes`);
});

/** Commits 64 KiB after 64 KiB all over the block for a while, and notes them in `content`; the time of each. */
async function writeLatencies(server: TestServer, content: Buffer): Promise<number[]> {
  const latencies: number[] = [];
  const end = performance.now() + STALL_MS;
  for (let turn = 0; performance.now() < end; turn++) {
    const start = (turn * PIECE_BYTES) % content.byteLength;
    content.fill(1 + (turn % 255), start, start + PIECE_BYTES);
    const where = `/v1/datasets/stalled/data?slice=${start / 4}:${(start + PIECE_BYTES) / 4}`;
    const started = performance.now();
    const result = await outcome(server.fetch(where, binary('PUT', content.subarray(start, start + PIECE_BYTES))));
    latencies.push(performance.now() - started);
    if (result !== '200') throw new Error(`not written: ${result}`);
    await sleep(WRITE_PAUSE_MS);
  }
  return latencies;
}

function tell(t: Test, beside: string, latencies: readonly number[]): void {
  const [p50, p99, max] = [0.5, 0.99, 1].map(fraction => inMs(quantile(latencies, fraction)));
  figure(t, `write of 64 KiB ${beside} a stalled reader: p50, p99, max`, `${p50}, ${p99}, ${max}`);
  figure(t, `writes ${beside} a stalled reader`, latencies.length);
}
