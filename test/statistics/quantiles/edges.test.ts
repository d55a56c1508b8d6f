/** Medians, quantiles and histograms at the edges: nothing, one element, rank 0, NaN, infinities, all on one edge. */
import t from 'tap';
import { numberDType } from '../../../src/dtype/index.js';
import { HyperslabError } from '../../../src/errors.js';
import { packedView } from '../../../src/layout/view.js';
import {
  chunkAt,
  Computation,
  computeInProcess,
  newEngine,
  parseQuery,
  PLAN_BOUNDS,
  planStatistics,
  scanChunks,
  sourceFrom,
  type TileSource,
} from '../../../src/statistics/index.js';
import { atOnce } from '../../../src/turns.js';
import { seededRandom } from '../../helpers/random.js';
import { toBlock, toJson } from '../../../src/answers/json.js';

type Data = Float64Array<ArrayBuffer> | Float32Array<ArrayBuffer> | Int8Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>;

const engine = newEngine();

const TYPESTRS = { Float64Array: '<f8', Float32Array: '<f4', Int8Array: '|i1', BigInt64Array: '<i8' } as const;

function dtypeOf(data: Data): ReturnType<typeof numberDType> {
  return numberDType(TYPESTRS[data.constructor.name as keyof typeof TYPESTRS]);
}

function compute(ops: readonly unknown[], data: Data, shape: readonly number[] = [data.length], more: object = {}) {
  const dtype = dtypeOf(data);
  const file = new Uint8Array(data.buffer);
  return computeInProcess(
    parseQuery({ ops, ...more }, shape.length),
    dtype,
    packedView(shape, dtype.itemsize, 'C', 0),
    file,
  );
}

/** The results as JSON, or the code of the error. */
function answer(...args: Parameters<typeof compute>): string {
  try {
    return [...toJson(compute(...args))].join('');
  } catch (error) {
    if (error instanceof HyperslabError) return error.code;
    throw error;
  }
}

const Q = { quantile: { q: [0.5, 1] } };
const PICK = { quantile: { q: 0.5, method: 'lower' } };
const { NaN: NAN, POSITIVE_INFINITY: INF } = Number;

const EDGES: readonly (readonly [title: string, expected: string, ...args: Parameters<typeof compute>])[] = [
  [
    'nothing has NaN for a median and quantiles',
    '{"median":"NaN","quantile":["NaN","NaN"]}',
    ['median', Q],
    Float64Array.of(),
  ],
  ['also where an integer would be picked', '{"median":"NaN","quantile":"NaN"}', ['median', PICK], BigInt64Array.of()],
  [
    'cells of nothing have NaN each',
    '{"quantile":[["NaN","NaN"],["NaN","NaN"]]}',
    [Q],
    Float64Array.of(),
    [0, 2],
    { axis: 0 },
  ],
  [
    'no cells have no quantiles',
    '{"median":[],"quantile":[[],[]]}',
    ['median', Q],
    Float64Array.of(),
    [2, 0],
    { axis: 0 },
  ],
  ['a scalar is its own quantile', '{"median":7,"quantile":[7,7]}', ['median', Q], Float64Array.of(7), []],
  ['one element is all of them', '{"median":3,"quantile":3}', ['median', PICK], Int8Array.of(3)],
  ['two integers have a middle', '{"median":-0.5}', ['median'], Int8Array.of(127, -128)],
  ['which does not wrap around', '{"quantile":[-0.5,127]}', [Q], Int8Array.of(127, -128)],
  ['a NaN shows', '{"median":"NaN","quantile":["NaN","NaN"]}', ['median', Q], Float32Array.of(1, NAN, 2)],
  ['only in its cell', '{"median":["NaN",2.5]}', ['median'], Float64Array.of(1, NAN, 2, 3), [2, 2], { axis: 1 }],
  [
    'unless it is left out',
    '{"median":1.5,"quantile":[1.5,2]}',
    ['median', Q],
    Float32Array.of(1, NAN, 2),
    [3],
    { nan: 'omit' },
  ],
  ['nothing but NaN leaves NaN', '{"median":"NaN"}', ['median'], Float32Array.of(NAN, NAN), [2], { nan: 'omit' }],
  ['raise refuses NaN', 'nan_found', ['median'], Float32Array.of(NAN, 1), [2], { nan: 'raise' }],
  ['infinities are elements', '{"median":"Infinity"}', ['median'], Float64Array.of(INF, -INF, INF)],
  [
    'keepdims keeps every axis behind that of q',
    '{"median":[[2]],"quantile":[[[2]],[[3]]]}',
    ['median', Q],
    Float64Array.of(1, 2, 3),
    [1, 3],
    { keepdims: true },
  ],
  [
    'nothing falls into bins over 0 to 1',
    '{"histogram":{"counts":[0,0],"edges":[0,0.5,1]}}',
    [{ histogram: { bins: 2 } }],
    Float64Array.of(),
  ],
  [
    'one value has a bin of width 1 around it',
    '{"histogram":{"counts":[0,3],"edges":[1.5,2,2.5]}}',
    [{ histogram: { bins: 2 } }],
    Float64Array.of(2, 2, 2),
  ],
  [
    'the last bin is closed, and no other',
    '{"histogram":{"counts":[1,2],"edges":[0,1,2]}}',
    [{ histogram: { bins: 2, range: [0, 2] } }],
    Float64Array.of(0, 1, 2, 3),
  ],
  [
    'a bin without width holds its value only at the end',
    '{"histogram":{"counts":[0,1,2],"edges":[1,1,2,2]}}',
    [{ histogram: { edges: [1, 1, 2, 2] } }],
    Float64Array.of(1, 2, 2),
  ],
  [
    'edges may be infinite',
    '{"histogram":{"counts":[1,2],"edges":["-Infinity",0,"Infinity"]}}',
    [{ histogram: { edges: ['-Infinity', 0, 'Infinity'] } }],
    Float64Array.of(-INF, 0, INF),
  ],
  ['data without a finite range needs one', 'bad_operation', ['histogram'], Float64Array.of(1, INF)],
  [
    'a range that the dtype cannot part is refused',
    'bad_operation',
    [{ histogram: { bins: 100, range: [1, 1.000001] } }],
    Float32Array.of(1),
  ],
  [
    'so is one that is wider than it',
    'bad_operation',
    [{ histogram: { bins: 2, range: [-1.7e308, 1.7e308] } }],
    Float64Array.of(1),
  ],
  ['a NaN has no bin', 'nan_found', [{ histogram: { range: [0, 1] } }], Float64Array.of(NAN, 1)],
  ['also where the range is that of the data', 'nan_found', ['histogram'], Float64Array.of(NAN, 1)],
  [
    'left out, it is not counted',
    '{"histogram":{"counts":[1,1],"edges":[0,1,2]}}',
    [{ histogram: { bins: 2 } }],
    Float64Array.of(NAN, 0, 2),
    [3],
    { nan: 'omit' },
  ],
  [
    '0 and -0 are one number',
    '{"histogram":{"counts":[0,2],"edges":[-1,0,1]}}',
    [{ histogram: { bins: 2, range: [-1, 1] } }],
    Float64Array.of(0, -0),
  ],
];

