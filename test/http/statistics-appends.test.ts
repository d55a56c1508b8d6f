/** What is known of the chunks of an array stays known when rows join its end: a statistic reads what is new. */
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { NO_NUMPY, PYTHON } from '../helpers/python.js';
import { startHere } from '../helpers/service-here.js';

const MiB = 2 ** 20;
/** Of float32. */
const COLUMNS = 256;
const ROW_BYTES = 4 * COLUMNS;

interface Answered {
  readonly results: Readonly<Record<string, number>>;
  readonly count: number;
  readonly scanned_bytes: number;
}

for (const order of ['C', 'F'] as const) {
  t.test(`after 1 % more a mean reads less than 3 % of the bytes, order ${order}`, async t => {
    const server = await startHere(t);
    const rows = (caseCount(256, 1024) * MiB) / ROW_BYTES;
    const shape = (length: number): number[] => (order === 'C' ? [length, COLUMNS] : [COLUMNS, length]);
    const send = (where: string, body: string | Buffer, type: string): Promise<Response> =>
      server.fetch(where, { method: 'POST', body, headers: { 'content-type': type } });
    const made = { name: 'a', dtype: '<f4', shape: shape(rows), order, fill: 0.5 };
    t.equal((await send('/v1/datasets', JSON.stringify(made), 'application/json')).status, 201);
    const ask = async (): Promise<{ cache: string | null; body: Answered }> => {
      const answer = await server.fetch('/v1/datasets/a/statistics?ops=mean,min,max');
      return { cache: answer.headers.get('x-cache'), body: (await answer.json()) as Answered };
    };
    const first = await ask();
    t.match(first, { cache: 'miss', body: { results: { mean: 0.5 }, scanned_bytes: rows * ROW_BYTES } });
    let length = rows;
    let sum = 0.5 * rows;
    // Ends of arrays are no ends of chunks.
    for (const more of [Math.round(rows / 100), 1, Math.round(rows / 130)]) {
      const value = 1 + more / 4;
      const block = Buffer.from(new Float32Array(more * COLUMNS).fill(value).buffer);
      t.equal((await send('/v1/datasets/a/append', block, 'application/octet-stream')).status, 200);
      length += more;
      sum += value * more;
      const { cache, body } = await ask();
      t.equal(cache, 'partial');
      t.equal(body.count, length * COLUMNS);
      t.ok(Math.abs(body.results['mean']! / (sum / length) - 1) < 1e-12, `${body.results['mean']}`);
      const share = body.scanned_bytes / (length * ROW_BYTES);
      t.ok(share > 0 && share < 0.03, `${share} of all bytes were read`);
    }
    const cut = JSON.stringify({ shape: shape(rows - 3) });
    t.equal((await send('/v1/datasets/a/resize', cut, 'application/json')).status, 200);
    const shorter = await ask();
    t.match(shorter.body, { results: { mean: 0.5, min: 0.5, max: 0.5 }, count: (rows - 3) * COLUMNS });
    t.ok(shorter.body.scanned_bytes < 0.03 * rows * ROW_BYTES, 'nor does a cut ask for more than the last chunk');
  });
}

t.test('the same numbers as numpy', { skip: PYTHON === undefined && NO_NUMPY }, async t => {
  const server = await startHere(t);
  const columns = 33;
  const post = (where: string, body: string | Buffer, type: string): Promise<Response> =>
    server.fetch(where, { method: 'POST', body, headers: { 'content-type': type } });
  const made = { name: 'n', dtype: '<f8', shape: [0, columns] };
  t.equal((await post('/v1/datasets', JSON.stringify(made), 'application/json')).status, 201);
  const code =
    'import numpy, sys; a = numpy.load(sys.argv[1]); print(repr([float(a.mean()), float(a.std()), float(a.min())]))';
  for (const rows of [20_011, 1, 977, 31_000]) {
    const block = Float64Array.from({ length: rows * columns }, (_, i) => Math.sin(i * rows) + 3);
    t.equal((await post('/v1/datasets/n/append', Buffer.from(block.buffer), 'application/octet-stream')).status, 200);
    const answer = await server.fetch('/v1/datasets/n/statistics?ops=mean,std,min');
    const { results } = (await answer.json()) as Answered;
    const file = path.join(server.dataDir, 'arrays', 'n.npy');
    t.ok(fs.existsSync(file));
    const { stdout } = spawnSync(PYTHON!, ['-c', code, file], { encoding: 'utf8' });
    const [mean, std, min] = JSON.parse(stdout) as [number, number, number];
    t.ok(Math.abs(results['mean']! / mean - 1) < 1e-12, `mean ${results['mean']} and ${mean}`);
    t.ok(Math.abs(results['std']! / std - 1) < 1e-10, `std ${results['std']} and ${std}`);
    t.equal(results['min'], min);
  }
});
