/**
 * The stupid model of an array: a list of elements, index tuples made by nested loops, Python's slicing done by stepping.
 * It shares no line with src/: no strides, no runs, no clever bounds. Slow on purpose; keep arrays small.
 */

/** What a slice selects: the shape of the result, and for each of its elements, in C order, its tuple in the array. */
export interface Selected {
  readonly shape: readonly number[];
  readonly tuples: readonly (readonly number[])[];
  /** A range along some axis takes nothing, and would take something if the axis went on for ever. */
  readonly isBehind: boolean;
}

export type ModelError = 'too_many_indices' | 'index_out_of_bounds';

/** Every index tuple of a shape, in C order: the last axis moves fastest. */
export function tuplesOf(shape: readonly number[]): number[][] {
  let tuples: number[][] = [[]];
  for (const length of shape) {
    const longer: number[][] = [];
    for (const tuple of tuples) for (let i = 0; i < length; i++) longer.push([...tuple, i]);
    tuples = longer;
  }
  return tuples;
}

/** How many elements stand before a tuple's in an array that is laid out whole: a loop of multiplications. */
export function placeOf(tuple: readonly number[], shape: readonly number[], order: 'C' | 'F'): number {
  const axes = order === 'C' ? [...shape.keys()] : [...shape.keys()].toReversed();
  let place = 0;
  for (const axis of axes) place = place * shape[axis]! + tuple[axis]!;
  return place;
}

/** `a[text]`; undefined is everything. The text is taken to be well formed. */
export function select(text: string | undefined, shape: readonly number[]): Selected | ModelError {
  const parts = (text ?? '...').split(',').map(part => part.trim());
  const used = parts.filter(part => !isNewAxis(part) && part !== '...').length;
  if (used > shape.length) return 'too_many_indices';
  const missing = Array.from({ length: shape.length - used }, () => ':');
  const at = parts.indexOf('...');
  const whole = at < 0 ? [...parts, ...missing] : [...parts.slice(0, at), ...missing, ...parts.slice(at + 1)];

  // For each part the positions along its axis; an integer has one, and adds no axis to the result.
  const positions: number[][] = [];
  const resultShape: number[] = [];
  let isBehind = false;
  let axis = 0;
  for (const part of whole) {
    if (isNewAxis(part)) {
      resultShape.push(1);
      continue;
    }
    const length = shape[axis++]!;
    const taken = part.includes(':') ? steps(part, length) : [position(part, length)];
    if (taken.includes(-1)) return 'index_out_of_bounds';
    positions.push(taken);
    if (part.includes(':') && taken.length === 0 && goesOnBehind(part, length)) isBehind = true;
    if (part.includes(':')) resultShape.push(taken.length);
  }
  const tuples = tuplesOf(positions.map(taken => taken.length)).map(counts =>
    counts.map((count, i) => positions[i]![count]!),
  );
  return { shape: resultShape, tuples, isBehind };
}

function isNewAxis(part: string): boolean {
  return part === 'newaxis' || part === 'None';
}

/** The position that an integer means, or -1. */
function position(text: string, length: number): number {
  for (let i = 0; i < length; i++) {
    if (BigInt(text) === BigInt(i) || BigInt(text) === BigInt(i - length)) return i;
  }
  return -1;
}

/** The positions of start:stop:step, by Python's definition: begin at one end and step while inside. */
function steps(text: string, length: number): number[] {
  const [start, stop, step = 1n] = text.split(':').map(bound => (bound.trim() === '' ? undefined : BigInt(bound)));
  const n = BigInt(length);
  const fromStart = (bound: bigint): bigint => (bound < 0n ? bound + n : bound);
  const taken: number[] = [];
  if (step > 0n) {
    let i = start === undefined ? 0n : fromStart(start);
    const end = stop === undefined ? n : fromStart(stop);
    if (i < 0n) i = 0n;
    for (; i < end && i < n; i += step) taken.push(Number(i));
  } else {
    let i = start === undefined ? n - 1n : fromStart(start);
    const end = stop === undefined ? -1n : fromStart(stop);
    if (i > n - 1n) i = n - 1n;
    for (; i > end && i >= 0n; i += step) taken.push(Number(i));
  }
  return taken;
}

