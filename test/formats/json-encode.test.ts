import t from 'tap';
import type { Block } from '../../src/block.js';
import { NUMBERS as NUMBER_ROWS, numberDType, type DTypeName } from '../../src/dtype/index.js';
import { encodeJsonData, encodeJsonDataNow, jsonCost, type JsonDataOptions } from '../../src/formats/index.js';
import { sizeOf } from '../../src/layout/view.js';
import { LIMITS } from '../../src/limits.js';
import { swapBytes } from '../../src/native.js';

const NUMBERS: JsonDataOptions = { int64: 'number' };

function blockOf(dtype: string, shape: number[], array: NodeJS.TypedArray): Block {
  return { dtype: numberDType(dtype), shape, bytes: new Uint8Array(array.buffer) };
}
const textOf = (block: Block, options = NUMBERS): string => Buffer.from(encodeJsonDataNow(block, options)).toString();

/** The stupid model: recursion, a string for each element. */
function nest(shape: readonly number[], elements: string[]): string {
  const [length, ...inner] = shape;
  if (length === undefined) return elements[0]!;
  const step = sizeOf(inner);
  const rows = Array.from({ length }, (_, i) => nest(inner, elements.slice(i * step, (i + 1) * step)));
  return `[${rows.join(',')}]`;
}

t.test('blocks of any shape are nested as their shape says', async t => {
  const shapes = [[], [1], [5], [2, 3], [3, 1], [1, 3], [2, 3, 4], [1, 1, 1], [2, 1, 2, 1], Array<number>(64).fill(1)];
  for (const shape of [...shapes, [0], [2, 0], [0, 2], [2, 0, 3], [2, 3, 0], [0, 0], [1, 0, 1e15]]) {
    const values = Int32Array.from({ length: sizeOf(shape) }, (_, i) => i * 1000 - 3);
    t.equal(textOf(blockOf('<i4', shape, values)), nest(shape, [...values].map(String)), `(${shape.join()})`);
  }
});

t.test('elements of every dtype and byte order read back as they are', async t => {
  const samples: Record<DTypeName, [NodeJS.TypedArray, unknown]> = {
    bool: [Uint8Array.of(0, 1), [false, true]],
    int8: [Int8Array.of(-128, 127), [-128, 127]],
    int16: [Int16Array.of(-32768, 32767), [-32768, 32767]],
    int32: [Int32Array.of(-(2 ** 31), 2 ** 31 - 1), [-(2 ** 31), 2 ** 31 - 1]],
    int64: [BigInt64Array.of(-1n, 2n ** 40n), [-1, 2 ** 40]],
    uint8: [Uint8Array.of(0, 255), [0, 255]],
    uint16: [Uint16Array.of(0, 65535), [0, 65535]],
    uint32: [Uint32Array.of(0, 2 ** 32 - 1), [0, 2 ** 32 - 1]],
    uint64: [BigUint64Array.of(0n, 2n ** 53n - 1n), [0, 2 ** 53 - 1]],
    float16: [Uint16Array.of(0x3555, 0xfc00), [0.3333, '-Infinity']],
    float32: [Float32Array.of(0.1, NaN), [0.1, 'NaN']],
    float64: [Float64Array.of(0.1 + 0.2, Infinity), [0.1 + 0.2, 'Infinity']],
  };
  for (const row of NUMBER_ROWS) {
    const [array, expected] = samples[row.name];
    const block = blockOf(row.name, [2], array);
    t.same(JSON.parse(textOf(block)), expected, row.name);
    const swapped = block.bytes.slice();
    swapBytes(swapped, row.itemsize);
    const big = { ...block, dtype: numberDType(`>${row.kind}${row.itemsize}`), bytes: swapped };
    t.same(JSON.parse(textOf(big)), expected, `${row.name} big-endian`);
    const shifted = new Uint8Array(block.bytes.length + 1);
    shifted.set(block.bytes, 1);
    t.same(JSON.parse(textOf({ ...block, bytes: shifted.subarray(1) })), expected, `${row.name} at an odd address`);
  }
});