for (const [title, expected, ...args] of EDGES) {
  t.test(title, async t => {
    t.equal(answer(...args), expected);
  });
}

t.test('integers beyond 2^53 are picked with all their digits', async t => {
  const data = BigInt64Array.of(2n ** 62n + 1n, -(2n ** 63n), 2n ** 62n + 3n);
  t.equal(answer([PICK], data), '{"quantile":4611686018427387905}');
  t.same(toBlock(compute([PICK], data).results[0]!).bytes, new Uint8Array(BigInt64Array.of(2n ** 62n + 1n).buffer));
});

t.test('as an array, a histogram is its counts', async t => {
  const block = toBlock(compute([{ histogram: { bins: 2 } }], Float32Array.of(0, 1, 1)).results[0]!);
  t.equal(block.dtype.typestr, '<i8');
  t.same(block.bytes, new Uint8Array(BigInt64Array.of(1n, 2n).buffer));
});

t.test('hundreds of thousands of elements fill every bin that they belong to', async t => {
  const random = seededRandom(1);
  const data = Float32Array.from({ length: 400_000 }, () => Math.round(random.next() * 1000) / 100);
  const values = Array.from(compute([{ histogram: { bins: 20, range: [0, 10] } }], data).results[0]!.values, Number);
  const counts = Array.from({ length: 20 }, () => 0);
  const edges = Array.from({ length: 21 }, (_, i) => Math.fround(i / 2));
  for (const value of data)
    counts[
      Math.min(
        19,
        edges.findLastIndex(edge => edge <= value),
      )
    ]!++;
  t.same(values, counts);
});

t.test('large cells and single ones are searched alike, whatever they hold', async t => {
  const random = seededRandom(2);
  const makers: readonly (() => number)[] = [
    () => random.next(),
    () => -3.5,
    () => random.below(3) - 1,
    () => (random.next() - 0.5) * 10 ** random.below(30),
  ];
  for (const make of makers) {
    for (const data of [Float32Array.from({ length: 50_001 }, make), Float64Array.from({ length: 50_001 }, make)]) {
      const sorted = data.slice().sort();
      const q = [0, 0.25, 0.5, 0.75, 1];
      const { results } = compute(['median', { quantile: { q, method: 'lower' } }], data);
      t.equal(results[0]!.values[0], sorted[25_000]);
      t.same(
        Array.from(results[1]!.values, Number),
        q.map(each => sorted[Math.floor(50_000 * each)]),
      );
    }
  }
});

