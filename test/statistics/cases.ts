/**
 * Seeded random cases for whoever has an oracle: an array in a file, a basic-indexing selection of it, a query, and
 * bounds that cut it into many pieces.
 */
import { numberDType, type NumberDType } from '../../src/dtype/index.js';
import { sizeOf, stridesOf, type Order, type View } from '../../src/layout/view.js';
import type { PlanBounds, QueryInput } from '../../src/statistics/index.js';
import type { Random } from '../helpers/random.js';
import { bitsOfHalf, halfOf } from './halves.js';

export type Value = number | bigint;

/** start, step and length along each axis of the whole array. */
interface Taken {
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

export interface Case {
  readonly dtype: NumberDType;
  readonly order: Order;
  readonly wholeShape: readonly number[];
  readonly parts: readonly Taken[];
  /** The file, with the array's first byte at `offset`. */
  readonly file: Uint8Array;
  readonly offset: number;
  readonly view: View;
  /** Elements of the selection in C order; booleans as 0 and 1. */
  readonly values: readonly Value[];
  readonly query: QueryInput;
  readonly bounds: Omit<PlanBounds, 'quantiles' | 'search'> & Partial<PlanBounds>;
}

export const TYPESTRS = '|b1 |i1 |u1 <i2 >i2 <u2 >u2 <i4 >i4 <u4 >u4 <i8 >i8 <u8 >u8 <f2 >f2 <f4 >f4 <f8 >f8'.split(
  ' ',
);

/** The methods of numpy.quantile. */
export const QUANTILE_METHODS =
  'inverted_cdf averaged_inverted_cdf closest_observation interpolated_inverted_cdf hazen weibull linear median_unbiased normal_unbiased lower higher midpoint nearest'.split(
    ' ',
  );

/** Operations that reduce cells to one value each, in any number of dimensions. */
export const REDUCING = 'count sum prod mean var std min max ptp any all count_nonzero skew kurtosis'.split(' ');

/** Those of one axis, or of all: what they answer depends on the order of the elements. */
export const POSITIONAL = 'argmin argmax first last'.split(' ');

export interface CaseOptions {
  readonly shapes?: readonly (readonly number[])[];
  readonly ops?: readonly string[];
  readonly typestrs?: readonly string[];
  /** Shares of float cases with infinities. */
  readonly infinite?: number;
}

export function makeCase(random: Random, options: CaseOptions = {}): Case {
  const dtype = numberDType(random.pick(options.typestrs ?? TYPESTRS));
  const wholeShape = options.shapes ? random.pick(options.shapes) : randomShape(random);
  const order = random.pick(['C', 'F'] as const);
  const parts = wholeShape.map(length => randomPart(random, length));
  const offset = random.pick([0, 128, 3]);
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
      chunkBytesMax: random.pick(options.shapes ? [20_000, 2 ** 23] : [1, 40, 200, 1000, 2 ** 23]),
      tileBytesMax: random.pick(options.shapes ? [3000, 2 ** 20] : [1, 24, 100, 600, 2 ** 20]),
      chunkCellsMax: random.pick([1, 3, 20, 16_384]),
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
  const rank = random.below(6);
  const longest = [0, 300, 20, 8, 5, 4][rank]!;
  return Array.from({ length: rank }, () => (random.next() < 0.03 ? 0 : 1 + random.below(longest)));
}

function randomPart(random: Random, length: number): Taken {
  if (length === 0 || random.next() < 0.02) return { start: 0, step: 1, length: 0 };
  if (random.next() < 0.5) return { start: 0, step: 1, length };
  const step = random.pick([1, 2, 3, -1, -1, -2]);
  const start = step > 0 ? random.below(Math.ceil(length / 2)) : length - 1 - random.below(length / 2);
  const room = step > 0 ? length - start : start + 1;
  return { start, step, length: Math.ceil(room / Math.abs(step)) };
}

function randomQuery(random: Random, rank: number, from: readonly string[]): QueryInput {
  const ops = from.filter(() => random.next() < 0.5);
  let axis: number[] | number | null = null;
  const kind = random.next();
  if (kind < 0.4 && rank > 0) axis = random.below(2 * rank) - rank;
  else if (kind < 0.7) {
    axis = Array.from({ length: rank }, (_, i) => i).filter(() => random.next() < 0.5);
    if (random.next() < 0.5) axis = axis.map(each => each - rank).toReversed();
  }
  if (from === REDUCING && !Array.isArray(axis)) ops.push(...POSITIONAL.filter(() => random.next() < 0.4));
  if (ops.length === 0) ops.push(from[0]!);
  if (Array.isArray(axis) && axis.length !== 1 && ops.some(op => POSITIONAL.includes(op))) axis = null;
  return {
    ops,
    axis,
    keepdims: random.next() < 0.3,
    ddof: random.pick([0, 0, 1, 2, 0.5, 5]),
    bias: random.pick([true, false]),
    nan: random.pick(['propagate', 'propagate', 'omit', 'omit', 'raise']),
  };
}

export function valueMaker(random: Random, dtype: NumberDType, infinite: number): () => Value {
  if (dtype.kind === 'b') {
    const share = random.next();
    return () => (random.next() < share ? 1 : 0);
  }
  if (dtype.kind === 'f') return floatMaker(random, dtype, infinite);
  const bits = BigInt(8 * dtype.itemsize);
  const low = dtype.kind === 'i' ? -(1n << (bits - 1n)) : 0n;
  const high = low + (1n << bits) - 1n;
  const spread = random.next();
  return () => {
    if (spread < 0.3) return clamp(BigInt(random.below(7) - 3), low, high);
    if (spread < 0.5) return random.pick([low, high, high - 1n]);
    return low + BigInt.asUintN(Number(bits), (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32)));
  };
}

