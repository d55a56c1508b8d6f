/** Columns that stand side by side in wide rows: packed together from a mapped file, or read, with the same answers. */
import t from 'tap';
import { numberDType } from '../../../src/dtype/index.js';
import { packedView } from '../../../src/layout/view.js';
import { LIMITS } from '../../../src/limits.js';
import { parseSlice } from '../../../src/selection.js';
import {
  computePlan,
  newEngine,
  planQuery,
  sourceFrom,
  type StatisticsResult,
  type TileSource,
} from '../../../src/statistics/index.js';
import { seededRandom } from '../../helpers/random.js';
import { atOnce } from '../../../src/turns.js';

/** A column compared, a key, a value, and rows of so many bytes. */
interface Layout {
  readonly typestr: string;
  readonly rows: number;
  readonly columns: number;
  readonly at: readonly [number, number, number];
}

const LAYOUTS: Readonly<Record<string, Layout>> = {
  'side by side': { typestr: '<f4', rows: 1000, columns: 20, at: [1, 0, 2] },
  'of 8 bytes': { typestr: '<f8', rows: 1000, columns: 20, at: [3, 4, 9] },
  'of 2 bytes': { typestr: '<i2', rows: 333, columns: 50, at: [30, 2, 1] },
  'the value far away': { typestr: '<f4', rows: 1000, columns: 500, at: [1, 2, 400] },
  'the key far away': { typestr: '<f4', rows: 1000, columns: 500, at: [1, 400, 2] },
  'in another byte order': { typestr: '>f4', rows: 100, columns: 20, at: [1, 0, 2] },
  'of more rows than stand in one stretch': { typestr: '<f4', rows: 15_000, columns: 1024, at: [1, 0, 2] },
};

const engine = newEngine(undefined, 2 * LIMITS.kernelScratchBytes);

for (const [name, layout] of Object.entries(LAYOUTS)) {
  t.test(`columns ${name}: kept in memory or read, answers are those of the rows`, async t => {
    const { file, expected } = makeData(layout);
    for (const source of [sourceFrom(file), keptSource(file)]) {
      for (const grouped of [true, false]) t.strictSame(answerOf(layout, source, grouped), expected(grouped));
    }
  });
}

function datasetOf({ typestr, rows, columns }: Layout) {
  const dtype = numberDType(typestr);
  const shape = [rows, columns];
  return { name: 'wide', dtype, shape, view: packedView(shape, dtype.itemsize, 'C', 0) };
}

/** Small whole numbers: their sums are exact. */
function makeData({ typestr, rows, columns, at }: Layout) {
  const random = seededRandom(rows + columns);
  const { itemsize } = numberDType(typestr);
  const file = new Uint8Array(rows * columns * itemsize);
  const view = new DataView(file.buffer);
  const put = (row: number, column: number, value: number): void => {
    const to = (row * columns + column) * itemsize;
    if (typestr.endsWith('i2')) view.setInt16(to, value, true);
    else if (itemsize === 8) view.setFloat64(to, value, true);
    else view.setFloat32(to, value, typestr.startsWith('<'));
  };
  const sums = new Map<number, number>();
  for (let row = 0; row < rows; row++) {
    const [compared, key, value] = [random.below(10), random.below(5), random.below(100)];
    for (const [i, each] of [compared, key, value].entries()) put(row, at[i]!, each);
    if (compared > 4) sums.set(key, (sums.get(key) ?? 0) + value);
  }
  const byKey = [...sums].sort(([a], [b]) => a - b);
  const total = byKey.reduce((sum, [, own]) => sum + own, 0);
  return { file, expected: (grouped: boolean) => (grouped ? byKey : [[-1, total]]) };
}

/** The file stands in the kernels' memory. */
function keptSource(file: Uint8Array): TileSource {
  const base = LIMITS.kernelScratchBytes;
  engine.bytes.set(file, base);
  return { ...sourceFrom(file), kept: start => base + start };
}

function answerOf(layout: Layout, source: TileSource, grouped: boolean): number[][] {
  const [compared, key, value] = layout.at;
  const where = { column: compared, gt: 4 };
  const query = { ops: ['sum'], where, ...(grouped && { group_by: { column: key } }) };
  const dataset = datasetOf(layout);
  const { plan } = atOnce(planQuery(query, dataset, parseSlice(`:,${value}`), () => dataset));
  const found: StatisticsResult = computePlan(plan, [source], undefined, engine);
  const sums = [...found.results[0]!.values].map(Number);
  return sums.map((sum, i) => [found.grouped ? Number(found.grouped.keys[0]!.values[i]) : -1, sum]);
}