t.test('a search reads the data as often as its bits ask for', async t => {
  const passes = (typestr: string, length: number, op: unknown = 'median'): number => {
    const dtype = numberDType(typestr);
    return planStatistics(parseQuery({ ops: [op] }, 1), dtype, packedView([length], dtype.itemsize, 'C', 0)).bound
      .passes;
  };
  t.equal(passes('<f4', 250_000_000), 2);
  t.equal(passes('<f4', 250_000_000, { quantile: { q: [0.1, 0.25, 0.5, 0.75, 0.9] } }), 2, 'all quantiles in the same');
  t.equal(passes('<i2', 250_000_000), 1);
  t.equal(passes('<f8', 250_000_000), 3);
  t.equal(passes('<f8', 10_000), 1, 'few elements are gathered');
  t.equal(passes('<f4', 250_000_000, { histogram: { range: [0, 1] } }), 1);
  t.equal(passes('<f4', 250_000_000, 'histogram'), 2);
});

/** A source whose file holds other numbers from a pass on. */
function changingSource(passes: readonly Uint8Array[]): { readonly source: TileSource; readonly next: () => void } {
  let pass = 0;
  const source: TileSource = {
    read: (...args) => sourceFrom(passes[Math.min(pass, passes.length - 1)]!).read(...args),
    kept: () => undefined,
  };
  return { source, next: () => void pass++ };
}

t.test('a file that changes between two passes is told, not answered wrongly', async t => {
  const length = 40_000;
  const [low, high] = [Array.from({ length }, (_, i) => i), Array.from({ length }, (_, i) => i + 2 ** 20)];
  const types: readonly [string, (values: readonly number[]) => Data | Uint32Array<ArrayBuffer>][] = [
    ['<f4', values => Float32Array.from(values)],
    ['<f8', values => Float64Array.from(values)],
    ['<i8', values => BigInt64Array.from(values, value => BigInt(value) * 2n ** 40n)],
    ['<u4', values => Uint32Array.from(values, value => value * 2 ** 11)],
  ];
  for (const [typestr, make] of types) {
    const dtype = numberDType(typestr);
    const files = [low, high].map(values => new Uint8Array(make(values).buffer));
    for (const collectedMax of [0, 2 ** 20]) {
      const bounds = { quantiles: { ...PLAN_BOUNDS.quantiles, soleCellElementsMax: 0, cellBytesMax: 0 } };
      const search = { ...PLAN_BOUNDS.search, collectedMax };
      const view = packedView([length], dtype.itemsize, 'C', 0);
      const query = parseQuery({ ops: [{ quantile: { q: [0.3, 0.7] } }] }, 1);
      const plan = planStatistics(query, dtype, view, { bounds: { ...bounds, search } });
      // Integers are looked for between their extremes: these are read in a pass of their own, and hold.
      const isInteger = dtype.kind !== 'f';
      const { source, next } = changingSource(isInteger ? [files[0]!, files[0]!, files[1]!] : files);
      const computation = new Computation(plan);
      const run = (): void => {
        for (let pass = atOnce(computation.next()); pass; pass = atOnce(computation.next())) {
          for (let number = 0; number < pass.scan.chunkCount; number++) {
            const [partials] = scanChunks(engine, pass.specs, [chunkAt(pass.scan, number)], [source]);
            atOnce(computation.combine(pass, partials!));
          }
          if (pass.scan.chunkCount > 0) next();
        }
      };
      if (isInteger && collectedMax > 0) t.doesNotThrow(run, `${typestr}: found in the first pass`);
      else t.throws(run, { code: 'file_changed' }, `${typestr}, ${collectedMax} collected`);
    }
  }
});

t.test('elements are found in data of any kind, in whichever way they are counted', async t => {
  const random = seededRandom(3);
  const length = 20_000;
  const makers: readonly [string, (i: number) => number][] = [
    ['constant', () => 7],
    ['zeros of both signs', i => (i % 3 === 0 ? -0 : 0)],
    ['mostly NaN', i => (i % 50 === 7 ? i : Number.NaN)],
    ['NaN in stretches', i => (i % 4096 < 3000 ? Number.NaN : i)],
    ['rising', i => i],
    ['one far from all others', i => (i === 17 ? 1e30 : i % 5)],
    ['infinities', i => [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 1][i % 3]!],
    ['large now and then', i => (Math.floor(i / 100) % 64 === 0 ? 1000 + random.next() : random.next())],
  ];
  const q = [0, 0.001, 0.25, 0.5, 0.999, 1];
  const bounds = {
    chunkBytesMax: 1600,
    quantiles: { ...PLAN_BOUNDS.quantiles, soleCellElementsMax: 0, cellBytesMax: 0 },
  };
  for (const [title, make] of makers) {
    for (const data of [
      Float32Array.from({ length }, (_, i) => make(i)),
      Float64Array.from({ length }, (_, i) => make(i)),
    ]) {
      const dtype = dtypeOf(data);
      const query = parseQuery({ ops: [{ quantile: { q, method: 'lower' } }], nan: 'omit' }, 1);
      const view = packedView([length], dtype.itemsize, 'C', 0);
      const { results } = computeInProcess(query, dtype, view, new Uint8Array(data.buffer), bounds);
      const sorted = data.filter(value => !Number.isNaN(value)).sort();
      const expected = q.map(each => sorted[Math.floor((sorted.length - 1) * each)]);
      t.strictSame(Array.from(results[0]!.values, Number), expected, `${title}, ${dtype.typestr}`);
    }
  }
});
