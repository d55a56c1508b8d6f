/**
 * Another program truncates, replaces or deletes a file while it is being read. Each element tells its position and the
 * version of its file, so that an answer of 200 that came whole can be held to be right in every byte. A process that
 * dies of a page that is gone must be back at once, other datasets must not notice, and the file must be served again.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { seededRandom } from '../helpers/random.js';
import { create, eventually, get, json, MiB, outcome, readRaw, rest } from '../system/calls.js';
import { figure, inMs, quantile, rounds } from './harness.js';
import { startSupervised, type SupervisedServer } from './supervised.js';

const ROUNDS = rounds(3, 50);
const EDGE = 2048;
const BYTES = 4 * EDGE * EDGE;
/** Above the position in an element. */
const VERSION_UNIT = 2 ** 24;
/** The promise is 2 s after a death, which the figure shows; the bound leaves room for a machine that is busy. */
const BACK_MS_MAX = 15_000;
const SERVED_AGAIN_MS_MAX = 10_000;

const random = seededRandom(7);
const server = await startSupervised();
t.teardown(async () => {
  await server.stop();
  fs.rmSync(server.dataDir, { recursive: true });
});

const POSITIONS = Uint32Array.from({ length: EDGE * EDGE }, (_, i) => i);

function contentOf(version: number): Buffer {
  return Buffer.from(POSITIONS.map(position => position + version * VERSION_UNIT).buffer);
}

/** A way to read, and what is wrong with a whole answer of 200, if anything. */
interface Reading {
  readonly title: string;
  readonly call: string;
  readonly faultOf: (body: Buffer, versions: readonly number[]) => string | undefined;
}

const READINGS: readonly Reading[] = [
  { title: 'a contiguous read', call: 'data?format=raw', faultOf: faultOfElements(i => i, EDGE * EDGE) },
  {
    title: 'a strided read',
    call: 'data?format=raw&slice=::-1,::2',
    faultOf: faultOfElements(
      i => {
        const [row, column] = [EDGE - 1 - Math.floor(i / (EDGE / 2)), 2 * (i % (EDGE / 2))];
        return row * EDGE + column;
      },
      (EDGE * EDGE) / 2,
    ),
  },
  { title: 'a statistic', call: 'statistics?ops=sum,min,max', faultOf: faultOfStatistics },
];

function faultOfElements(positionOf: (i: number) => number, count: number): Reading['faultOf'] {
  return (body, versions) => {
    if (body.byteLength !== 4 * count) return `${body.byteLength} bytes`;
    const elements = new Uint32Array(Uint8Array.from(body).buffer);
    const version = Math.floor(elements[0]! / VERSION_UNIT);
    if (!versions.includes(version)) return `version ${version} where ${versions.join(' or ')} stands`;
    const at = elements.findIndex((element, i) => element !== positionOf(i) + version * VERSION_UNIT);
    return at < 0 ? undefined : `element ${at} is ${elements[at]!.toString(16)} in version ${version}`;
  };
}

function faultOfStatistics(body: Buffer, versions: readonly number[]): string | undefined {
  const { results, count } = JSON.parse(body.toString()) as {
    results: Record<'sum' | 'min' | 'max', number>;
    count: number;
  };
  const size = EDGE * EDGE;
  const right = versions.some(version => {
    const base = version * VERSION_UNIT;
    const sum = size * base + (size * (size - 1)) / 2;
    return count === size && results.sum === sum && results.min === base && results.max === base + size - 1;
  });
  return right ? undefined : `${JSON.stringify(results)} for versions ${versions.join(', ')}`;
}

/** What another program does. The file holds `version` before and, where it holds anything, `version + 1` after. */
const CHANGES: Readonly<Record<string, (file: string, version: number) => void>> = {
  truncated: file => fs.truncateSync(file, 4096 * random.integer(0, BYTES / 4096 - 1) + 4 * random.integer(0, 1023)),
  replaced: (file, version) => {
    fs.writeFileSync(`${file}.new`, contentOf(version + 1));
    fs.renameSync(`${file}.new`, file);
  },
  deleted: file => fs.rmSync(file),
};

const steady = watchSteady();
let fileCount = 0;

for (const [change, apply] of Object.entries(CHANGES)) {
  for (const reading of READINGS) {
    t.test(`${change} during ${reading.title}, ${ROUNDS} times`, async t => {
      const counts: Record<string, number> = {};
      const faults: string[] = [];
      const deaths = server.deaths();
      for (let round = 0; round < ROUNDS; round++) {
        const result = await oneRound(faults, reading, { apply, round });
        counts[result] = (counts[result] ?? 0) + 1;
      }
      const told = Object.entries(counts).map(([result, count]) => `${result}: ${count}`);
      t.strictSame(faults.slice(0, 5), [], 'every whole answer was right');
      figure(t, `${change} during ${reading.title}`, `${told.join(', ')}; deaths: ${server.deaths() - deaths}`);
    });
  }
}

t.test('a service that dies of a signal is back at its address', async t => {
  const deaths = server.deaths();
  const started = performance.now();
  process.kill(server.pid, 'SIGBUS');
  t.ok(await eventually(() => server.deaths() > deaths), 'it died');
  t.ok(await server.isUp(BACK_MS_MAX), 'and is back');
  figure(t, 'back after a SIGBUS', inMs(performance.now() - started));
});

