/**
 * Headers of .npy files whose array can grow: the number that changes stands in a field of spaces and digits of its own,
 * inside one aligned line of 64 bytes, so that one write of the line exchanges it, and who opens the file sees the old
 * number or the new one. To numpy spaces inside the dictionary mean nothing. Example, of 128 bytes:
 *
 *     {'descr': '<f4', 'fortran_order': False, 'shape': (                       100, 4), }
 */
import { descriptionOf, hasHeader } from '../dtype/index.js';
import {
  descrText,
  failNoHeader,
  GROWTH_AXIS_DIGITS,
  headerOf,
  isLatinText,
  npyHeader,
  PREFIX_BYTES,
  totalOf,
  type NpyLayout,
} from './npy.js';

/** Bytes that disks and page caches write as one. */
export const LINE_BYTES = 64;

export interface GrowableHeader {
  readonly bytes: Uint8Array;
  /** Where the line with the number begins. */
  readonly line: number;
}

/** The axis along which an array of an order grows: the one whose elements lie furthest apart. */
export function growingAxis({ shape, order }: Pick<NpyLayout, 'shape' | 'order'>): number {
  return order === 'F' ? shape.length - 1 : 0;
}

/**
 * A header with room for the number, as short as it can be, or of exactly `total` bytes; undefined where that is too short.
 * Arrays of rank 0 never grow: theirs is numpy's own.
 * @throws no_npy_header
 */
export function growableHeader(layout: NpyLayout, total?: number): GrowableHeader | undefined {
  if (!hasHeader(layout.dtype)) failNoHeader(layout.dtype);
  if (layout.shape.length === 0) {
    const bytes = npyHeader(layout);
    return total === undefined || bytes.byteLength === total ? { bytes, line: 0 } : undefined;
  }
  // As numpy orders them, and, where that leaves no room for a whole line, the shape first.
  return laidOut(layout, total, false) ?? laidOut(layout, total, true);
}

function laidOut(layout: NpyLayout, total: number | undefined, isShapeFirst: boolean): GrowableHeader | undefined {
  const { dtype, shape } = layout;
  const axis = growingAxis(layout);
  const isFortran = layout.order === 'F' && shape.length > 1;
  const rest = `'descr': ${descrText(descriptionOf(dtype))}, 'fortran_order': ${isFortran ? 'True' : 'False'}, `;
  const lengths = shape.map(String);
  const before = lengths.slice(0, axis).map(length => `${length}, `);
  const after = lengths.slice(axis + 1).map(length => `, ${length}`);
  const start = `{${isShapeFirst ? '' : rest}'shape': (${before.join('')}`;
  const end = `${shape.length === 1 ? ',' : after.join('')}), ${isShapeFirst ? rest : ''}}`;
  const isLatin = isLatinText(rest);
  const bytesOf = (text: string): number => Buffer.byteLength(text, isLatin ? 'latin1' : 'utf8');
  for (const prefixBytes of isLatin ? [10, PREFIX_BYTES] : [PREFIX_BYTES]) {
    const at = prefixBytes + bytesOf(start);
    const room = LINE_BYTES - (at % LINE_BYTES);
    const field = room >= GROWTH_AXIS_DIGITS ? at : at + room;
    const length = field + GROWTH_AXIS_DIGITS + bytesOf(end);
    const all = total ?? totalOf(length + 1);
    // The lengths of short headers have two bytes.
    if (length + 1 > all) return undefined;
    if (prefixBytes < PREFIX_BYTES && all - prefixBytes > 0xffff) continue;
    const text = start + lengths[axis]!.padStart(field - at + GROWTH_AXIS_DIGITS) + end;
    const bytes = headerOf(Buffer.from(text, isLatin ? 'latin1' : 'utf8'), prefixBytes, all, isLatin);
    return { bytes, line: field - (field % LINE_BYTES) };
  }
  return undefined;
}
