/** Names in filters and keys: fields of structures, columns that attrs name, and what is refused of them and of dates and texts. */
import fs from 'node:fs';
import t from 'tap';
import { startServer } from '../helpers/server.js';
import { create } from '../system/calls.js';

const server = await startServer();
t.teardown(async () => {
  await server.stop();
  fs.rmSync(server.dataDir, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function ask(dataset: string, query: object): Promise<Answer> {
  const response = await server.fetch(`/v1/datasets/${dataset}/statistics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ops: ['count'], ...query }),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

const ROWS = 6;
const TIMES = [
  '2024-01-01T00:00',
  '2024-01-01T12:00',
  '2024-01-07T23:59',
  '2024-01-08T00:00',
  '2024-03-01T00:00',
  'NaT',
];
const COUNTS = TIMES.map(text => (text === 'NaT' ? -(2n ** 63n) : BigInt(Date.parse(`${text}Z`) / 60_000)));

/** Items of a structure: a date in minutes, a text of three bytes, a float inside another structure, two shorts. */
function items(): Buffer {
  const file = Buffer.alloc(ROWS * 19);
  for (let row = 0; row < ROWS; row++) {
    file.writeBigInt64LE(COUNTS[row]!, row * 19);
    file.write(['a', 'b', 'abc', '', 'b', 'é'][row]!, row * 19 + 8, 'latin1');
    file.writeFloatLE(row, row * 19 + 11);
    file.writeInt16LE(row, row * 19 + 15);
  }
  return file;
}

const DTYPE = [
  ['time', '<M8[m]'],
  ['tag', '|S3'],
  ['in', [['x', '<f4']]],
  ['pair', '<i2', [2]],
];
fs.writeFileSync(`${server.dataDir}/items.bin`, items());
await create(server, { name: 'items', path: 'items.bin', format: 'raw', dtype: DTYPE, shape: [ROWS] });
await create(server, { name: 'numbers', dtype: '<i4', shape: [ROWS] });
await create(server, { name: 'flags', dtype: '|b1', shape: [ROWS] });
await create(server, { name: 'cells', dtype: '|V4', shape: [ROWS] });
await create(server, { name: 'waves', dtype: '<c8', shape: [ROWS] });
await create(server, { name: 'few', dtype: '<M8[s]', shape: [2] });
await create(server, { name: 'weather', dtype: '<f4', shape: [4, 3], attrs: { columns: ['rain', 'warm', 'wind'] } });
await server.fetch('/v1/datasets/weather/data', {
  method: 'PUT',
  headers: { 'content-type': 'application/json' },
  body: '[[0, 10, 1], [5, 12, 2], [0, 14, 3], [7, 16, 1]]',
});
await create(server, { name: 'misnamed', dtype: '<f4', shape: [4, 3], attrs: { columns: ['rain', 'warm'] } });

const keysOf = ({ body }: Answer): unknown => (body['groups'] as { key: unknown }[]).map(({ key }) => key);

t.test('columns are named as attrs name them, now', async t => {
  const where = { column: 'wind', eq: 1 };
  t.match(await ask('weather', { ops: ['sum'], slice: ':,1', where }), { body: { results: { sum: 26 } } });
  t.match(await ask('weather', { ops: ['sum'], slice: ':,1', where: { field: 'wind', eq: 1 } }), {
    body: { results: { sum: 26 } },
  });
  t.same(keysOf(await ask('weather', { slice: ':,1', group_by: { column: 'rain' } })), [0, 5, 7]);
  await server.fetch('/v1/datasets/weather', {
    method: 'PATCH',
    headers: { 'content-type': 'application/merge-patch+json' },
    body: '{"attrs": {"columns": ["wind", "warm", "rain"]}}',
  });
  t.match(await ask('weather', { ops: ['sum'], slice: ':,1', where: { column: 'wind', eq: 0 } }), {
    body: { results: { sum: 24 } },
  });
  t.match(
    await ask('weather', { ops: ['sum'], slice: ':,1', where }),
    { body: { count: 0 } },
    'nothing old is answered',
  );
});

const item = { dataset: 'items', field: 'time' };

t.test('fields of another dataset are compared and grouped by', async t => {
  t.match(await ask('numbers', { where: { ...item, ge: '2024-01-07T23:59:00', lt: '2024-01-08T00:00:01' } }), {
    body: { count: 2 },
  });
  t.match(await ask('numbers', { where: { dataset: 'items', field: 'in.x', gt: 3 } }), { body: { count: 2 } });
  t.match(await ask('numbers', { where: { dataset: 'items', field: 'tag', in: ['b', 'é\0\0'] } }), {
    body: { count: 3 },
  });
  t.match(await ask('numbers', { where: { dataset: 'items', field: 'tag', gt: 'ab' } }), { body: { count: 4 } });
  t.same(keysOf(await ask('numbers', { group_by: { dataset: 'items', field: 'tag' } })), ['', 'a', 'abc', 'b', 'é']);
});

t.test('fields of the dataset itself are compared, whatever is asked of it', async t => {
  t.match(await ask('items', { field: 'in.x', ops: ['sum'], where: { field: 'tag', eq: 'b' } }), {
    body: { results: { sum: 5 } },
  });
  t.match(await ask('items', { where: { field: 'time', is_nan: false } }), { body: { count: 5 } });
  const grouped = await ask('items', { field: 'in.x', ops: ['sum'], group_by: { field: 'time', every: '1Y' } });
  t.match(grouped, {
    body: {
      groups: [
        { key: '2024-01-01T00:00', results: { sum: 10 } },
        { key: 'NaT', results: { sum: 5 } },
      ],
    },
  });
});

t.test('dates come in blocks of the calendar, NaT last', async t => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['1D', ['2024-01-01T00:00', '2024-01-07T00:00', '2024-01-08T00:00', '2024-03-01T00:00', 'NaT']],
    ['W', ['2024-01-01T00:00', '2024-01-08T00:00', '2024-02-26T00:00', 'NaT']],
    ['2M', ['2024-01-01T00:00', '2024-03-01T00:00', 'NaT']],
    ['1Y', ['2024-01-01T00:00', 'NaT']],
  ];
  for (const [every, keys] of cases) {
    t.same(keysOf(await ask('numbers', { group_by: { ...item, every } })), keys, every); // oxlint-disable-line no-await-in-loop
  }
  t.same(keysOf(await ask('numbers', { group_by: [{ rows: 4 }, { ...item, every: '1Y' }] })), [
    [0, '2024-01-01T00:00'],
    [4, '2024-01-01T00:00'],
    [4, 'NaT'],
  ]);
});

t.test('bins of dates have edges as they were given', async t => {
  const bins = ['2024-01-01', '2024-01-08', '2024-03-01'];
  t.match(await ask('numbers', { group_by: { ...item, bins } }), {
    body: {
      groups: [
        { key: ['2024-01-01', '2024-01-08'], count: 3 },
        { key: ['2024-01-08', '2024-03-01'], count: 2 },
      ],
    },
  });
});

/** What is refused: the query, its status and code, where, and what the message has. */
const REFUSED: readonly (readonly [query: object, status: number, code: string, at: string, detail: RegExp])[] = [
  [
    { where: { ...item, field: 'tim', gt: 0 } },
    422,
    'unknown_field',
    'where',
    /"time", "tag", "in" and "pair".*mean time/,
  ],
  [
    { where: { dataset: 'items', gt: 0 } },
    422,
    'unsupported_dtype',
    'where',
    /Name one of its fields: {"field": "time"}/,
  ],
  [{ where: { dataset: 'items', field: 'pair', gt: 0 } }, 422, 'bad_operation', 'where', /shape \[6, 2\]/],
  [{ where: { dataset: 'cells', eq: '' } }, 422, 'unsupported_dtype', 'where', /void32/],
  [{ where: { ...item, gt: 'yesterday' } }, 422, 'bad_operation', 'where.gt', /"yesterday".*ISO text/],
  [{ where: { ...item, gt: '2024-02-30' } }, 422, 'bad_operation', 'where.gt', /2024-02-30/],
  [{ where: { dataset: 'items', field: 'tag', gt: 3 } }, 422, 'bad_operation', 'where.gt', /bytes24.*text/],
  [{ where: { dataset: 'items', field: 'tag', is_nan: true } }, 422, 'bad_operation', 'where', /never NaN/],
  [{ where: { dataset: 'waves', gt: 1 } }, 422, 'bad_operation', 'where.gt', /eq, ne, in and is_nan/],
  [{ where: { dataset: 'waves', eq: [1, 2, 3] } }, 422, 'bad_operation', 'where.eq', /pairs/],
  [
    { where: { dataset: 'numbers', in: { dataset: 'few' } } },
    422,
    'bad_operation',
    'where.in',
    /datetime64\[s\].*int32/,
  ],
  [{ where: { ...item, in: { dataset: 'items', field: 'tag' } } }, 422, 'bad_operation', 'where.in', /bytes24/],
  [{ where: { ...item, in: { dataset: 'few', fields: 'x' } } }, 400, 'bad_request', 'where.in', /mean field/],
  [{ where: { dataset: 'numbers', column: 0, gt: 1 } }, 400, 'bad_request', 'where', /only one of/],
  [{ where: { column: true, gt: 1 } }, 400, 'bad_request', 'where.column', /an integer or a name/],
  [{ group_by: { dataset: 'waves' } }, 422, 'unsupported_dtype', 'group_by', /complex64/],
  [{ group_by: { ...item, every: '1x' } }, 400, 'bad_request', 'group_by.every', /such as "1d"/],
  [{ group_by: { ...item, every: '90s' } }, 422, 'bad_operation', 'group_by.every', /multiple of its unit/],
  [{ group_by: { ...item, every: '1d', bins: [0, 1] } }, 400, 'bad_request', 'group_by', /one of them/],
  [{ group_by: { self: true, every: '1d' } }, 422, 'bad_operation', 'group_by.every', /int32 are no dates/],
  [{ group_by: { rows: 0 } }, 400, 'bad_request', 'group_by.rows', /at least 1/],
  [{ group_by: { rows: 5, self: true } }, 400, 'bad_request', 'group_by', /stands alone/],
  [{ group_by: { ...item, bins: ['2024', '2023'] } }, 422, 'bad_operation', 'group_by.bins[1]', /ascend/],
  [{ group_by: { ...item, bins: ['2024', 'NaT'] } }, 422, 'bad_operation', 'group_by.bins[1]', /ascend/],
];

t.test('what cannot be told apart is refused, with its place', async t => {
  for (const [query, status, code, at, detail] of REFUSED) {
    // oxlint-disable-next-line no-await-in-loop
    t.match(await ask('numbers', query), { status, body: { code, at, detail } }, JSON.stringify(query));
  }
  t.match(await ask('misnamed', { slice: ':,0', where: { column: 'rain', gt: 0 } }), {
    status: 422,
    body: { code: 'unknown_field', at: 'where' },
  });
  t.match(await ask('weather', { slice: ':,0', where: { column: 'snow', gt: 0 } }), {
    status: 422,
    body: { code: 'unknown_field', at: 'where', fields: ['wind', 'warm', 'rain'] },
  });
});

t.test('texts that are too many, or too long together, are refused', async t => {
  await create(server, { name: 'long', dtype: '|S20000', shape: [ROWS] });
  const texts = Array.from({ length: 300 }, (_, i) => `${i}`);
  t.match(await ask('numbers', { where: { dataset: 'long', in: texts } }), { status: 200 });
  const longest = [...texts, 'x'.repeat(20_000)];
  const where = { or: Array.from({ length: 2 }, (_, i) => ({ dataset: 'long', in: [...longest, `y${i}`] })) };
  t.match(await ask('numbers', { where: where.or[0]! }), { status: 200 });
  t.match(await ask('numbers', { where }), { status: 413, body: { code: 'too_large' } });
  await create(server, { name: 'longer', dtype: '|S70000', shape: [ROWS] });
  t.match(await ask('numbers', { group_by: { dataset: 'longer' } }), { status: 413, body: { code: 'too_large' } });
});
