/**
 * Seeded random cases for whoever has an oracle: an array in a file, a basic-indexing selection of it, a query, and
 * bounds that cut it into many pieces.
 */
import { parseDType, type DType } from '../../src/dtype.js';
import { float16ToFloat32, toFloat16Bits } from '../../src/float16.js';
import { sizeOf, stridesOf, type Order, type View } from '../../src/layout/view.js';
import type { PlanBounds, QueryInput } from '../../src/statistics/index.js';

export type Value = number | bigint;
export type Random = () => number;

/** start, step and length along each axis of the whole array. */
interface Part {
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

export interface Case {
  readonly dtype: DType;
  readonly order: Order;
  readonly wholeShape: readonly number[];
  readonly parts: readonly Part[];
  /** The file, with the array's first byte at `offset`. */
  readonly file: Uint8Array;
  readonly offset: number;
  readonly view: View;
  /** Elements of the selection in C order; booleans as 0 and 1. */
  readonly values: readonly Value[];
  readonly query: QueryInput;
  readonly bounds: PlanBounds;
}

/** mulberry32: small, seeded, good enough to pick cases. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function integerBelow(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[integerBelow(random, from.length)]!;
}

export const TYPESTRS = '|b1 |i1 |u1 <i2 >i2 <u2 >u2 <i4 >i4 <u4 >u4 <i8 >i8 <u8 >u8 <f2 >f2 <f4 >f4 <f8 >f8'.split(
  ' ',
);

const REDUCING = 'count sum prod mean var std min max ptp any all count_nonzero'.split(' ');

export interface CaseOptions {
  readonly shapes?: readonly (readonly number[])[];
  readonly ops?: readonly string[];
  readonly typestrs?: readonly string[];
  /** Shares of float cases with infinities. */
  readonly infinite?: number;
}

export function makeCase(random: Random, options: CaseOptions = {}): Case {
  const dtype = parseDType(pick(random, options.typestrs ?? TYPESTRS));
  const wholeShape = options.shapes ? pick(random, options.shapes) : randomShape(random);
  const order = pick(random, ['C', 'F'] as const);
  const parts = wholeShape.map(length => randomPart(random, length));
  const offset = pick(random, [0, 128, 3]);
  const strides = stridesOf(wholeShape, dtype.itemsize, order);
  const file = new Uint8Array(offset + sizeOf(wholeShape) * dtype.itemsize);
  const make = valueMaker(random, dtype, options.infinite ?? 0.1);
  const view: View = {
    shape: parts.map(part => part.length),
    strides: parts.map((part, axis) => part.step * strides[axis]!),
    offset: parts.reduce((sum, part, axis) => sum + part.start * strides[axis]!, offset),
  };
  const data = new DataView(file.buffer);
  for (let at = offset; at < file.length; at += dtype.itemsize) writeValue(data, at, dtype, make());
  const values = indicesOf(view.shape).map(index =>
    readValue(data, view.offset + index.reduce((sum, i, axis) => sum + i * view.strides[axis]!, 0), dtype),
  );
  return {
    dtype,
    order,
    wholeShape,
    parts,
    file,
    offset,
    view,
    values,
    query: randomQuery(random, wholeShape.length, options.ops ?? REDUCING),
    bounds: {
      chunkSpanBytesMax: 1e9,
      chunkBytesMax: pick(random, options.shapes ? [20_000, 2 ** 23] : [1, 40, 200, 1000, 2 ** 23]),
      tileBytesMax: pick(random, options.shapes ? [3000, 2 ** 20] : [1, 24, 100, 600, 2 ** 20]),
      chunkCellsMax: pick(random, [1, 3, 20, 16_384]),
    },
  };
}

/** All positions of a shape in C order. */
export function indicesOf(shape: readonly number[]): number[][] {
  let indices: number[][] = [[]];
  for (const length of shape) {
    indices = indices.flatMap(index => Array.from({ length }, (_, i) => [...index, i]));
  }
  return indices;
}

function randomShape(random: Random): number[] {
  const rank = integerBelow(random, 6);
  const longest = [0, 300, 20, 8, 5, 4][rank]!;
  return Array.from({ length: rank }, () => (random() < 0.03 ? 0 : 1 + integerBelow(random, longest)));
}

