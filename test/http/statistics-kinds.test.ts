/**
 * Statistics of fields, dates, durations, complex numbers and text through the door: a field is computed as the plain
 * array that it is, whoever reads it; what is printed; what is refused; axes by their names.
 */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { seededRandom } from '../helpers/random.js';
import { temporaryFolder, type Service } from '../helpers/server.js';
import { startServiceHere } from '../helpers/service-here.js';
import { create } from '../system/calls.js';

const ROWS = 40_000;
const NAT = -(2n ** 63n);
const random = seededRandom(31);

/** One field of the items, and a plain array of the same elements. */
interface FieldRow {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  readonly write: (view: DataView, at: number) => void;
}

/** Whole numbers, so that sums are exact in any order. */
const FIELDS: readonly FieldRow[] = [
  { name: 'score', dtype: '>f4', shape: [], bytes: 4, write: (view, at) => view.setFloat32(at, random.below(1000)) },
  {
    name: 'time',
    dtype: '<M8[s]',
    shape: [],
    bytes: 8,
    write: (view, at) => view.setBigInt64(at, random.next() < 0.01 ? NAT : BigInt(random.below(2 ** 31)), true),
  },
  {
    name: 'z',
    dtype: '>c8',
    shape: [],
    bytes: 8,
    write(view, at) {
      view.setFloat32(at, random.next() < 0.01 ? Number.NaN : random.below(9) - 4);
      view.setFloat32(at + 4, random.below(9) - 4);
    },
  },
  {
    name: 'steps',
    dtype: '>m8[ms]',
    shape: [2],
    bytes: 16,
    write(view, at) {
      for (const i of [0, 8]) view.setBigInt64(at + i, random.next() < 0.01 ? NAT : BigInt(random.below(1000) - 500));
    },
  },
  { name: 'tag', dtype: '|S3', shape: [], bytes: 3, write: (view, at) => view.setUint8(at, 97 + random.below(3)) },
];

/** The fields stand at odd places: 3 bytes in front of each. */
const DESCRIPTION = FIELDS.flatMap(({ name, dtype, shape }) => [
  ['', '|V3'],
  shape.length === 0 ? [name, dtype] : [name, dtype, shape],
]);
const ITEM_BYTES = FIELDS.reduce((bytes, field) => bytes + 3 + field.bytes, 0);

function makeFiles(folder: string): void {
  const items = Buffer.alloc(ROWS * ITEM_BYTES, 0xee);
  const view = new DataView(items.buffer, items.byteOffset, items.byteLength);
  let offset = 0;
  for (const { name, bytes, write } of FIELDS) {
    offset += 3;
    const plain = Buffer.alloc(ROWS * bytes);
    for (let row = 0; row < ROWS; row++) {
      const at = row * ITEM_BYTES + offset;
      items.fill(0, at, at + bytes);
      write(view, at);
      items.copy(plain, row * bytes, at, at + bytes);
    }
    fs.writeFileSync(path.join(folder, `${name}.raw`), plain);
    offset += bytes;
  }
  fs.writeFileSync(path.join(folder, 'items.raw'), items);
  fs.writeFileSync(
    path.join(folder, 'keys.raw'),
    Uint8Array.from({ length: ROWS }, (_, i) => (i * 7) % 5),
  );
}

async function register(server: Service): Promise<void> {
  await create(server, { name: 'items', dtype: DESCRIPTION, path: 'items.raw', external: false, shape: [ROWS] });
  await create(server, { name: 'keys', dtype: '|u1', path: 'keys.raw', external: false });
  for (const { name, dtype, shape } of FIELDS) {
    await create(server, { name, dtype, path: `${name}.raw`, external: false, shape: [ROWS, ...shape] });
  }
}

