/** Rows that a filter keeps: the first ones, a slice of them, their numbers; and that they are of one generation. */
import fs from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { seededRandom } from '../helpers/random.js';
import { startHere, type ServiceHere } from '../helpers/service-here.js';

const ROWS = 300_000;
const COLUMNS = 3;

interface Table {
  readonly service: ServiceHere;
  readonly values: Int32Array;
}

/** A table of integers from 0 to 999, registered as raw. */
async function startTable(t: Test, env: Record<string, string> = {}): Promise<Table> {
  const service = await startHere(t, { env });
  const random = seededRandom(8);
  const values = Int32Array.from({ length: ROWS * COLUMNS }, () => random.below(1000));
  fs.mkdirSync(path.join(service.dataDir, 'arrays'), { recursive: true });
  fs.writeFileSync(path.join(service.dataDir, 'arrays', 'table.bin'), values);
  const made = await service.fetch('/v1/datasets', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'table', path: 'arrays/table.bin', dtype: '<i4', shape: [ROWS, COLUMNS], mode: 'r+' }),
  });
  t.equal(made.status, 201);
  return { service, values };
}

async function ask(service: ServiceHere, body: object, query = ''): Promise<Response> {
  return service.fetch(`/v1/datasets/table/select${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

function rowsWhere({ values }: Table, keeps: (row: Int32Array) => boolean): number[] {
  const rows: number[] = [];
  for (let row = 0; row < ROWS; row++) {
    if (keeps(values.subarray(row * COLUMNS, (row + 1) * COLUMNS))) rows.push(row);
  }
  return rows;
}

const FILTERS: readonly { readonly where: object; readonly keeps: (row: Int32Array) => boolean }[] = [
  { where: { column: 1, lt: 10 }, keeps: row => row[1]! < 10 },
  {
    where: {
      and: [
        { column: 0, ge: 500 },
        { column: 2, eq: 7 },
      ],
    },
    keeps: row => row[0]! >= 500 && row[2] === 7,
  },
  { where: { column: 0, lt: 0 }, keeps: () => false },
  { where: { not: { column: 0, lt: 0 } }, keeps: () => true },
  { where: { column: 0, in: [] }, keeps: () => false },
];

t.test('the rows that a filter keeps, whole and in numbers', async t => {
  const table = await startTable(t);
  for (const { where, keeps } of FILTERS) {
    const rows = rowsWhere(table, keeps);
    for (const limit of [undefined, 0, 1, 1000]) {
      const name = JSON.stringify({ where, limit });
      const kept = rows.slice(0, limit);
      const values = await ask(table.service, { where, limit }, '?format=raw'); // oxlint-disable-line no-await-in-loop
      t.equal(values.status, 200, name);
      t.equal(values.headers.get('x-array-shape'), `${kept.length},${COLUMNS}`, name);
      const wanted = Int32Array.from(
        kept.flatMap(row => [...table.values.subarray(row * COLUMNS, (row + 1) * COLUMNS)]),
      );
      const found = Buffer.from(await values.arrayBuffer()); // oxlint-disable-line no-await-in-loop
      t.ok(found.equals(Buffer.from(wanted.buffer)), name);
      // oxlint-disable-next-line no-await-in-loop
      const numbers = await ask(table.service, { where, limit, return: 'indices' }, '?format=raw');
      t.equal(numbers.headers.get('x-array-dtype'), '<i8', name);
      const indices = new BigInt64Array(await numbers.arrayBuffer()); // oxlint-disable-line no-await-in-loop
      t.ok([...indices].every((row, i) => Number(row) === kept[i]) && indices.length === kept.length, name);
    }
  }
  const sliced = await ask(table.service, { where: FILTERS[0]!.where, limit: 10, slice: '::-3, 2' });
  const rows = rowsWhere(table, FILTERS[0]!.keeps).slice(0, 10);
  const { data, shape } = (await sliced.json()) as { data: number[]; shape: number[] };
  t.strictSame(shape, [4]);
  t.strictSame(
    data,
    [9, 6, 3, 0].map(i => table.values[rows[i]! * COLUMNS + 2]),
  );
});

t.test('what a filter cannot be is refused, and more rows than may be chosen', async t => {
  const { service } = await startTable(t, { HYPERSLAB_SELECT_ENTRIES_MAX: '1000' });
  const where = { column: 0, lt: 500 };
  for (const [status, code, body] of [
    [413, 'too_large', { where }],
    [400, 'bad_request', { where, return: 'indices', slice: '0', limit: 1 }],
    [400, 'bad_request', { where, return: 'rows' }],
    [400, 'bad_request', { where, limit: -1 }],
    [422, 'bad_index', { where, limit: 1.5 }],
    [422, 'index_out_of_bounds', { where: { column: 3, lt: 1 } }],
    [400, 'bad_request', { where, mask: 'table' }],
    [400, 'bad_request', { index: [0], limit: 3 }],
    [404, 'unknown_dataset', { where: { dataset: 'other', gt: 0 } }],
    [422, 'bad_index', { mask: 'table' }],
    [400, 'bad_request', {}],
  ] as const) {
    const answer = await ask(service, body); // oxlint-disable-line no-await-in-loop
    const problem = (await answer.json()) as { code: string }; // oxlint-disable-line no-await-in-loop
    t.strictSame([answer.status, problem.code], [status, code], JSON.stringify(body));
  }
  t.equal((await ask(service, { where, limit: 1000 })).status, 200, 'as many as may be');
});

t.test('rows and what they hold are of one generation, whatever is written meanwhile', async t => {
  const { service } = await startTable(t);
  const ending = new AbortController();
  const write = async (): Promise<void> => {
    for (let value = 5000; !ending.signal.aborted; value++) {
      const body = JSON.stringify(value);
      // oxlint-disable-next-line no-await-in-loop
      await service.fetch('/v1/datasets/table/data?slice=1000:200000', {
        method: 'PUT',
        body,
        headers: { 'content-type': 'application/json' },
      });
    }
  };
  const writing = write();
  const seen = new Set<number>();
  for (let i = 0; i < 12; i++) {
    // oxlint-disable-next-line no-await-in-loop
    const answer = await ask(service, { where: { column: 1, ge: 1000 } }, '?format=raw');
    if (answer.status === 503) continue;
    t.equal(answer.status, 200);
    const values = new Int32Array(await answer.arrayBuffer()); // oxlint-disable-line no-await-in-loop
    const distinct = new Set(values);
    t.ok(distinct.size <= 1, 'all rows have the value that one write gave them');
    for (const value of distinct) seen.add(value);
  }
  ending.abort();
  await writing;
  t.ok(seen.size > 1, `${seen.size} states were seen`);
});
