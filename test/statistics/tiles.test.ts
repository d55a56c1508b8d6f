/** Answers have the same bits whether the bytes of a file are read or stand in the kernels' memory already. */
import { test } from 'tap';
import {
  computePlan,
  type Engine,
  newEngine,
  parseQuery,
  planStatistics,
  sourceFrom,
  type TileSource,
} from '../../src/statistics/index.js';
import { caseCount } from '../helpers/cases.js';
import { seededRandom } from '../helpers/random.js';
import { makeCase, type Case, type CaseOptions } from './cases.js';

const MEMORY_BYTES = 128 * 1024 * 1024;
const READING = newEngine();
const KEEPING = newEngine(undefined, MEMORY_BYTES);

/** The same file, most of it in an engine's memory, at an address that is a multiple of nothing. */
function keptIn({ bytes }: Engine, file: Uint8Array, seed: number): TileSource {
  const random = seededRandom(seed);
  const at = MEMORY_BYTES / 2 + 1 + random.below(16);
  bytes.set(file, at);
  return { ...sourceFrom(file), kept: start => (random.next() < 0.9 ? at + start : undefined) };
}

/** The bits of every answer, or why there is none. */
function bitsOf(each: Case, source: TileSource, engine: Engine): string {
  try {
    const query = parseQuery(each.query, each.view.shape.length);
    const plan = planStatistics(query, each.dtype, each.view, { bounds: each.bounds });
    const { count, results } = computePlan(plan, [source], undefined, engine);
    const texts = results.map(({ op, values }) => {
      const bits = values instanceof Float64Array ? new BigUint64Array(values.slice().buffer) : values;
      // NaN come in many bits, which nobody sees.
      return `${op} ${Array.from(bits, (bit, i) => (Number.isNaN(values[i]) ? 'NaN' : bit)).join(' ')}`;
    });
    return `${typeof count === 'number' ? count : count.values.join(' ')}; ${texts.join('; ')}`;
  } catch (error) {
    return String(error);
  }
}

function differences(seeds: number, first: number, options?: CaseOptions): string[] {
  const found: string[] = [];
  for (let seed = first; seed < first + seeds; seed++) {
    const each = makeCase(seededRandom(seed), options);
    const read = bitsOf(each, sourceFrom(each.file), READING);
    const kept = bitsOf(each, keptIn(KEEPING, each.file, seed), KEEPING);
    const described = JSON.stringify({ seed, dtype: each.dtype.typestr, view: each.view, query: each.query });
    if (kept !== read) found.push(`${kept} instead of ${read}: ${described}`);
  }
  return found.slice(0, 5);
}

test('small arrays in many pieces have the same statistics read and kept', async t => {
  t.strictSame(differences(caseCount(200, 1500), 70_000), []);
});

test('and so have arrays with rows that are long enough to be taken where they stand', async t => {
  const shapes = [[9000], [15, 1700], [4, 5000], [5000, 3], [300, 90], [70, 8, 20], [2, 110, 40], [3, 4, 1300]];
  t.strictSame(differences(caseCount(12, 80), 80_000, { shapes }), []);
});

test('rows with gaps between them are summed one by one, wherever they stand', async t => {
  for (const typestr of ['<f4', '<f8']) {
    const each = makeCase(seededRandom(5), { shapes: [[15, 1700]], typestrs: [typestr], infinite: 0 });
    const { itemsize } = each.dtype;
    const view = { shape: [15, 1500], strides: [1700 * itemsize, itemsize], offset: each.offset };
    const bounds = { ...each.bounds, chunkBytesMax: 2 ** 20, tileBytesMax: 2 ** 20 };
    const rows = { ...each, view, bounds, query: { ops: ['sum', 'var', 'prod'], nan: 'omit' } };
    const read = bitsOf(rows, sourceFrom(rows.file), READING);
    for (let seed = 0; seed < 10; seed++) {
      t.equal(bitsOf(rows, keptIn(KEEPING, rows.file, seed), KEEPING), read, `${typestr} ${seed}`);
    }
  }
});

test('a kept file is computed where it stands, and never stored to', async t => {
  const each = makeCase(seededRandom(3), { shapes: [[60, 2000]], ops: ['mean'] });
  for (const typestr of ['<f4', '>f4', '<f2', '>f2', '|b1', '<i8']) {
    const { dtype } = makeCase(seededRandom(1), { typestrs: [typestr] });
    const { view } = each;
    const strides = view.strides.map(stride => (stride / each.dtype.itemsize) * dtype.itemsize);
    const file = Uint8Array.from({ length: 2_000_000 }, (_, i) => (i * 7) % 251);
    const at = MEMORY_BYTES / 2;
    KEEPING.bytes.set(file, at);
    const source: TileSource = { read: () => t.fail('nothing is read'), kept: start => at + start };
    const plan = planStatistics(parseQuery({ ops: ['min', 'max', 'count'] }, 2), dtype, { ...view, strides });
    computePlan(plan, [source], undefined, KEEPING);
    t.ok(Buffer.from(file).equals(KEEPING.bytes.subarray(at, at + file.length)), `${typestr} is as it was`);
  }
});
