/** Eight clients append to one array: each row is there once, whole, and whoever opens the file sees a valid array. */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { NO_NUMPY, PYTHON, runPythonBeside } from '../helpers/python.js';
import { seededRandom } from '../helpers/random.js';
import { start } from '../helpers/server.js';
import { binary, create, describe, readRaw } from '../system/calls.js';

const CLIENTS = 8;
const COLUMNS = 100;
const APPENDS = caseCount(4, 200);
/** Some appends are longer than a commit. */
const COMMIT_BYTES_MAX = 4096;

const server = await start(t, { env: { HYPERSLAB_COMMIT_BYTES_MAX: String(COMMIT_BYTES_MAX) } });

/** `count` rows of a client, `[client, i, i, …]` each. */
function rowsOf(client: number, first: number, count: number): Uint8Array {
  const rows = new Int32Array(count * COLUMNS);
  for (let i = 0; i < count; i++)
    rows.fill(first + i, i * COLUMNS, (i + 1) * COLUMNS).fill(client, i * COLUMNS, i * COLUMNS + 1);
  return new Uint8Array(rows.buffer);
}

interface Answer {
  readonly code?: string;
  readonly length?: number;
  readonly generation?: number;
  readonly shape?: readonly number[];
}

/** Appends until it is done, with `at` or without. Returns the rows that were answered, and their generations. */
async function appendAll(client: number, withAt: boolean, generations: Set<number>): Promise<number> {
  const random = seededRandom(client);
  let length = 0;
  let next = 1;
  for (let done = 0; done < APPENDS;) {
    const count = random.next() < 0.3 ? 20 : 1 + Math.floor(3 * random.next());
    const query = withAt ? `?at=${length}` : '';
    // oxlint-disable-next-line no-await-in-loop
    const answer = await server.fetch(
      `/v1/datasets/shared/append${query}`,
      binary('POST', rowsOf(client, next, count)),
    );
    // oxlint-disable-next-line no-await-in-loop
    const body = (await answer.json()) as Answer;
    if (answer.status === 200) {
      next += count;
      done++;
      length = body.shape![0]!;
      generations.add(body.generation!);
    } else if (withAt && body.code === 'moved') length = body.length!;
    else if (body.code === 'bulk_load')
      await sleep(2); // oxlint-disable-line no-await-in-loop
    else throw new Error(JSON.stringify(body));
  }
  return next - 1;
}

t.test('with and without at, beside programs that open the file', async t => {
  await create(server, { name: 'shared', dtype: '<i4', shape: [0, COLUMNS] });
  const { generation } = await describe(server, 'shared');
  const file = path.join(server.dataDir, 'arrays', 'shared.npy');
  const stop = path.join(server.dataDir, 'stop');
  const opening = PYTHON ? runPythonBeside('http/concurrent_appends.py', [file, stop]) : undefined;
  opening?.catch(() => undefined);
  if (!opening) t.comment(NO_NUMPY);
  const generations = new Set<number>();
  const clients = Array.from({ length: CLIENTS }, (_, client) => appendAll(client, client % 2 === 0, generations));
  const counts = await Promise.all(clients);
  fs.writeFileSync(stop, '');
  const total = counts.reduce((sum, count) => sum + count, 0);
  const rows = new Int32Array(new Uint8Array(await readRaw(server, 'shared')).buffer);
  t.equal(rows.length, total * COLUMNS);
  const seen = counts.map(() => 0);
  for (let at = 0; at < rows.length; at += COLUMNS) {
    const client = rows[at]!;
    seen[client]!++;
    const isWhole = rows.subarray(at + 1, at + COLUMNS).every(each => each === seen[client]);
    if (!isWhole) t.fail(`row ${at / COLUMNS} is not the next of client ${client}`);
  }
  t.same(seen, counts, 'each row is there once, those of a client in their order');
  t.equal(generations.size, CLIENTS * APPENDS, 'each append has a generation of its own');
  t.equal((await describe(server, 'shared')).generation, generation + CLIENTS * APPENDS);
  if (opening) t.equal((await opening).trim(), `True ${total}`);
});