function randomPart(random: Random, length: number): Part {
  if (length === 0 || random() < 0.02) return { start: 0, step: 1, length: 0 };
  if (random() < 0.5) return { start: 0, step: 1, length };
  const step = pick(random, [1, 2, 3, -1, -1, -2]);
  const start = step > 0 ? integerBelow(random, Math.ceil(length / 2)) : length - 1 - integerBelow(random, length / 2);
  const room = step > 0 ? length - start : start + 1;
  return { start, step, length: Math.ceil(room / Math.abs(step)) };
}

function randomQuery(random: Random, rank: number, from: readonly string[]): QueryInput {
  const ops = from.filter(() => random() < 0.5);
  let axis: number[] | number | null = null;
  const kind = random();
  if (kind < 0.4 && rank > 0) axis = integerBelow(random, 2 * rank) - rank;
  else if (kind < 0.7) {
    axis = Array.from({ length: rank }, (_, i) => i).filter(() => random() < 0.5);
    if (random() < 0.5) axis = axis.map(each => each - rank).toReversed();
  }
  if (from === REDUCING && !Array.isArray(axis)) ops.push(...['argmin', 'argmax'].filter(() => random() < 0.4));
  if (ops.length === 0) ops.push(from[0]!);
  if (Array.isArray(axis) && axis.length !== 1 && ops.some(op => op.startsWith('arg'))) axis = null;
  return {
    ops,
    axis,
    keepdims: random() < 0.3,
    ddof: pick(random, [0, 0, 1, 2, 0.5, 5]),
    nan: pick(random, ['propagate', 'propagate', 'omit', 'omit', 'raise']),
  };
}

export function valueMaker(random: Random, dtype: DType, infinite: number): () => Value {
  if (dtype.kind === 'b') {
    const share = random();
    return () => (random() < share ? 1 : 0);
  }
  if (dtype.kind === 'f') return floatMaker(random, dtype, infinite);
  const bits = BigInt(8 * dtype.itemsize);
  const low = dtype.kind === 'i' ? -(1n << (bits - 1n)) : 0n;
  const high = low + (1n << bits) - 1n;
  const spread = random();
  return () => {
    if (spread < 0.3) return clamp(BigInt(integerBelow(random, 7) - 3), low, high);
    if (spread < 0.5) return pick(random, [low, high, high - 1n]);
    return (
      low +
      BigInt.asUintN(
        Number(bits),
        (BigInt(integerBelow(random, 2 ** 32)) << 32n) | BigInt(integerBelow(random, 2 ** 32)),
      )
    );
  };
}

function floatMaker(random: Random, dtype: DType, infinite: number): () => number {
  const nans = random() < 0.5 ? random() * random() : 0;
  const infinities = random() < infinite ? 0.1 : 0;
  const offset = dtype.itemsize > 2 && random() < 0.2 ? 1e6 : 0;
  const rounded = random() < 0.3;
  return () => {
    if (random() < nans) return Number.NaN;
    if (random() < infinities) return pick(random, [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    const value = offset + (random() - 0.5) * 8;
    return rounded ? Math.round(value) : value;
  };
}

function clamp(value: bigint, low: bigint, high: bigint): bigint {
  return value < low ? low : value > high ? high : value;
}

export function writeValue(data: DataView, at: number, dtype: DType, value: Value): void {
  const little = dtype.byteOrder !== '>';
  if (dtype.name === 'float64') data.setFloat64(at, Number(value), little);
  else if (dtype.name === 'float32') data.setFloat32(at, Number(value), little);
  else if (dtype.name === 'float16') data.setUint16(at, toFloat16Bits(Number(value)), little);
  else if (dtype.itemsize === 8) data.setBigUint64(at, BigInt(value), little);
  else if (dtype.itemsize === 4) data.setUint32(at, Number(value), little);
  else if (dtype.itemsize === 2) data.setUint16(at, Number(value), little);
  else data.setUint8(at, Number(value));
}

export function readValue(data: DataView, at: number, dtype: DType): Value {
  const little = dtype.byteOrder !== '>';
  if (dtype.name === 'float64') return data.getFloat64(at, little);
  if (dtype.name === 'float32') return data.getFloat32(at, little);
  if (dtype.name === 'float16') return float16ToFloat32(Uint16Array.of(data.getUint16(at, little)))[0]!;
  const bits = 8 * dtype.itemsize;
  const raw =
    bits === 64
      ? data.getBigUint64(at, little)
      : BigInt(bits === 32 ? data.getUint32(at, little) : bits === 16 ? data.getUint16(at, little) : data.getUint8(at));
  return dtype.kind === 'i' ? BigInt.asIntN(bits, raw) : raw;
}