t.test('64-bit integers have every digit, in quotes when asked', async t => {
  const signed = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, -(2n ** 53n) - 1n, -(2n ** 52n) - 1n, -1n, 0n, 2n ** 32n];
  const unsigned = [2n ** 64n - 1n, 2n ** 63n, 2n ** 53n, 2n ** 53n - 1n, 4294967295n, 0n];
  const blocks: [Block, bigint[]][] = [
    [blockOf('<i8', [signed.length], BigInt64Array.from(signed)), signed],
    [blockOf('<u8', [unsigned.length], BigUint64Array.from(unsigned)), unsigned],
  ];
  for (const [block, values] of blocks) {
    t.equal(textOf(block), `[${values.join(',')}]`);
    t.equal(textOf(block, { int64: 'string' }), `["${values.join('","')}"]`);
  }
  t.equal(textOf(blockOf('<i4', [1], Int32Array.of(7)), { int64: 'string' }), '[7]', 'only 64-bit ones');
});

t.test('bool bytes of a file other than 0 and 1 are true', async t => {
  t.equal(textOf(blockOf('bool', [3], Uint8Array.of(0, 2, 255))), '[false,true,true]');
});

t.test('turns hold a bounded number of elements and join to the whole', async t => {
  const perTurn = LIMITS.jsonElementsPerTurn;
  for (const shape of [[perTurn], [perTurn + 1], [2 * perTurn + 5], [300, 257], [perTurn, 2], [70_000, 1, 1]]) {
    const values = Int16Array.from({ length: sizeOf(shape) }, (_, i) => (i * 7919) % 30011);
    const turns = [...encodeJsonData(blockOf('<i2', shape, values), NUMBERS)];
    t.equal(turns.length, Math.ceil(values.length / perTurn), `(${shape.join()}) in ${turns.length} turns`);
    t.equal(Buffer.concat(turns).toString(), nest(shape, [...values].map(String)));
    for (const turn of turns) t.ok(Buffer.from(turn).toString().match(/\d+/g)!.length <= perTurn);
  }
});

t.test('what a turn yielded is not touched by later ones, nor by another block between', async t => {
  const size = 3 * LIMITS.jsonElementsPerTurn;
  const one = encodeJsonData(blockOf('<u2', [size], new Uint16Array(size).fill(11111)), NUMBERS);
  const two = encodeJsonData(blockOf('<u2', [size], new Uint16Array(size).fill(22222)), NUMBERS);
  const turns: [Uint8Array[], Uint8Array[]] = [[], []];
  for (let i = 0; i < 3; i++) {
    turns[0].push(one.next().value!);
    turns[1].push(two.next().value!);
  }
  t.equal(Buffer.concat(turns[0]).toString(), `[${Array(size).fill(11111).join()}]`);
  t.equal(Buffer.concat(turns[1]).toString(), `[${Array(size).fill(22222).join()}]`);
});

t.test('the longest elements and the most brackets fit a turn', async t => {
  const lowest = new BigInt64Array(LIMITS.jsonElementsPerTurn + 1).fill(-(2n ** 63n));
  const text = textOf(blockOf('<i8', [lowest.length], lowest), { int64: 'string' });
  t.equal(text, `["${[...lowest].join('","')}"]`);
  const deep = [5000, ...Array<number>(63).fill(1)];
  const ones = new Uint8Array(5000).fill(1);
  t.equal(textOf(blockOf('u1', deep, ones)), nest(deep, [...ones].map(String)));
});

t.test('the cost of a shape is its elements and its lists, at once', async t => {
  const costs: [shape: number[], values: number, lists: number][] = [
    [[], 1, 0],
    [[3], 3, 1],
    [[100, 50], 5000, 101],
    [[2, 0, 3], 2, 1],
    [[0, 1e15], 1, 0],
    [[1e18, 0], 1e18, 1],
    [[10, ...Array<number>(63).fill(1)], 10, 1 + 10 * 63],
    [Array<number>(64).fill(1e15), Number.MAX_VALUE, Number.MAX_VALUE],
    [[...Array<number>(63).fill(1e15), 0], Number.MAX_VALUE, Number.MAX_VALUE],
  ];
  for (const [shape, values, lists] of costs) t.same(jsonCost(shape), { values, lists }, `(${shape.join()})`);
  for (const shape of [
    [2, 3, 4],
    [4, 0],
    [1, 1],
  ]) {
    const text = nest(shape, Array<string>(sizeOf(shape)).fill('7'));
    const { values, lists } = jsonCost(shape);
    t.equal(values + lists, text.match(/[7[]/g)!.length, `(${shape.join()})`);
  }
});