const FILTER = encodeURIComponent('{"dataset":"keys","ge":2}');
const GROUPS = encodeURIComponent('{"dataset":"keys"}');
const OF_TIMES = 'count,min,max,ptp,mean,median';
const QUERIES: Readonly<Record<string, readonly string[]>> = {
  score: [
    'ops=sum,mean,min,max,median,std',
    'ops=first,last,argmax',
    `ops=sum&where=${FILTER}`,
    `ops=mean&group_by=${GROUPS}`,
  ],
  time: [
    `ops=${OF_TIMES}`,
    `ops=${OF_TIMES}&nan=omit&q=0.1,0.9&slice=::-3`,
    'ops=argmin,argmax&nan=omit',
    `ops=${OF_TIMES}&nan=omit&where=${FILTER}`,
    `ops=${OF_TIMES}&nan=omit&group_by=${GROUPS}`,
  ],
  z: [
    'ops=count,sum,mean,any,all,count_nonzero',
    'ops=sum,var,count&nan=omit',
    `ops=sum,std&nan=omit&group_by=${GROUPS}`,
  ],
  steps: [
    `ops=${OF_TIMES},sum&nan=omit&axis=0`,
    `ops=sum,max&axis=1&slice=5:20`,
    `ops=sum&nan=omit&group_by=${GROUPS}`,
  ],
  tag: ['ops=count', `ops=count&where=${FILTER}`, `ops=count&group_by=${GROUPS}`],
};

/** What is asked, of a field and of the plain array, with a suffix of the path. */
const ASKED = [
  ...Object.entries(QUERIES).flatMap(([name, queries]) => queries.map(query => ({ name, query, suffix: '' }))),
  ...['score', 'time', 'steps'].map(name => ({ name, query: 'ops=min&nan=omit', suffix: '.npy' })),
  { name: 'z', query: 'ops=sum&nan=omit', suffix: '.npy' },
];

const WAYS: readonly Readonly<Record<string, string>>[] = [
  { HYPERSLAB_WORKERS: '2' },
  { HYPERSLAB_WORKERS: '5', HYPERSLAB_MAPPING: 'positional', HYPERSLAB_CACHE_BYTES: '0' },
];

t.test('a field is computed as a plain array of its elements, in every way', async t => {
  const dataDir = temporaryFolder();
  t.teardown(() => fs.rmSync(dataDir, { recursive: true }));
  makeFiles(dataDir);
  let expected: readonly string[] | undefined;
  for (const [i, env] of WAYS.entries()) {
    // oxlint-disable no-await-in-loop -- one service after the other, and each of its files is read, then mapped.
    const server = await startServiceHere({ dataDir, env });
    try {
      if (i === 0) await register(server);
      for (let round = 0; round < 3; round++) {
        const ask = async (call: string): Promise<string> => answerOf(await server.fetch(call));
        const plain: string[] = [];
        const fields: string[] = [];
        for (const { name, query, suffix } of ASKED) {
          plain.push(await ask(`/v1/datasets/${name}/statistics${suffix}?${query}`));
          fields.push(await ask(`/v1/datasets/items/statistics${suffix}?${query}&field=${name}`));
        }
        expected ??= plain;
        t.strictSame(plain, expected);
        t.strictSame(fields, expected);
      }
    } finally {
      await server.stop();
    }
    // oxlint-enable no-await-in-loop
  }
  t.ok(
    expected?.every(each => !each.startsWith('4')),
    'all are answered',
  );
  const at = ASKED.findIndex(({ query }) => query.startsWith(`ops=${OF_TIMES}&nan=omit&where`));
  t.match(JSON.parse(expected![at]!), expectedTimes(dataDir));
});

