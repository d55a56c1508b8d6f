/**
 * Records of one cell, merged: what a chunk found is added to what is known. A cell's records are side by side in arrays
 * of their kind; a record of zeros stands for no element. Merging in the order of the chunks gives the same bits however
 * the chunks were computed.
 */
import { addPairTo, multiplyRun } from '../combine.js';
import type { NativeType } from '../../kernels/native-types.js';
import { add, divide, multiply, negate, sumOf, type DoubleDouble } from './double-double.js';
import type { RecordName } from './records.js';

/** Items of a record where cells are merged. */
export const ITEMS = {
  present: 1,
  nonzero: 1,
  /** Sum and rest. */
  sum: 2,
  /** Limbs of 32 bits, the least significant first, that may have grown beyond them; the last is signed. */
  wide: 3,
  /** Count, shift, sum and rest of distances, sum and rest of squares. */
  moments: 6,
  /** Largest code, largest turned code: two words each, the less significant first. */
  extremes: 4,
  /** Product, exponent, and 1 where there is one. */
  product: 3,
} as const satisfies Record<RecordName, number>;

export type MergedRecord = Float64Array | Uint32Array;

export function newMerged(name: RecordName, cells: number): MergedRecord {
  return name === 'extremes' ? new Uint32Array(ITEMS[name] * cells) : new Float64Array(ITEMS[name] * cells);
}

/** Adds the record of cell `from` of a partial to that of cell `to`. */
export type MergeRecord = (into: MergedRecord, to: number, from: number) => void;

/** Opens the records of a partial for merging. */
export function mergerOf(name: RecordName, type: NativeType, bytes: Uint8Array<ArrayBuffer>): MergeRecord {
  const { buffer } = bytes;
  switch (name) {
    case 'present':
    case 'nonzero': {
      const counts = new Uint32Array(buffer);
      return (into, to, from) => {
        into[to]! += counts[from]!;
      };
    }
    case 'sum': {
      const pairs = new Float64Array(buffer);
      return (into, to, from) => addPair(into as Float64Array, 2 * to, pairs[2 * from]!, pairs[2 * from + 1]!);
    }
    case 'wide': {
      const words = new Uint32Array(buffer);
      const tops = new BigInt64Array(buffer);
      return (into, to, from) => {
        into[3 * to]! += words[4 * from]!;
        into[3 * to + 1]! += words[4 * from + 1]!;
        into[3 * to + 2]! += Number(tops[2 * from + 1]!);
      };
    }
    case 'moments': {
      const records = new Float64Array(buffer);
      const shiftsOf = type === 'i64' ? BigInt64Array : type === 'u64' ? BigUint64Array : undefined;
      const shifts = shiftsOf && new shiftsOf(buffer);
      return (into, to, from) => mergeMoments(into as Float64Array, 6 * to, records, 6 * from, shifts);
    }
    case 'extremes': {
      const words = new Uint32Array(buffer);
      return (into, to, from) => {
        keepLarger(into, 4 * to, words, 4 * from);
        keepLarger(into, 4 * to + 2, words, 4 * from + 2);
      };
    }
    case 'product': {
      const records = new Float64Array(buffer);
      return (into, to, from) => mergeProduct(into as Float64Array, 3 * to, records, 3 * from);
    }
  }
}

const one = { sum: new Float64Array(1), rest: new Float64Array(1) };

function addPair(into: Float64Array, at: number, value: number, valueRest: number): void {
  one.sum[0] = into[at]!;
  one.rest[0] = into[at + 1]!;
  addPairTo(one.sum, one.rest, 0, value, valueRest);
  into[at] = one.sum[0];
  into[at + 1] = one.rest[0];
}

function keepLarger(into: MergedRecord, to: number, words: Uint32Array, from: number): void {
  const [low, high] = [words[from]!, words[from + 1]!];
  const order = high - into[to + 1]! || low - into[to]!;
  if (order <= 0) return;
  into[to] = low;
  into[to + 1] = high;
}

function mergeProduct(into: Float64Array, to: number, records: Float64Array, from: number): void {
  if (records[from + 2] === 0) return;
  if (into[to + 2] === 0) into.set([1, 0, 1], to);
  const [prod, exponent] = [new Float64Array([into[to]!]), new Float64Array([into[to + 1]!])];
  multiplyRun(records, from, from + 1, prod, exponent, 0);
  into[to] = prod[0]!;
  into[to + 1] = exponent[0]! + records[from + 1]!;
}

type Shifts = BigInt64Array | BigUint64Array | undefined;

/** Distances of the second set are taken from the shift of the first: exactly, but for the last bits of 106. */
function mergeMoments(into: Float64Array, to: number, records: Float64Array, from: number, shifts: Shifts): void {
  const count = records[from]!;
  if (count === 0) return;
  if (into[to] === 0) {
    // As bytes: the shift of integers is no double.
    into.set(records.subarray(from, from + 6), to);
    return;
  }
  const moved = shiftBetween(into, to, records, from, shifts);
  let sum: DoubleDouble = { high: records[from + 2]!, low: records[from + 3]! };
  let squares: DoubleDouble = { high: records[from + 4]!, low: records[from + 5]! };
  if (moved.high !== 0) {
    const all = multiply(moved, { high: count, low: 0 });
    const twice = { high: 2 * moved.high, low: 2 * moved.low };
    squares = add(squares, add(multiply(twice, sum), multiply(moved, all)));
    sum = add(sum, all);
  }
  into[to]! += count;
  putSum(into, to + 2, sum);
  putSum(into, to + 4, squares);
}

/** What is not finite makes the rest meaningless, and must not make the sum NaN. */
function putSum(into: Float64Array, at: number, value: DoubleDouble): void {
  const plain = into[at]! + value.high;
  const { high, low } = add({ high: into[at]!, low: into[at + 1]! }, value);
  into[at] = Number.isFinite(high) ? high : plain;
  into[at + 1] = Number.isFinite(high) ? low : 0;
}

/** The second shift minus the first. */
function shiftBetween(
  into: Float64Array,
  to: number,
  records: Float64Array,
  from: number,
  shifts: Shifts,
): DoubleDouble {
  if (!shifts) return sumOf(records[from + 1]!, -into[to + 1]!);
  const own = shifts instanceof BigInt64Array ? new BigInt64Array(into.buffer) : new BigUint64Array(into.buffer);
  const difference = shifts[from + 1]! - own[into.byteOffset / 8 + to + 1]!;
  const high = Number(difference);
  return { high, low: Number(difference - BigInt(high)) };
}

/** The sum of squared distances from the mean: NaN where a value was not finite, infinite where their squares are. */
export function squaresOf(moments: Float64Array, at: number): number {
  const count = moments[at]!;
  const sum = { high: moments[at + 2]!, low: moments[at + 3]! };
  const squares = { high: moments[at + 4]!, low: moments[at + 5]! };
  if (!Number.isFinite(sum.high)) return Number.NaN;
  if (!Number.isFinite(squares.high)) return Number.POSITIVE_INFINITY;
  const { high, low } = add(squares, negate(divide(multiply(sum, sum), count)));
  return Math.max(0, high + low);
}
