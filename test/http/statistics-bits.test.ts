/**
 * The same bits whoever computes: one worker, two or seven, files read or mapped, kernels or their specification, parts
 * taken from the cache or all computed.
 */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { seededRandom } from '../helpers/random.js';
import { temporaryFolder } from '../helpers/server.js';
import { startServiceHere } from '../helpers/service-here.js';
import { create } from '../system/calls.js';

const ROWS = 1500;
const COLUMNS = 1100;
const SIZE = ROWS * COLUMNS;

const random = seededRandom(11);
/** Magnitudes apart, so that another order of additions shows in the last bits. */
const value = (): number => (random.next() - 0.5) * 10 ** (8 * random.next());

const ARRAYS = [
  { name: 'f4', dtype: '<f4', order: 'C', data: Float32Array.from({ length: SIZE }, value) },
  { name: 'f8', dtype: '<f8', order: 'F', data: Float64Array.from({ length: SIZE }, value) },
  {
    name: 'i8',
    dtype: '<i8',
    order: 'C',
    data: BigInt64Array.from({ length: SIZE }, () => BigInt(random.integer(-1e15, 1e15)) * 9000n),
  },
  { name: 'swapped', dtype: '>f4', order: 'C', data: Float32Array.from({ length: SIZE }, () => random.next()) },
  { name: 'half', dtype: '<f2', order: 'C', data: Uint16Array.from({ length: SIZE }, () => random.integer(0, 0x7bff)) },
] as const;

const OPS = 'sum,mean,var,std,min,max,prod,count_nonzero';
const QUERIES = ARRAYS.flatMap(({ name }) =>
  [
    `ops=${OPS}`,
    'ops=argmin,argmax',
    `ops=mean,std,min,max&axis=0`,
    `ops=sum,var&axis=1&slice=17:1400:3`,
    `ops=mean,std&slice=5:1490,3:1000`,
    'ops=sum,std&slice=::-2,::5',
    'ops=median&q=0.1,0.25,0.9',
    'ops=median&axis=1&slice=:40',
    'bins=50&range=-1,1&nan=omit',
  ].map(query => `/v1/datasets/${name}/statistics?${query}`),
);

/** A file is read the first time, and mapped or taken from the cache afterwards, where there is such a thing. */
const WAYS: readonly { readonly env: Readonly<Record<string, string>>; readonly rounds: number }[] = [
  { env: { HYPERSLAB_WORKERS: '2' }, rounds: 3 },
  { env: { HYPERSLAB_WORKERS: '1', HYPERSLAB_CACHE_BYTES: '0' }, rounds: 2 },
  { env: { HYPERSLAB_WORKERS: '7', HYPERSLAB_CACHE_BYTES: '0' }, rounds: 2 },
  { env: { HYPERSLAB_WORKERS: '2', HYPERSLAB_MAPPING: 'positional', HYPERSLAB_CACHE_BYTES: '0' }, rounds: 1 },
];

t.test('every way gives the same bits, the first time and the third', async t => {
  const dataDir = temporaryFolder();
  t.teardown(() => fs.rmSync(dataDir, { recursive: true }));
  for (const { name, data } of ARRAYS) fs.writeFileSync(path.join(dataDir, `${name}.raw`), data);
  let expected: readonly string[] | undefined;
  for (const [i, { env, rounds }] of WAYS.entries()) {
    const server = await startServiceHere({ dataDir, env });
    try {
      if (i === 0) {
        for (const { name, dtype, order } of ARRAYS) {
          const shape = [ROWS, COLUMNS];
          await create(server, { name, dtype, order, shape, path: `${name}.raw`, external: false });
        }
      }
      for (let round = 0; round < rounds; round++) {
        const answers: string[] = [];
        for (const query of QUERIES) {
          const response = await server.fetch(query);
          const { results, count, code } = (await response.json()) as Record<string, unknown>;
          answers.push(`${query} ${JSON.stringify({ status: response.status, code, count, results })}`);
        }
        expected ??= answers;
        const differing = answers.filter((answer, at) => answer !== expected![at]);
        t.strictSame(differing.slice(0, 3), [], `${JSON.stringify(env)}, round ${round + 1}`);
      }
    } finally {
      await server.stop();
    }
  }
  t.strictSame(
    expected?.filter(answer => !answer.includes('"status":200')),
    [],
  );
});