/** Whether a range begins where the axis has ended, and has something in it there. Bounds from the end are far away. */
function goesOnBehind(text: string, length: number): boolean {
  const [start, stop, step = 1n] = text.split(':').map(bound => (bound.trim() === '' ? undefined : BigInt(bound)));
  if (start === undefined || start < BigInt(length)) return false;
  if (step > 0n) return stop === undefined || stop < 0n || stop > start;
  return stop === undefined || (stop >= 0n && stop < start);
}

/**
 * `target[…] = value`: for each element of the target shape, in C order, the tuple in the value that it takes.
 * Undefined where numpy says "could not broadcast".
 */
export function broadcast(valueShape: readonly number[], targetShape: readonly number[]): number[][] | undefined {
  const excess = valueShape.length - targetShape.length;
  if (valueShape.slice(0, Math.max(0, excess)).some(length => length !== 1)) return undefined;
  for (let axis = 0; axis < valueShape.length; axis++) {
    const length = valueShape[axis]!;
    if (axis >= excess && length !== 1 && length !== targetShape[axis - excess]) return undefined;
  }
  return tuplesOf(targetShape).map(tuple =>
    valueShape.map((length, axis) => (length === 1 ? 0 : tuple[axis - excess]!)),
  );
}

// Elements: bytes ⇄ values, one at a time.

export type ModelValue = number | bigint | boolean;

/** The value of one element; `typestr` is numpy's, such as `>f4`. */
export function valueOf(typestr: string, bytes: Uint8Array): ModelValue {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = typestr[0] !== '>';
  switch (typestr.slice(1)) {
    case 'b1':
      return view.getUint8(0) !== 0;
    case 'i1':
      return view.getInt8(0);
    case 'i2':
      return view.getInt16(0, little);
    case 'i4':
      return view.getInt32(0, little);
    case 'i8':
      return view.getBigInt64(0, little);
    case 'u1':
      return view.getUint8(0);
    case 'u2':
      return view.getUint16(0, little);
    case 'u4':
      return view.getUint32(0, little);
    case 'u8':
      return view.getBigUint64(0, little);
    case 'f2':
      return halfOf(view.getUint16(0, little));
    case 'f4':
      return view.getFloat32(0, little);
    case 'f8':
      return view.getFloat64(0, little);
    default:
      throw new Error(`the model knows no ${typestr}`);
  }
}

/** The bytes of one element; floats round to nearest, NaN is the usual one, everything else must fit. */
export function bytesOf(typestr: string, value: ModelValue): Uint8Array {
  // A NaN that was read from bytes may drag its payload along, from one DataView to the next.
  if (Number.isNaN(value)) value = Number.NaN;
  const bytes = new Uint8Array(Number(typestr.slice(2)));
  const view = new DataView(bytes.buffer);
  const little = typestr[0] !== '>';
  switch (typestr.slice(1)) {
    case 'f2':
      view.setUint16(0, nearestHalf(Number(value)), little);
      break;
    case 'f4':
      view.setFloat32(0, Number(value), little);
      break;
    case 'f8':
      view.setFloat64(0, Number(value), little);
      break;
    default: {
      const digits = BigInt.asUintN(8 * bytes.length, BigInt(value));
      for (let i = 0; i < bytes.length; i++) {
        bytes[little ? i : bytes.length - 1 - i] = Number((digits >> BigInt(8 * i)) & 255n);
      }
    }
  }
  return bytes;
}

function halfOf(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Half the distance between each two neighbours is looked at by bisection over all halves: they ascend with their bits. */
function nearestHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  let below = 0;
  for (let step = 1 << 14; step > 0; step >>= 1) {
    if (below + step <= 0x7bff && halfOf(below + step) <= size) below += step;
  }
  const above = below === 0x7bff ? 65536 : halfOf(below + 1);
  const middle = (halfOf(below) + above) / 2;
  const isUp = size > middle || (size === middle && below % 2 === 1);
  return sign | (isUp ? below + 1 : below);
}
