import { test } from 'tap';
import { numberDType } from '../../src/dtype/index.js';
import { packedView } from '../../src/layout/view.js';
import { LIMITS } from '../../src/limits.js';
import { computeInProcess, parseQuery } from '../../src/statistics/index.js';
import type { OperationResult, QueryInput } from '../../src/statistics/index.js';
import { toBlock, toJson, valuesToJson } from '../../src/answers/json.js';

interface Data {
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly length: number;
}

function results(input: QueryInput, typestr: string, data: Data, shape = [data.length]): readonly OperationResult[] {
  const dtype = numberDType(typestr);
  const file = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const view = packedView(shape, dtype.itemsize, 'C', 0);
  return computeInProcess(parseQuery(input, shape.length), dtype, view, file).results;
}

function json(entry: OperationResult): string {
  return [...valuesToJson(entry)].join('');
}

test('extremes of narrow floats are written with the digits that their dtype needs', async t => {
  const [least, most, range] = results({ ops: ['min', 'max', 'ptp'] }, '<f4', Float32Array.of(0.1, 3.4e38, 16777216));
  t.equal(json(least!), '0.1');
  t.equal(json(most!), '3.4e+38');
  t.equal(json(range!), '3.4e+38');
  t.equal(json(results({ ops: ['max'] }, '<f2', Uint16Array.of(0x2e66))[0]!), '0.1');
  t.equal(json(results({ ops: ['mean'] }, '<f4', Float32Array.of(0.1))[0]!), '0.10000000149011612');
});

test('JSON comes in pieces of a bounded number of values', async t => {
  const count = 2 * LIMITS.jsonElementsPerTurn + 1;
  const entries = results({ ops: ['sum'], axis: [] }, '|u1', new Uint8Array(3 * count).fill(7), [count, 3]);
  const pieces = [...toJson({ axis: [], count: 1, results: entries })];
  t.ok(pieces.length >= 6);
  t.same(JSON.parse(pieces.join('')), { sum: Array.from({ length: count }, () => [7, 7, 7]) });
});

test('integers beyond 2^53 keep all their digits', async t => {
  const [sum, least] = results({ ops: ['sum', 'min'] }, '<i8', BigInt64Array.of(2n ** 62n + 1n, 2n ** 62n + 2n));
  t.equal(json(sum!), '9223372036854775811');
  t.equal(json(least!), '4611686018427387905');
});

test('one operation is an array of the dtype that it has', async t => {
  const cases: readonly [string, string, Data, string, unknown][] = [
    ['sum', '<f4', Float32Array.of(1, 2), '<f8', Float64Array.of(3)],
    ['sum', '|b1', Uint8Array.of(1, 1), '<i8', BigInt64Array.of(2n)],
    ['sum', '<u2', Uint16Array.of(65535, 1), '<u8', BigUint64Array.of(65536n)],
    ['mean', '<i4', Int32Array.of(1, 2), '<f8', Float64Array.of(1.5)],
    ['min', '>u2', Uint16Array.of(0x0300, 0x0001), '<u2', Uint16Array.of(3)],
    ['max', '<f4', Float32Array.of(0.1), '<f4', Float32Array.of(0.1)],
    ['max', '<f2', Uint16Array.of(0x3c00), '<f2', Uint16Array.of(0x3c00)],
    ['max', '<u8', BigUint64Array.of(2n ** 64n - 1n), '<u8', BigUint64Array.of(2n ** 64n - 1n)],
    ['min', '|b1', Uint8Array.of(1, 1), '|b1', Uint8Array.of(1)],
    ['ptp', '|i1', Int8Array.of(-128, 127), '<i8', BigInt64Array.of(255n)],
    ['argmax', '<f8', Float64Array.of(1, 2), '<i8', BigInt64Array.of(1n)],
    ['any', '<f8', Float64Array.of(0, 2), '|b1', Uint8Array.of(1)],
  ];
  for (const [op, typestr, data, expectedTypestr, expected] of cases) {
    const block = toBlock(results({ ops: [op] }, typestr, data)[0]!);
    t.equal(block.dtype.typestr, expectedTypestr, `${op} of ${typestr}`);
    t.same(block.bytes, new Uint8Array((expected as Data).buffer), `${op} of ${typestr}`);
    t.same(block.shape, []);
  }
});

test('an array refuses sums that 64 bits cannot hold', async t => {
  const [sum] = results({ ops: ['sum'] }, '<i8', new BigInt64Array(2).fill(2n ** 62n));
  t.throws(() => toBlock(sum!), { code: 'would_lose' });
});

test('cells of any memory order come back in the order of the kept axes', async t => {
  const dtype = numberDType('|u1');
  const file = Uint8Array.from({ length: 24 }, (_, i) => i);
  const query = parseQuery({ ops: ['sum'], axis: 1 }, 3);
  // m = arange(24).reshape(2, 3, 4, order='F')[::-1]: m.sum(axis=1)
  const view = { shape: [2, 3, 4], strides: [-1, 2, 6], offset: 1 };
  const [sum] = computeInProcess(query, dtype, view, file).results;
  t.equal(json(sum!), '[[9,27,45,63],[6,24,42,60]]');
});
