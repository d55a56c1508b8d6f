import { test } from 'tap';
import { numberDType } from '../../src/dtype/index.js';
import { HyperslabError } from '../../src/errors.js';
import { packedView, sizeOf } from '../../src/layout/view.js';
import { computeInProcess, parseQuery, type QueryInput } from '../../src/statistics/index.js';
import { countToJson, toJson } from '../../src/answers/json.js';

/** The results as JSON, or the code of the error. */
function answer(input: QueryInput, typestr: string, shape: readonly number[], values: readonly number[] = []): string {
  const dtype = numberDType(typestr);
  const file = new Uint8Array(sizeOf(shape) * dtype.itemsize);
  const data = new DataView(file.buffer);
  for (const [i, value] of values.entries()) {
    if (dtype.kind === 'f') data.setFloat64(i * 8, value, true);
    else data.setUint8(i * dtype.itemsize, value);
  }
  try {
    const view = packedView(shape, dtype.itemsize, 'C', 0);
    const result = computeInProcess(parseQuery(input, shape.length), dtype, view, file);
    return `${[...countToJson(result)].join('')} ${[...toJson(result)].join('')}`;
  } catch (error) {
    if (error instanceof HyperslabError) return error.code;
    throw error;
  }
}

const NAN = Number.NaN;
const EMPTY_OK = ['count', 'sum', 'prod', 'mean', 'var', 'std', 'any', 'all', 'count_nonzero'];

const EDGES: readonly (readonly [
  title: string,
  expected: string,
  input: QueryInput,
  typestr: string,
  shape: readonly number[],
  values?: readonly number[],
])[] = [
  [
    'nothing has a sum, a product and a count, and no mean',
    '0 {"count":0,"sum":0,"prod":1,"mean":"NaN","var":"NaN","std":"NaN","any":false,"all":true,"count_nonzero":0}',
    { ops: EMPTY_OK },
    '<f8',
    [0],
  ],
  ['an empty sum of integers is the integer 0', '0 {"sum":0,"mean":"NaN"}', { ops: ['sum', 'mean'] }, '<i8', [3, 0]],
  ['nothing has no minimum', 'empty_selection', { ops: ['min'] }, '<f8', [0]],
  ['nothing has no maximum', 'empty_selection', { ops: ['max'] }, '<i4', [0, 3]],
  ['nothing has no range', 'empty_selection', { ops: ['ptp'] }, '<f8', [0]],
  ['nothing has no argmin', 'empty_selection', { ops: ['argmin'] }, '<f8', [0]],
  ['cells without elements have no minimum', 'empty_selection', { ops: ['min'], axis: 0 }, '<f8', [0, 3]],
  ['no cells have no minimum either, which is no error', '0 {"min":[]}', { ops: ['min'], axis: 1 }, '<f8', [0, 0]],
  ['no cells are an empty list', '3 {"max":[]}', { ops: ['max'], axis: 1 }, '<f8', [0, 3]],
  ['empty lists nest as numpy nests them', '2 {"sum":[[],[]]}', { ops: ['sum'], axis: 2 }, '<f8', [2, 0, 2]],
  ['cells without elements have sums', '0 {"sum":[0,0]}', { ops: ['sum'], axis: 0 }, '<f8', [0, 2]],
  [
    'a scalar is its own statistics',
    '1 {"mean":5,"var":0,"argmax":0}',
    { ops: ['mean', 'var', 'argmax'] },
    '<f8',
    [],
    [5],
  ],
  ['keepdims keeps every axis', '2 {"sum":[[3]]}', { ops: ['sum'], keepdims: true }, '<f8', [1, 2], [1, 2]],
  [
    'no axis means every element by itself',
    '1 {"sum":[1,2],"std":[0,0]}',
    { ops: ['sum', 'std'], axis: [] },
    '<f8',
    [2],
    [1, 2],
  ],
  ['ddof of all there is divides by zero', '2 {"var":"Infinity"}', { ops: ['var'], ddof: 2 }, '<f8', [2], [1, 2]],
  ['and nothing by zero is NaN', '1 {"std":"NaN"}', { ops: ['std'], ddof: 1 }, '<f8', [1], [1]],
  ['ddof beyond that is no negative variance', '2 {"var":"Infinity"}', { ops: ['var'], ddof: 7 }, '<f8', [2], [1, 2]],
  ['omit answers NaN there, as nanvar', '2 {"var":"NaN"}', { ops: ['var'], ddof: 2, nan: 'omit' }, '<f8', [2], [1, 2]],
  ['ddof may be a fraction', '2 {"var":1}', { ops: ['var'], ddof: 1.5 }, '<f8', [2], [1, 2]],
  ['NaN propagates', '2 {"sum":"NaN","max":"NaN","mean":"NaN"}', { ops: ['sum', 'max', 'mean'] }, '<f8', [2], [NAN, 1]],
  [
    'NaN is true and not zero',
    '2 {"any":true,"all":false,"count_nonzero":1}',
    { ops: ['any', 'all', 'count_nonzero'] },
    '<f8',
    [2],
    [NAN, 0],
  ],
  [
    'also beside operations that look for NaN',
    '2 {"count_nonzero":1,"min":"NaN"}',
    { ops: ['count_nonzero', 'min'] },
    '<f8',
    [2],
    [NAN, 0],
  ],
  [
    'the first NaN is the least and the greatest',
    '4 {"argmin":1,"argmax":1}',
    { ops: ['argmin', 'argmax'] },
    '<f8',
    [4],
    [3, NAN, 1, NAN],
  ],
  [
    'omitted NaN do not count',
    '1 {"count":1,"all":false,"sum":0}',
    { ops: ['count', 'all', 'sum'], nan: 'omit' },
    '<f8',
    [2],
    [NAN, 0],
  ],
  [
    'counts nest where they differ',
    '[1,2] {"mean":[1,2.5]}',
    { ops: ['mean'], axis: 1, nan: 'omit' },
    '<f8',
    [2, 2],
    [1, NAN, 2, 3],
  ],
  [
    'nested counts keep their axes',
    '[[1],[2]] {"sum":[[1],[5]]}',
    { ops: ['sum'], axis: 1, nan: 'omit', keepdims: true },
    '<f8',
    [2, 2],
    [1, NAN, 2, 3],
  ],
  [
    'and are one number where they agree',
    '1 {"mean":[1,2]}',
    { ops: ['mean'], axis: 1, nan: 'omit' },
    '<f8',
    [2, 2],
    [1, NAN, NAN, 2],
  ],
  [
    'nothing but NaN leaves a sum of 0',
    '0 {"sum":0,"prod":1,"mean":"NaN","min":"NaN","ptp":"NaN","any":false,"all":true}',
    { ops: ['sum', 'prod', 'mean', 'min', 'ptp', 'any', 'all'], nan: 'omit' },
    '<f8',
    [2],
    [NAN, NAN],
  ],
  ['nothing but NaN has no argmin', 'empty_selection', { ops: ['argmin'], nan: 'omit' }, '<f8', [2], [NAN, NAN]],
  ['raise refuses NaN', 'nan_found', { ops: ['sum'], nan: 'raise' }, '<f8', [2], [1, NAN]],
  ['raise refuses NaN even for a count', 'nan_found', { ops: ['count'], nan: 'raise' }, '<f8', [2], [1, NAN]],
  [
    'raise lets infinities pass',
    '2 {"max":"Infinity"}',
    { ops: ['max'], nan: 'raise' },
    '<f8',
    [2],
    [1, Number.POSITIVE_INFINITY],
  ],
  ['ties go to the first', '4 {"argmin":1,"argmax":0}', { ops: ['argmin', 'argmax'] }, '<f8', [4], [2, 1, 2, 1]],
  [
    'booleans sum as integers and compare as booleans',
    '3 {"sum":2,"min":false,"max":true,"ptp":1,"prod":0,"argmax":1}',
    { ops: ['sum', 'min', 'max', 'ptp', 'prod', 'argmax'] },
    '|b1',
    [3],
    [0, 1, 1],
  ],
  [
    'results of integers go beyond their dtype',
    '2 {"sum":-1,"ptp":255,"min":-128}',
    { ops: ['sum', 'ptp', 'min'] },
    '|i1',
    [2],
    [127, 128],
  ],
];