/** Of the rows that FILTER keeps. */
function expectedTimes(folder: string): object {
  const all = new BigInt64Array(new Uint8Array(fs.readFileSync(path.join(folder, 'time.raw'))).buffer);
  const kept = all.filter((count, row) => (row * 7) % 5 >= 2 && count !== NAT).sort();
  const middle = kept.length / 2;
  const pair = [kept[Math.ceil(middle) - 1]!, kept[Math.floor(middle)]!] as const;
  const mean = kept.reduce((sum, count) => sum + count, 0n) / BigInt(kept.length);
  const text = (count: bigint): string => new Date(Number(count) * 1000).toISOString().slice(0, 19);
  const results = {
    count: kept.length,
    min: text(kept[0]!),
    max: text(kept.at(-1)!),
    ptp: Number(kept.at(-1)! - kept[0]!),
    mean: text(mean),
    median: text((pair[0] + pair[1]) / 2n),
  };
  return { count: kept.length, results };
}

/** What does not depend on the dataset's name and on how long it took; or the status. */
async function answerOf(response: Response): Promise<string> {
  if (response.status !== 200) return `${response.status} ${await response.text()}`;
  if (response.headers.get('x-array-dtype')) return Buffer.from(await response.arrayBuffer()).toString('latin1');
  const { axis, count, results, groups } = (await response.json()) as Record<string, unknown>;
  return JSON.stringify({ axis, count, results, groups });
}

