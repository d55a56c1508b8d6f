/**
 * numpy basic indexing as text: `parseSlice` reads the grammar, `normalise` fits it to a shape, and only normalise
 * makes a Selection. Hazard: bounds may have any magnitude; they saturate here, so that no arithmetic loses digits.
 */
import { fail } from './errors.js';
import { LIMITS } from './limits.js';
import { shown } from './shown.js';

interface RangeBounds {
  readonly start?: number;
  readonly stop?: number;
  readonly step?: number;
}

interface IndexPart {
  readonly kind: 'index';
  readonly index: number;
  /** Its first digits, where a double has not so many: for messages. */
  readonly written?: string;
}

/** One part between commas, as written. */
export type SlicePart =
  IndexPart | ({ readonly kind: 'range' } & RangeBounds) | { readonly kind: 'ellipsis' } | { readonly kind: 'newaxis' };

/** What is taken along one axis: bounds are resolved, `start + i * step` is inside the axis for every i < length. */
export type Pick =
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'range'; readonly start: number; readonly length: number; readonly step: number }
  | { readonly kind: 'newaxis' };

/** A slice that fits an array: one index or range for each axis of it, in order, with new axes between. */
export interface Selection {
  readonly picks: readonly Pick[];
  /** Shape of the result. */
  readonly shape: readonly number[];
  /** The first axis along which it would select something if the array were longer: its range starts at the end or behind. */
  readonly outside?: { readonly axis: number; readonly start: number; readonly length: number };
}

const INTEGER = /^-?[0-9]+$/;

/**
 * Parses the text inside numpy's brackets: `100:200, ::2, ..., newaxis, -1`.
 * @throws bad_slice
 */
export function parseSlice(text: string): SlicePart[] {
  if (text.length > LIMITS.sliceTextLengthMax) {
    fail(
      'bad_slice',
      `The slice has ${text.length} characters; at most ${LIMITS.sliceTextLengthMax} are read. Write it without spaces, or in fewer parts.`,
      {
        limit: LIMITS.sliceTextLengthMax,
        asked: text.length,
      },
    );
  }
  if (trimSpaces(text) === '') {
    fail('bad_slice', 'The slice is blank. Leave the parameter out for everything, or write for example 0:10,:.');
  }
  const parts = splitList(text).map(part => parsePart(part, text));
  if (parts.filter(part => part.kind === 'ellipsis').length > 1) refuse('...', text, 'one ellipsis at most');
  return parts;
}

/** The parts between commas, without spaces around them. One comma may follow the last part, as in Python's tuples. */
export function splitList(text: string): string[] {
  const parts = text.split(',').map(trimSpaces);
  if (parts.length > 1 && parts.at(-1) === '') parts.pop();
  return parts;
}

/** One integer of a path or query: digits with an optional minus, nothing else. Undefined where it is none. */
export function integerOf(text: string): number | undefined {
  return INTEGER.test(text) ? saturate(text) : undefined;
}

/**
 * The part that one row is.
 * @throws bad_slice
 */
export function rowPart(row: string): SlicePart {
  if (INTEGER.test(row)) return indexOf(row);
  const remedy = 'A range of rows is …/rows?start=0&stop=3, and any other slice is …/data?slice=0:3.';
  return fail('bad_slice', `Row ${shown(row)} is no integer in ASCII digits, such as 0 or -1. ${remedy}`, {
    part: row.slice(0, 60),
  });
}

/**
 * The part `start:stop:step` from separate parameters, each absent or blank for numpy's default.
 * @throws bad_slice
 */
export function rangePart(start?: string, stop?: string, step?: string): SlicePart {
  const bound = (name: string, text = ''): number | undefined => {
    const digits = trimSpaces(text);
    if (digits === '') return undefined;
    const value = integerOf(digits);
    if (value !== undefined && !(name === 'step' && value === 0)) return value;
    const wanted = `an integer in ASCII digits${name === 'step' ? ' other than zero' : ''}`;
    return fail('bad_slice', `${name} is ${shown(text)}; it takes ${wanted}, or is left out.`, {
      part: text.slice(0, 60),
    });
  };
  return rangeOf(bound('start', start), bound('stop', stop), bound('step', step));
}

/**
 * Fits parts to a shape, by numpy's rules: bounds of a range clip, indices do not, axes that are not mentioned stay
 * whole.
 * @throws index_out_of_bounds, too_many_indices, result_rank
 */