function floatMaker(random: Random, dtype: NumberDType, infinite: number): () => number {
  const nans = random.next() < 0.5 ? random.next() * random.next() : 0;
  const infinities = random.next() < infinite ? 0.1 : 0;
  const offset = dtype.itemsize > 2 && random.next() < 0.2 ? 1e6 : 0;
  const rounded = random.next() < 0.3;
  return () => {
    if (random.next() < nans) return Number.NaN;
    if (random.next() < infinities) return random.pick([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    const value = offset + (random.next() - 0.5) * 8;
    return rounded ? Math.round(value) : value;
  };
}

function clamp(value: bigint, low: bigint, high: bigint): bigint {
  return value < low ? low : value > high ? high : value;
}

export function writeValue(data: DataView, at: number, dtype: NumberDType, value: Value): void {
  const little = dtype.byteOrder !== '>';
  if (dtype.name === 'float64') data.setFloat64(at, Number(value), little);
  else if (dtype.name === 'float32') data.setFloat32(at, Number(value), little);
  else if (dtype.name === 'float16') data.setUint16(at, bitsOfHalf(Number(value)), little);
  else if (dtype.itemsize === 8) data.setBigUint64(at, BigInt(value), little);
  else if (dtype.itemsize === 4) data.setUint32(at, Number(value), little);
  else if (dtype.itemsize === 2) data.setUint16(at, Number(value), little);
  else data.setUint8(at, Number(value));
}

export function readValue(data: DataView, at: number, dtype: NumberDType): Value {
  const little = dtype.byteOrder !== '>';
  if (dtype.name === 'float64') return data.getFloat64(at, little);
  if (dtype.name === 'float32') return data.getFloat32(at, little);
  if (dtype.name === 'float16') return halfOf(data.getUint16(at, little));
  const bits = 8 * dtype.itemsize;
  const raw =
    bits === 64
      ? data.getBigUint64(at, little)
      : BigInt(bits === 32 ? data.getUint32(at, little) : bits === 16 ? data.getUint16(at, little) : data.getUint8(at));
  return dtype.kind === 'i' ? BigInt.asIntN(bits, raw) : raw;
}