for (const [title, expected, input, typestr, shape, values] of EDGES) {
  test(title, async t => {
    t.equal(answer(input, typestr, shape, values), expected);
  });
}

test('bias is of the query, or of one operation', async t => {
  const values = [1, 2, 4, 8];
  // scipy.stats.skew and kurtosis, bias=True and bias=False.
  const due = { skew: [0.6568077344996993, 1.1376243669576889], kurtosis: [-1.0989792060491494, 0.7576559546313799] };
  const cases: readonly [QueryInput, skew: 0 | 1, kurtosis: 0 | 1][] = [
    [{ ops: ['skew', 'kurtosis'] }, 0, 0],
    [{ ops: ['skew', 'kurtosis'], bias: false }, 1, 1],
    [{ ops: [{ skew: { bias: false } }, 'kurtosis'] }, 1, 0],
    [{ ops: [{ skew: {} }, { kurtosis: { bias: true } }], bias: false }, 1, 0],
  ];
  for (const [query, skew, kurtosis] of cases) {
    const [, results] = /^4 (.*)$/.exec(answer(query, '<f8', [4], values))!;
    const found = JSON.parse(results!) as { skew: number; kurtosis: number };
    t.ok(Math.abs(found.skew - due.skew[skew]!) < 1e-12, JSON.stringify(query));
    t.ok(Math.abs(found.kurtosis - due.kurtosis[kurtosis]!) < 1e-12, JSON.stringify(query));
  }
  t.equal(answer({ ops: [{ skew: { bias: 'no' } }] }, '<f8', [4], values), 'bad_operation');
  t.equal(answer({ ops: [{ skew: { ddof: 1 } }] }, '<f8', [4], values), 'bad_operation');
});