export function normalise(parts: readonly SlicePart[], shape: readonly number[]): Selection {
  const consuming = parts.filter(part => part.kind === 'index' || part.kind === 'range').length;
  if (consuming > shape.length) {
    fail(
      'too_many_indices',
      `The slice indexes ${consuming} axes; the array has ${shape.length}. Leave the others out.`,
      {
        asked: consuming,
        rank: shape.length,
      },
    );
  }
  const picks: Pick[] = [];
  let axis = 0;
  let outside: Selection['outside'];
  const takeWhole = (count: number): void => {
    for (let i = 0; i < count; i++) picks.push({ kind: 'range', start: 0, length: shape[axis++]!, step: 1 });
  };
  for (const part of parts) {
    if (part.kind === 'newaxis') picks.push(part);
    else if (part.kind === 'ellipsis') takeWhole(shape.length - consuming);
    else if (part.kind === 'index') picks.push(resolveIndex(part, shape[axis]!, axis++));
    else {
      const length = shape[axis]!;
      const pick = resolveRange(part, length);
      if (pick.length === 0 && startsOutside(part, length)) outside ??= { axis, start: part.start!, length };
      picks.push(pick);
      axis++;
    }
  }
  takeWhole(shape.length - axis);

  const resultShape: number[] = [];
  for (const pick of picks) {
    if (pick.kind !== 'index') resultShape.push(pick.kind === 'range' ? pick.length : 1);
  }
  if (resultShape.length > LIMITS.rankMax) {
    fail(
      'result_rank',
      `The result would have ${resultShape.length} axes; at most ${LIMITS.rankMax} are possible. Write fewer newaxis.`,
      {
        asked: resultShape.length,
        limit: LIMITS.rankMax,
      },
    );
  }
  return { picks, shape: resultShape, ...(outside && { outside }) };
}

function parsePart(part: string, text: string): SlicePart {
  if (part === '...') return { kind: 'ellipsis' };
  if (part === 'newaxis' || part === 'None') return { kind: 'newaxis' };
  if (INTEGER.test(part)) return indexOf(part);
  const bounds = part.split(':').map(trimSpaces);
  if (bounds.length < 2 || bounds.length > 3) {
    return refuse(part, text, 'integers, start:stop:step, ..., newaxis or None, separated by commas');
  }
  const [start, stop, step] = bounds.map(bound => {
    if (bound === '') return undefined;
    return integerOf(bound) ?? refuse(bound, text, 'integers in ASCII digits');
  });
  if (step === 0) refuse('0', text, 'a step other than zero');
  return rangeOf(start, stop, step);
}

function indexOf(digits: string): SlicePart {
  const index = saturate(digits);
  return { kind: 'index', index, ...(Math.abs(index) === Number.MAX_SAFE_INTEGER && { written: digits.slice(0, 60) }) };
}

function rangeOf(start?: number, stop?: number, step?: number): SlicePart {
  return {
    kind: 'range',
    ...(start !== undefined && { start }),
    ...(stop !== undefined && { stop }),
    ...(step !== undefined && { step }),
  };
}

function resolveIndex(part: IndexPart, length: number, axis: number): Pick {
  const { index } = part;
  const resolved = index < 0 ? index + length : index;
  if (resolved < 0 || resolved >= length) {
    const remedy = length === 0 ? 'It has no elements.' : `Use ${-length} to ${length - 1}.`;
    const asked = part.written ?? index;
    fail('index_out_of_bounds', `Index ${asked} is out of bounds for axis ${axis} with length ${length}. ${remedy}`, {
      index: asked,
      axis,
      length,
    });
  }
  return { kind: 'index', index: resolved };
}

/** Python's slice.indices(). */
function resolveRange(part: RangeBounds, length: number): Pick & { readonly kind: 'range' } {
  const step = part.step ?? 1;
  const lowest = step > 0 ? 0 : -1;
  const highest = step > 0 ? length : length - 1;
  const clip = (bound: number): number => {
    const fromStart = bound < 0 ? bound + length : bound;
    return Math.min(Math.max(fromStart, lowest), highest);
  };
  const start = part.start === undefined ? (step > 0 ? 0 : length - 1) : clip(part.start);
  const stop = part.stop === undefined ? (step > 0 ? length : -1) : clip(part.stop);
  const distance = step > 0 ? stop - start : start - stop;
  if (distance <= 0) return { kind: 'range', start: 0, length: 0, step: 1 };
  const stride = Math.abs(step);
  // Whole steps by remainder: a quotient of two 53-bit integers would be rounded.
  const last = distance - 1 - ((distance - 1) % stride);
  const count = last / stride + 1;
  return { kind: 'range', start, length: count, step: count === 1 ? 1 : step };
}

/** True where an empty range is empty because the start that it names is at the end or behind: `5:6` of 5, not `5:5`. */
function startsOutside({ start, stop, step = 1 }: RangeBounds, length: number): boolean {
  if (start === undefined || start < length) return false;
  return stop === undefined || (step > 0 ? stop < 0 || stop > start : stop >= 0 && stop < start);
}

/** Beyond 2^53 every bound clips alike and every index is out of bounds, so the nearest exact integer stands for it. */
function saturate(digits: string): number {
  const value = Number(digits);
  if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER;
  if (value < -Number.MAX_SAFE_INTEGER) return -Number.MAX_SAFE_INTEGER;
  return value === 0 ? 0 : value;
}

/** Spaces only: other white space is not part of the grammar. In linear time, which a pattern for both ends would not be. */
function trimSpaces(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text[start] === ' ') start++;
  while (end > start && text[end - 1] === ' ') end--;
  return text.slice(start, end);
}

function refuse(part: string, text: string, expected: string): never {
  return fail('bad_slice', `${shown(part)} cannot be read in the slice ${shown(text)}: expected ${expected}.`, {
    part: part.slice(0, 60),
  });
}

export type RangePart = Extract<SlicePart, { kind: 'range' }>;

export const WHOLE: RangePart = { kind: 'range' };
