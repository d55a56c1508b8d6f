/** Elements of a column, wherever they stand among those of rows: what formats of columns read them by. */
import { isCodePoint, REPLACEMENT, textLength, type TextDType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { arrangeLoops, copyStrided, type Loop } from '../layout/copy.js';
import { writeUtf8 } from './utf8.js';

/** Where the elements of a column stand: so many along each axis, in C order. */
export interface Places {
  readonly axes: readonly { readonly length: number; readonly stride: number }[];
  readonly offset: number;
}

/** Packed little-endian elements of rows. */
export interface ColumnSource {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Where a column is written. Hazard: nothing checks for room. */
export type ColumnTarget = ColumnSource;

export function columnBytes(bytes: Uint8Array): ColumnSource {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

export function lengthOf({ axes }: Places): number {
  return axes.reduce((size, axis) => size * axis.length, 1);
}

export function eachPlace({ axes, offset }: Places, take: (place: number) => void, depth = 0): void {
  const axis = axes[depth];
  if (!axis) return take(offset);
  const { length, stride } = axis;
  if (depth === axes.length - 1) for (let i = 0, place = offset; i < length; i++, place += stride) take(place);
  else for (let i = 0; i < length; i++) eachPlace({ axes, offset: offset + i * stride }, take, depth + 1);
}

/** Items as they are, side by side. @returns the position behind them */
export function copyItems(
  source: ColumnSource,
  { axes, offset }: Places,
  itemsize: number,
  target: ColumnTarget,
  at: number,
): number {
  const loops: Loop[] = [];
  let bytes = itemsize;
  for (const { length, stride } of axes.toReversed()) {
    loops.unshift({ length, from: stride, to: bytes });
    bytes *= length;
  }
  if (bytes === 0) return at;
  const { loops: arranged, fromStart, toStart } = arrangeLoops(loops, offset, at);
  copyStrided(source.bytes, fromStart, target.bytes, toStart, arranged, itemsize);
  return at + bytes;
}

/** A bit for each item, the first the lowest of its byte. @returns the position behind them */
export function copyBits(
  places: Places,
  isSet: (place: number) => boolean,
  { bytes }: ColumnTarget,
  at: number,
): number {
  const end = at + Math.ceil(lengthOf(places) / 8);
  bytes.fill(0, at, end);
  let i = 0;
  eachPlace(places, place => {
    if (isSet(place)) bytes[at + (i >> 3)]! |= 1 << (i & 7);
    i++;
  });
  return end;
}

/** A text as UTF-8. @returns the position behind it */
export function copyText(
  dtype: TextDType,
  source: ColumnSource,
  place: number,
  target: Uint8Array,
  at: number,
): number {
  const characters = textLength(dtype, source.bytes, place);
  for (let i = 0; i < characters; i++) {
    const point = dtype.kind === 'S' ? source.bytes[place + i]! : source.view.getUint32(place + 4 * i, true);
    at = writeUtf8(isCodePoint(point) ? point : REPLACEMENT, target, at);
  }
  return at;
}

/** @throws would_lose */
export function fittingCount(count: bigint, bits: number, name: string): bigint {
  if (BigInt.asIntN(bits, count) === count) return count;
  return fail(
    'would_lose',
    `A value of ${name} is beyond what the format's ${bits} bits hold. Convert it with dtype=, or ask for format=npy, raw or json.`,
    { dtype: name, value: String(count) },
  );
}
