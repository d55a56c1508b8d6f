/** Cells in the memory of an implementation, and values of every kind to reduce into them. */
import { CELL_FIELDS, type CellField } from '../../../src/kernels/cell-fields.js';
import { NATIVE_BYTES, NATIVE_TYPES, type NativeType } from '../../../src/kernels/native-types.js';
import { seededRandom, type Random } from '../../helpers/random.js';
import type { Implementation } from './implementations.js';
import { putValues, randomValue } from './values.js';

export const FIELD_BYTES = 24 * 1024;
/** Behind the cells, from the first address of an implementation on. */
export const CELLS_BYTES = CELL_FIELDS.length * FIELD_BYTES;

export interface CellMemory {
  readonly at: number;
  /** Every field of every cell. */
  readonly snapshot: () => Float64Array<ArrayBuffer>;
  readonly number: (field: CellField, cell?: number) => number;
  readonly integer: (field: CellField, cell?: number) => bigint;
}

/** Fresh cells at an address. */
export function newCells({ bytes }: Implementation, at: number, type: NativeType, count = 1): CellMemory {
  const view = new DataView(bytes.buffer);
  const place = (field: CellField, cell: number): number => at + CELL_FIELDS.indexOf(field) * FIELD_BYTES + 8 * cell;
  const [min, max] = startOf(type);
  const starts: Partial<Record<CellField, number | bigint>> = {
    argmin: Infinity,
    argmax: Infinity,
    nanIndex: Infinity,
    min,
    max,
  };
  bytes.fill(0, at, at + CELL_FIELDS.length * FIELD_BYTES);
  for (const [field, start] of Object.entries(starts) as [CellField, number | bigint][]) {
    const values = Array.from({ length: count }, () => start);
    putValues(view, place(field, 0), typeof start === 'bigint' ? 'u64' : 'f64', values);
  }
  return {
    at,
    number: (field, cell = 0) => view.getFloat64(place(field, cell), true),
    integer: (field, cell = 0) => view.getBigInt64(place(field, cell), true),
    snapshot() {
      const copy = new Float64Array(CELL_FIELDS.length * count);
      const into = new Uint8Array(copy.buffer);
      for (const [i, field] of CELL_FIELDS.entries()) {
        const from = place(field, 0);
        into.set(bytes.subarray(from, from + 8 * count), i * 8 * count);
      }
      return copy;
    },
  };
}

/** Twelve digits: kernels add in whatever order is fast. */
const TOLERANCE = 1e-12;

/**
 * Undefined, or what differs: sums of floats and moments by more than the tolerance, everything else at all.
 * @param magnitudes of each cell, the sum of its elements without their signs
 */
export function cellDifference(
  type: NativeType,
  scalar: Float64Array,
  wasm: Float64Array,
  magnitudes: Float64Array,
): string | undefined {
  const count = scalar.length / CELL_FIELDS.length;
  for (const [f, field] of CELL_FIELDS.entries()) {
    for (let cell = 0; cell < count; cell++) {
      const at = f * count + cell;
      // What rounding left out stands in the next field.
      const [a, b] = [scalar, wasm].map(cells => [cells[at]!, finite(cells[at + count] ?? 0)] as const) as [Pair, Pair];
      if (isAlike(type, field, a, b, magnitudes[cell]!)) continue;
      return `${field} of cell ${cell} is ${b[0]} and ${b[1]} instead of ${a[0]} and ${a[1]}`;
    }
  }
  return undefined;
}

/** A field and the next one. */
type Pair = readonly [number, number];

function isAlike(type: NativeType, field: CellField, a: Pair, b: Pair, magnitude: number): boolean {
  const isFloat = type.startsWith('f');
  if (field === 'meanRest' || (isFloat && field === 'sumRest')) return true;
  if (field === 'm2') return isNear(a[0], b[0], TOLERANCE * Math.abs(a[0]) + (magnitude * Number.EPSILON) ** 2);
  if (isFloat && field === 'sum') return isNear(a[0] + a[1], b[0] + b[1], TOLERANCE * magnitude);
  if (field === 'mean') return isNearMean(a[0] + a[1], b[0] + b[1], TOLERANCE * magnitude);
  // Integers are compared by their bits; zeros of floats have whichever sign.
  if (!isFloat) return bitsOf(a[0]) === bitsOf(b[0]);
  return a[0] === b[0] || (Number.isNaN(a[0]) && Number.isNaN(b[0]));
}

