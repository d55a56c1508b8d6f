/**
 * Texts that rows are compared with. A column of texts is, to kernels, a column of places: 2 i + 1 where a text equals the
 * i-th of them, in ascending order, and 2 i where it lies just below that one. So every comparison is one of integers, and
 * so are keys of groups. Texts compare by code point, zeros at the end are no part of them, as in numpy.
 */
import { fail } from '../errors.js';
import { isCodePoint, REPLACEMENT, type TextDType } from '../dtype/index.js';
import { LIMITS } from '../limits.js';
import { isTurnOver } from '../turns.js';
import type { Place } from './places.js';

/** A text whose order is that of its code points: four latin-1 characters for each of them, the most significant first. */
export type TextKey = string;

/** Ascending texts as kernels compare with them, in shared memory. */
export interface SealedTexts {
  /** No two of a process have the same. */
  readonly id: number;
  readonly count: number;
  /** Units of each: bytes of `S`, code points of this machine's order of `U`; the last is 1 where more would follow. */
  readonly units: number;
  readonly bytes: Uint8Array;
}

/** Texts that a column is compared with, and where each of them stands among its values, by its position. */
export interface PlacedTexts {
  readonly texts: SealedTexts;
  readonly placeOf: (position: number) => Place;
}

export function keyOfText(text: string): TextKey {
  let key = '';
  for (const character of text.replace(/\0+$/, '')) key += keyOfPoint(character.codePointAt(0)!);
  return key;
}

/** The key of an item that was read, as latin-1 without its zeros at the end. */
export function keyOfItem({ kind, byteOrder }: TextDType, item: string): TextKey {
  if (kind === 'S') return item.replaceAll(/[\s\S]/g, '\0\0\0$&');
  if (byteOrder === '>') return item.padEnd(4 * Math.ceil(item.length / 4), '\0');
  let key = '';
  for (let i = 0; i < item.length; i += 4) {
    key += item
      .slice(i, i + 4)
      .padEnd(4, '\0')
      .split('')
      .toReversed()
      .join('');
  }
  return key;
}

/** Code points that are no valid Unicode come as U+FFFD. */
export function textOfKey(key: TextKey): string {
  let text = '';
  for (let at = 0; at < key.length; at += 4) {
    const point = pointAt(key, at);
    text += String.fromCodePoint(isCodePoint(point) ? point : REPLACEMENT);
  }
  return text;
}

function keyOfPoint(point: number): string {
  return String.fromCharCode(0, point >> 16, (point >> 8) & 0xff, point & 0xff);
}

function pointAt(key: TextKey, at: number): number {
  const wide = (key.charCodeAt(at) << 24) | (key.charCodeAt(at + 1) << 16);
  return (wide | (key.charCodeAt(at + 2) << 8) | key.charCodeAt(at + 3)) >>> 0;
}

let sealed = 0;

/**
 * Texts, ascending and all different, for columns of a dtype. Those that no item can hold lie between the items.
 * @throws too_large
 */
export function* sealTexts(dtype: TextDType, keys: readonly TextKey[]): Generator<void, PlacedTexts> {
  const unitBytes = dtype.kind === 'S' ? 1 : 4;
  let longest = 0;
  for (const [i, key] of keys.entries()) {
    longest = Math.max(longest, isWithin(dtype, key) ? key.length / 4 : dtype.length);
    if (isTurnOver(i)) yield;
  }
  const units = Math.min(longest, dtype.length) + 1;
  checkTexts(keys.length, keys.length * units * unitBytes);
  const bytes = new Uint8Array(new SharedArrayBuffer(keys.length * units * unitBytes));
  const into = unitBytes === 1 ? bytes : new Uint32Array(bytes.buffer);
  const isCut = new Uint8Array(keys.length);
  for (const [i, key] of keys.entries()) {
    isCut[i] = putUnits(dtype, key, into, i * units, units - 1) ? 1 : 0;
    if (isTurnOver(i)) yield;
  }
  return {
    texts: { id: ++sealed, count: keys.length, units, bytes },
    placeOf(position) {
      const below = 2n * BigInt(position);
      // One that was cut equals nothing: what lies below it ends before the next.
      return isCut[position] ? { floor: below, ceil: below + 2n } : { floor: below + 1n, ceil: below + 1n };
    },
  };
}

/** Whether an item has room for the characters of a text, however many they are. */
function isWithin({ kind }: TextDType, key: TextKey): boolean {
  if (kind === 'U') return true;
  for (let at = 0; at < key.length; at += 4) if (pointAt(key, at) > 0xff) return false;
  return true;
}

/** True where the item ends before the text does, or below one of its characters: it is followed by more, then. */
function putUnits(
  { kind, length }: TextDType,
  key: TextKey,
  into: Uint8Array | Uint32Array,
  at: number,
  units: number,
): boolean {
  const most = kind === 'S' ? 0xff : 0xffff_ffff;
  const points = Math.min(key.length / 4, length);
  let isCut = key.length / 4 > length;
  for (let i = 0; i < points; i++) {
    const point = pointAt(key, 4 * i);
    if (point <= most) into[at + i] = point;
    else {
      into.fill(most, at + i, at + units);
      isCut = true;
      break;
    }
  }
  if (isCut) into[at + units] = 1;
  return isCut;
}

/** @throws too_large */
export function checkTexts(count: number, bytes: number): void {
  if (count <= LIMITS.textsMax && bytes <= LIMITS.textBytesMax) return;
  const [limit, asked, unit] =
    count > LIMITS.textsMax
      ? [LIMITS.textsMax, count, 'different texts']
      : [LIMITS.textBytesMax, bytes, 'bytes of texts'];
  fail(
    'too_large',
    `The query tells rows apart by ${asked} ${unit}; at most ${limit} are possible. Narrow them with where, or use numbers as keys.`,
    { limit, asked },
  );
}
