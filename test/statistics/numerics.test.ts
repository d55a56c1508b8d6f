import { test } from 'tap';
import { numberDType } from '../../src/dtype/index.js';
import { packedView } from '../../src/layout/view.js';
import {
  computeInProcess,
  computePlan,
  parseQuery,
  planStatistics,
  type QueryInput,
} from '../../src/statistics/index.js';
import { scaled } from '../../src/statistics/accumulators/product.js';
import { divideExact, exactInteger } from '../../src/statistics/accumulators/accumulator.js';

type Numbers = Float64Array | Float32Array | BigInt64Array | BigUint64Array;

/** The single cell of one operation, with chunks of 64 KiB. */
function compute(op: string, typestr: string, values: Numbers, more: Partial<QueryInput> = {}): number | bigint {
  const dtype = numberDType(typestr);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const bounds = { chunkBytesMax: 65_536, chunkSpanBytesMax: 1e9, tileBytesMax: 20_000, chunkCellsMax: 16_384 };
  const view = packedView([values.length], dtype.itemsize, 'C', 0);
  return computeInProcess(parseQuery({ ops: [op], ...more }, 1), dtype, view, bytes, bounds).results[0]!.values[0]!;
}

test('a large offset does not drown the variance', async t => {
  const values = Float64Array.from({ length: 100_000 }, (_, i) => 1e9 + (i % 2 === 0 ? 0.5 : -0.5));
  t.equal(compute('mean', '<f8', values), 1e9);
  t.ok(Math.abs(Number(compute('var', '<f8', values)) - 0.25) < 1e-9);
});

test('alternating large values cancel exactly between blocks', async t => {
  const values = new Float64Array(200_000);
  for (let i = 0; i < values.length; i += 1000) values.fill(i % 2000 === 0 ? 1e16 : -1e16, i, i + 1000);
  for (let i = 0; i < values.length; i += 2) values[i] = 1;
  t.ok(Math.abs(Number(compute('sum', '<f8', values)) - 100_000) <= 1e-12 * 1e16 * 10);
});

test('many small terms beside a large one are kept', async t => {
  const values = new Float64Array(1_000_000).fill(1e-3);
  values[0] = 1e13;
  // One after the other, each would be rounded by as much as itself.
  t.ok(Math.abs(Number(compute('sum', '<f8', values)) - (1e13 + 999.999)) < 0.5);
});

test('float32 sums are taken in float64', async t => {
  const values = new Float32Array(2 ** 25).fill(1);
  t.equal(compute('sum', '<f4', values), 2 ** 25);
});

test('infinities and overflow end as in numpy', async t => {
  const inf = Number.POSITIVE_INFINITY;
  t.equal(compute('sum', '<f8', Float64Array.of(1, inf, 2)), inf);
  t.equal(compute('mean', '<f8', Float64Array.of(1, -inf, 2)), -inf);
  t.ok(Number.isNaN(compute('sum', '<f8', Float64Array.of(inf, -inf))));
  t.ok(Number.isNaN(compute('var', '<f8', Float64Array.of(1, inf))));
  t.equal(compute('sum', '<f8', new Float64Array(20_000).fill(1e308)), inf);
  t.equal(compute('var', '<f8', Float64Array.of(1e300, -1e300)), inf);
  t.equal(compute('max', '<f8', new Float64Array(10).fill(-inf)), -inf);
  t.equal(compute('argmin', '<f8', new Float64Array(10).fill(inf)), 0);
  t.equal(compute('argmax', '<f8', Float64Array.of(Number.NaN, -inf, -inf), { nan: 'omit' }), 1);
});

test('products that can be represented are found whatever the order of their factors', async t => {
  const values = Float64Array.from({ length: 1000 }, (_, i) => (i < 500 ? 1e200 : 1e-200));
  t.ok(Math.abs(Number(compute('prod', '<f8', values)) - 1) < 1e-12);
  t.equal(compute('prod', '<f8', new Float64Array(10).fill(-1e200)), Number.POSITIVE_INFINITY);
  t.equal(compute('prod', '<f8', new Float64Array(9).fill(-1e200)), Number.NEGATIVE_INFINITY);
  t.equal(compute('prod', '<f8', new Float64Array(10).fill(1e-200)), 0);
  t.equal(compute('prod', '<f8', Float64Array.of(5e-324, 2 ** 1000, 2 ** 74)), 1);
  t.ok(Number.isNaN(compute('prod', '<f8', Float64Array.of(0, Number.POSITIVE_INFINITY))));
  t.equal(scaled(1.5, -1074), 1e-323, 'ties to even');
  t.equal(scaled(1, 1024), Number.POSITIVE_INFINITY);
});

test('64-bit sums have all digits far beyond 64 bits', async t => {
  const length = 2 ** 24;
  for (const [typestr, word] of [
    ['<i8', -(2n ** 63n)],
    ['<i8', 2n ** 63n - 1n],
    ['<u8', 2n ** 64n - 1n],
  ] as const) {
    // Every element is the same word, given by a fill that repeats it.
    const dtype = numberDType(typestr);
    const tile = new BigUint64Array(131_072).fill(BigInt.asUintN(64, word));
    const query = parseQuery({ ops: ['sum', 'mean', 'min', 'max', 'ptp', 'var'] }, 1);
    const plan = planStatistics(query, dtype, packedView([length], 8, 'C', 0));
    const source = {
      read: (_: unknown, __: number, into: Uint8Array) => into.set(new Uint8Array(tile.buffer, 0, into.byteLength)),
      kept: () => undefined,
    };
    const values = computePlan(plan, [source]).results.map(result => result.values[0]);
    t.same(values, [word * BigInt(length), Number(word), word, word, 0, 0], typestr);
  }
});

test('the mean of integers is rounded once', async t => {
  t.equal(divideExact(2n ** 53n + 1n, 1), 2 ** 53, 'ties to even');
  t.equal(divideExact(2n ** 53n + 3n, 1), 2 ** 53 + 4);
  t.equal(divideExact(-(2n ** 64n) - 1n, 3), Number(-6148914691236517205n));
  t.equal(divideExact(10n ** 30n, 10 ** 15), 1e15);
  t.equal(compute('mean', '<i8', BigInt64Array.of(2n ** 62n + 1n, 2n ** 62n + 2n)), 2 ** 62);
  t.equal(exactInteger(-1, 0, -1), -(2 ** 32) - 1);
});

test('any byte but zero is a true bool', async t => {
  const view = packedView([4], 1, 'C', 0);
  const query = parseQuery({ ops: ['sum', 'max', 'all'] }, 1);
  const result = computeInProcess(query, numberDType('bool'), view, Uint8Array.of(1, 2, 255, 0));
  t.same(
    result.results.map(each => each.values[0]),
    [3, 1, 0],
  );
});

test('a float64 tile leaves nothing behind for the next dtype', async t => {
  t.equal(compute('sum', '<f8', Float64Array.of(5, 6)), 11);
  t.equal(compute('sum', '<f4', Float32Array.of(1, 2)), 3);
});

test('tiles may start at any address', async t => {
  const dtype = numberDType('<i8');
  const bytes = new Uint8Array(BigInt64Array.of(0n, -5n, 2n ** 60n).buffer);
  const shifted = new Uint8Array(25);
  shifted.set(bytes, 1);
  const view = packedView([3], 8, 'C', 1);
  const result = computeInProcess(parseQuery({ ops: ['sum'] }, 1), dtype, view, shifted);
  t.equal(result.results[0]!.values[0], 2n ** 60n - 5n);
});