const BITS = new DataView(new ArrayBuffer(8));

function bitsOf(value: number): bigint {
  BITS.setFloat64(0, value);
  return BITS.getBigUint64(0);
}

function isNear(a: number, b: number, by: number): boolean {
  return Number.isFinite(a) && Number.isFinite(b) ? Math.abs(a - b) <= by : Object.is(a, b);
}

/** A mean that is not finite means nothing: blocks that are infinite, too, make a NaN of it. */
function isNearMean(a: number, b: number, by: number): boolean {
  return isNear(a, b, by) || (!Number.isFinite(a) && !Number.isFinite(b));
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

function startOf(type: NativeType): [number | bigint, number | bigint] {
  if (type === 'i64') return [2n ** 63n - 1n, -(2n ** 63n)];
  if (type === 'u64') return [2n ** 64n - 1n, 0n];
  return [Infinity, -Infinity];
}

/** SinkTypes of values that stand together: usual ones, an offset, alternating signs, NaN among them, specials, small, large. */
const FLOATS: readonly ((random: Random, type: NativeType) => number)[] = [
  usual,
  random => 1e9 + usual(random),
  random => 1e4 + 1e-3 * usual(random),
  random => (random.next() < 0.5 ? 1e9 : -1e9) + usual(random),
  random => (random.next() < 0.2 ? Number.NaN : usual(random)),
  (random, type) => Number(randomValue(random, type, 10)),
  random => 1e-310 * usual(random),
  random => 1e300 * usual(random),
  () => 0.1,
  () => Number.NaN,
  random => (random.next() < 0.1 ? Infinity : 1),
];
const SPREADS = [3, 200, 2 ** 31];

function usual(random: Random): number {
  return (random.next() - 0.5) * 2;
}

const POOL_LENGTH = 509;
const pools = new Map<NativeType, Pool[]>();

interface Pool {
  readonly bytes: Uint8Array;
  readonly magnitudes: readonly number[];
}

/** The bytes of a prime number of values of each kind. */
function poolsOf(type: NativeType): Pool[] {
  let found = pools.get(type);
  if (!found) {
    const random = seededRandom(1);
    const kinds = type.startsWith('f')
      ? FLOATS.map(kind => () => kind(random, type))
      : SPREADS.map(spread => () => randomValue(random, type, spread));
    found = kinds.map(kind => {
      const bytes = new Uint8Array(POOL_LENGTH * NATIVE_BYTES[type]);
      const values = Array.from({ length: POOL_LENGTH }, kind);
      putValues(new DataView(bytes.buffer), 0, type, values);
      return { bytes, magnitudes: values.map(value => finite(Math.abs(Number(value)))) };
    });
    pools.set(type, found);
  }
  return found;
}

/** Writes values of one kind, `step` bytes apart; answers the sum of those that are finite, without their signs. */
export function putSome(
  bytes: Uint8Array,
  ptr: number,
  step: number,
  type: NativeType,
  length: number,
  random: Random,
): number {
  const { bytes: pool, magnitudes } = random.pick(poolsOf(type));
  let magnitude = 0;
  const itemsize = NATIVE_BYTES[type];
  let from = random.below(POOL_LENGTH) * itemsize;
  for (let i = 0, at = ptr; i < length; i++, at += step) {
    for (let byte = 0; byte < itemsize; byte++) bytes[at + byte] = pool[from + byte]!;
    magnitude += magnitudes[from / itemsize]!;
    from = (from + itemsize) % pool.length;
  }
  return magnitude;
}

/** Every type, with the bytes of an element. */
export const TYPES = NATIVE_TYPES.map((type, number) => ({ type, number, itemsize: NATIVE_BYTES[type] }));

export function anyOf(random: Random): boolean {
  return random.below(2) === 1;
}
