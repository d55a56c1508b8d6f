/**
 * Stretches of a block of numbers as JSON, by any thread: what it takes is plain data. The stretches one behind the other
 * are the text of the whole, brackets included.
 */
import { parseDType } from '../dtype/index.js';
import { encodeJsonElements } from './json-encode.js';
import type { JsonDataOptions } from './json-elements.js';

export interface JsonTask extends JsonDataOptions {
  /** A typestr of numbers. */
  readonly dtype: string;
  /** Of the whole; no axis has length zero. */
  readonly shape: readonly number[];
  /** The elements of the stretch, in shared memory. */
  readonly source: Uint8Array;
  /** Elements before them in the whole. */
  readonly first: number;
  /** Of `jsonStretchBytesMax` at least. */
  readonly target: Uint8Array;
}

/** @returns bytes written */
export function encodeJsonStretch({ dtype, shape, int64, source, first, target }: JsonTask): number {
  return encodeJsonElements({ dtype: parseDType(dtype), shape, bytes: source }, first, target, { int64 });
}