t.test('other datasets do not notice', async t => {
  const { reads, faults, backMs } = await steady.stop();
  t.ok(reads > 0, `${reads} reads of another dataset`);
  t.strictSame(faults.slice(0, 5), [], 'all of them right, while the service was there');
  t.ok(
    backMs.every(ms => ms < BACK_MS_MAX),
    'a service that died was back at once',
  );
  figure(t, 'reads of another dataset meanwhile, all right', reads);
  figure(t, 'deaths of the service', server.deaths());
  if (backMs.length > 0) figure(t, 'back after a death, longest', inMs(quantile(backMs, 1)));
});

/** Registers a fresh file, changes it during an answer, and puts it back. Says how the answer ended, and what was wrong. */
async function oneRound(
  faults: string[],
  { title, call, faultOf }: Reading,
  { apply, round }: { apply: (file: string, version: number) => void; round: number },
): Promise<string> {
  const name = `changing-${fileCount++}`;
  const file = path.join(server.dataDir, `${name}.raw`);
  const version = random.integer(1, 250);
  fs.writeFileSync(file, contentOf(version));
  const mode = round % 2 === 0 ? 'r' : 'r+';
  await create(server, { name, path: `${name}.raw`, dtype: '<u4', shape: [EDGE, EDGE], mode });
  const where = `${server.url}/v1/datasets/${name}/${call}`;
  const started = performance.now();
  const warm = await (await server.fetch(`/v1/datasets/${name}/${call}`)).arrayBuffer();
  note('before', faultOf(Buffer.from(warm), [version]));
  const tookMs = performance.now() - started;

  const answering = get(where).then(readSlowly, () => undefined);
  await sleep(random.next() * tookMs);
  apply(file, version);
  const answer = await answering;
  const result = judge();
  note('after it was put back', await faultOfReturn({ name, file, version: version + 2 }));
  await outcome(server.fetch(`/v1/datasets/${name}`, { method: 'DELETE' }));
  fs.rmSync(file, { force: true });
  return result;

  function judge(): string {
    if (!answer) return 'connection lost';
    if (answer.status !== 200) {
      if (!/file_changed|io_error|busy_writing/.test(answer.bytes.toString())) note('refused', answer.bytes.toString());
      return `refused ${answer.status}`;
    }
    if (!answer.whole) return 'visibly cut';
    note('during', faultOf(answer.bytes, [version, version + 1]));
    return 'whole';
  }

  function note(when: string, fault: string | undefined): void {
    if (fault !== undefined) faults.push(`${title}, mode ${mode}, ${when}: ${fault}`);
  }
}

/** Takes some of an answer, waits a moment, and takes the rest: large answers are under way when the file changes. */
async function readSlowly(
  response: Awaited<ReturnType<typeof get>>,
): Promise<{ status: number; bytes: Buffer; whole: boolean }> {
  if (response.statusCode === 200) await sleep(random.integer(0, 30));
  return { status: response.statusCode!, ...(await rest(response)) };
}

async function faultOfReturn({
  name,
  file,
  version,
}: {
  name: string;
  file: string;
  version: number;
}): Promise<string | undefined> {
  fs.writeFileSync(file, contentOf(version));
  let last = '';
  for (const end = performance.now() + SERVED_AGAIN_MS_MAX; performance.now() < end; await sleep(20)) {
    try {
      return READINGS[0]!.faultOf(await readRaw(server, name), [version]);
    } catch (error) {
      last = String(error);
    }
  }
  return `not served again: ${last}`;
}

interface Watch {
  stop(): Promise<{ reads: number; faults: string[]; backMs: number[] }>;
}

/** Reads and writes another dataset all the time; failing while the service is down is noted as time, not as a fault. */
function watchSteady(): Watch {
  const seen = { reads: 0, faults: [] as string[], backMs: [] as number[] };
  const running = { on: true };
  const watching = (async () => {
    await create(server, { name: 'steady', dtype: '|u1', shape: [MiB] });
    for (let value = 1; running.on; value = 1 + (value % 255)) {
      try {
        const written = await outcome(server.fetch('/v1/datasets/steady/data', json('PUT', value)));
        const sum = await server.fetch('/v1/datasets/steady/statistics?ops=sum');
        const { results } = (await sum.json()) as { results?: { sum: number } };
        const bytes = await readRaw(server, 'steady');
        if (written !== '200') seen.faults.push(written);
        if (results?.sum !== value * MiB) seen.faults.push(`sum ${results?.sum}`);
        if (!bytes.equals(Buffer.alloc(MiB, value))) seen.faults.push(`other bytes than ${value}`);
        seen.reads++;
      } catch (error) {
        if (error instanceof TypeError) seen.backMs.push(await timeToBack(server));
        else seen.faults.push(String(error));
      }
      await sleep(10);
    }
  })();
  return {
    async stop() {
      running.on = false;
      await watching;
      return seen;
    },
  };
}

async function timeToBack(server: SupervisedServer): Promise<number> {
  const started = performance.now();
  await server.isUp();
  return performance.now() - started;
}
