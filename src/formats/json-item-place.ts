/** What readers of items share: the text, the block that grows no more, and the place that refusals name. */
import type { DType } from '../dtype/index.js';
import { fail, HyperslabError, type ErrorCode } from '../errors.js';
import { shown } from '../shown.js';
import type { JsonScanner } from './json-scan.js';

/** All zeros at first: bytes that belong to no field stay so. */
export interface ItemBuffer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export interface ItemContext {
  readonly scanner: JsonScanner;
  readonly buffer: ItemBuffer;
  /** Which element is read, in C order. */
  index: number;
}

/** One field, by the names from the outermost inwards; none where elements are no structures. */
export interface ItemPlace {
  readonly context: ItemContext;
  readonly path: readonly string[];
  readonly dtype: DType;
}

/** Refuses the token that the scanner has read. */
export function refuseItem(place: ItemPlace, code: 'would_lose' | 'bad_value', why: string): never {
  const value = place.context.scanner.shownToken();
  const cannot = code === 'would_lose' ? 'cannot hold' : 'cannot be';
  return failAt(place, code, `${place.dtype.name} ${cannot} ${value}`, why, { value });
}

/** Refuses what comes next, and is not a value at all. */
export function refuseNext(place: ItemPlace, why: string): never {
  const { scanner } = place.context;
  if (scanner.peek() === -1) scanner.refuseFor(scanner.at, 'a value');
  scanner.start = scanner.at++;
  return refuseItem(place, 'bad_value', why);
}

/** `what` is wrong: a clause, to which the place is added. */
export function failAt(
  { context, path, dtype }: ItemPlace,
  code: ErrorCode,
  what: string,
  why: string,
  values: Readonly<Record<string, unknown>> = {},
): never {
  return fail(code, `${what}, element ${context.index}${inField(path)}: ${why}.`, {
    position: context.scanner.start,
    index: context.index,
    ...(path.length > 0 && { field: path.join('.') }),
    dtype: dtype.typestr,
    ...values,
  });
}

/** The same fault with its place. */
export function withPlace({ context, path }: ItemPlace, error: unknown): unknown {
  if (!(error instanceof HyperslabError)) return error;
  const inside = path.length > 0 ? { inside: path.join('.') } : {};
  return new HyperslabError(error.code, `Element ${context.index}${inField(path)}: ${error.message}`, {
    ...error.values,
    ...inside,
    position: context.scanner.start,
    index: context.index,
  });
}

function inField(path: readonly string[]): string {
  return path.length > 0 ? `, field ${shown(path.join('.'))}` : '';
}