t.test('what is answered of small arrays', async t => {
  const dataDir = temporaryFolder();
  fs.writeFileSync(path.join(dataDir, 'days.raw'), BigInt64Array.of(19_000n, NAT, 19_003n, 18_990n));
  fs.writeFileSync(path.join(dataDir, 'waits.raw'), BigInt64Array.of(-3n, -2n, 4n));
  fs.writeFileSync(path.join(dataDir, 'waves.raw'), Float64Array.of(1, 2, 3, -4));
  fs.writeFileSync(path.join(dataDir, 'words.raw'), 'abcdef');
  fs.writeFileSync(path.join(dataDir, 'table.raw'), Float64Array.of(1, 2, 3, 4, 5, 6));
  const server = await startServiceHere({ dataDir });
  t.teardown(async () => {
    await server.stop();
    fs.rmSync(dataDir, { recursive: true });
  });
  await create(server, { name: 'days', dtype: '<M8[D]', path: 'days.raw' });
  await create(server, { name: 'waits', dtype: '<m8[h]', path: 'waits.raw' });
  await create(server, { name: 'waves', dtype: '<c16', path: 'waves.raw' });
  await create(server, { name: 'words', dtype: '|S3', path: 'words.raw' });
  const attrs = { columns: ['rain', 'wind'] };
  await create(server, { name: 'table', dtype: '<f8', path: 'table.raw', shape: [3, 2], dims: ['day', 'what'], attrs });
  const ask = async (call: string, body?: unknown): Promise<Record<string, unknown>> => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    return (await (await server.fetch(call, body === undefined ? {} : init)).json()) as Record<string, unknown>;
  };

  t.match(await ask('/v1/datasets/days/statistics?ops=min,argmin,ptp,count'), {
    count: 4,
    results: { min: 'NaT', argmin: 1, ptp: 'NaT', count: 4 },
  });
  t.match(await ask('/v1/datasets/days/statistics?ops=min,max,ptp,mean,median,argmin&nan=omit'), {
    count: 3,
    results: { min: '2021-12-29', max: '2022-01-11', ptp: 13, mean: '2022-01-05', median: '2022-01-08', argmin: 3 },
  });
  t.match(await ask('/v1/datasets/days/statistics?ops=max&nan=raise'), { code: 'nan_found', status: 422 });
  t.match(await ask('/v1/datasets/waits/statistics?ops=sum,mean,median&q=0.25'), {
    results: { sum: -1, mean: 0, median: -2, quantile: -2 },
  });
  t.match(await ask('/v1/datasets/waves/statistics?ops=sum,mean,prod,var,count_nonzero'), {
    results: { sum: [4, -2], mean: [2, -1], prod: [11, 2], var: 10, count_nonzero: 2 },
  });
  t.match(await ask('/v1/datasets/words/statistics?ops=count'), { count: 2, results: { count: 2 } });

  const array = await server.fetch('/v1/datasets/days/statistics.npy?ops=ptp&nan=omit');
  t.equal(array.headers.get('x-array-dtype'), '<m8[D]');
  const npy = Buffer.from(await array.arrayBuffer());
  t.match(npy.toString('latin1'), /'descr': '<m8\[D\]'/);
  t.equal(npy.readBigInt64LE(npy.length - 8), 13n);
  const raw = await server.fetch('/v1/datasets/waves/statistics.raw?ops=prod');
  t.equal(raw.headers.get('x-array-dtype'), '<c16');
  t.strictSame([...new Float64Array(await raw.arrayBuffer())], [11, 2]);

  for (const [call, op, supported] of [
    ['days/statistics?ops=sum', 'sum', 'count, min, max, ptp, argmin, argmax, median, quantile, mean and unique'],
    ['waves/statistics?ops=min', 'min', 'any, all, count_nonzero, unique, cov and corrcoef'],
    ['words/statistics?ops=count,mean', 'mean', 'count and unique'],
    ['waits/statistics?bins=3', 'histogram', 'quantile, mean, unique and sum'],
  ] as const) {
    const problem = await ask(`/v1/datasets/${call}`); // oxlint-disable-line no-await-in-loop
    t.match(problem, { status: 422, code: 'unsupported_dtype', op }, call);
    t.ok(String(problem['detail']).includes(`${supported}.`), String(problem['detail']));
  }

  const named = { results: { sum: [9, 12] }, axis: [0] };
  t.match(await ask('/v1/datasets/table/statistics?ops=sum&axis=day'), named);
  t.match(await ask('/v1/datasets/table/statistics', { ops: ['sum'], axis: 'day' }), named);
  t.match(await ask('/v1/datasets/table/statistics', { ops: ['sum'], axis: ['day', -1] }), {
    axis: [0, 1],
    results: { sum: 21 },
  });
  t.match(await ask('/v1/datasets/table/statistics?ops=sum&axis=what&slice=newaxis,1'), {
    axis: [1],
    results: { sum: [7] },
  });
  t.match(await ask('/v1/datasets/table/statistics?ops=sum&axis=dya'), {
    status: 422,
    code: 'bad_axis',
    axes: ['day', 'what'],
  });
  t.match(await ask('/v1/datasets/table/statistics?ops=sum&axis=day&slice=0'), { code: 'bad_axis', axes: ['what'] });
  t.match(await ask('/v1/datasets/days/statistics?ops=max&axis=day'), { status: 422, code: 'bad_axis' });

  t.match(await ask('/v1/datasets/table/statistics?ops=sum&field=wind&axis=day'), { results: { sum: 12 } });
  t.match(await ask('/v1/datasets/table/statistics?ops=sum&field=snow'), {
    code: 'unknown_field',
    fields: ['rain', 'wind'],
  });
  t.match(await ask('/v1/datasets/table/statistics?ops=sum&field=rain,wind'), { results: { sum: 21 } });

  const queries = [
    { dataset: 'table', ops: ['sum'], field: 'wind' },
    { dataset: 'days', ops: ['max'], nan: 'omit' },
    { dataset: 'words', ops: ['sum'] },
  ];
  const batch = await server.fetch('/v1/statistics', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ queries }),
  });
  t.match(
    (await batch.text())
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as object),
    [{ results: { sum: 12 } }, { results: { max: '2022-01-11' } }, { error: { code: 'unsupported_dtype' } }],
  );
  const job = await ask('/v1/jobs', { dataset: 'table', ops: ['mean'], field: 'rain', axis: 'day' });
  for (let tries = 0; tries < 100; tries++) {
    const { state, result } = await ask(`/v1/jobs/${String(job['id'])}`); // oxlint-disable-line no-await-in-loop
    if (state === 'done') {
      t.match(result, { results: { mean: 3 } });
      return;
    }
    await new Promise(resolve => setTimeout(resolve, 50)); // oxlint-disable-line no-await-in-loop
  }
  t.fail('the job is not done');
});
