/**
 * A block as nested JSON lists, in turns short enough for an event loop. Digits go straight into one scratch buffer that
 * every turn of this thread shares; what is yielded is a copy. Hazard: brackets can outnumber elements by far (a shape
 * of many ones, or of zeros); `jsonCost` counts them before anything is written.
 */
import type { Block } from '../block.js';
import { isNumber, type DType } from '../dtype/index.js';
import { invariant } from '../errors.js';
import { sizeOf } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import {
  ELEMENT_BYTES_MAX,
  elementWriter,
  emptyLists,
  itemsPerTurn,
  type ElementRuns,
  type JsonDataOptions,
} from './json-elements.js';
import { ROW_END } from './float-texts.js';
import type { LongItem, TextPieces } from './json-pieces.js';
import { jsonItemSize } from './json-size.js';

export type { JsonDataOptions } from './json-elements.js';

const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** Room for the brackets before the first row, or between two rows, of any rank. */
const BRACKETS_MAX = 2 * LIMITS.rankMax + 1;
/** Most turns use under half of it: about 20 bytes an element. Elements that may be longer than a share of it come in pieces. */
const SCRATCH_BYTES = (LIMITS.jsonElementsPerTurn + 1) * ELEMENT_BYTES_MAX + 2 * BRACKETS_MAX;

let scratch: Uint8Array | undefined;

/** What the nested lists of a shape are made of. */
export interface JsonCost {
  /** Elements; where an axis has length zero, the empty lists that stand for them. */
  readonly values: number;
  /** Other lists: pairs of brackets around values and around each other. */
  readonly lists: number;
}

/**
 * Counted at once for any shape; not exact beyond 2^53, and never over Number.MAX_VALUE. Shape [100, 50] is 5,000 values
 * in 101 lists, [2, 0, 3] two empty lists in one.
 */
export function jsonCost(shape: readonly number[]): JsonCost {
  let lists = 0;
  let values = 1;
  for (const length of shape) {
    if (length === 0) break;
    lists = saturate(lists + values);
    values = saturate(values * length);
  }
  return { values, lists };
}

/**
 * Yields the text in turns of at most LIMITS.jsonElementsPerTurn elements, fewer where these are long. Rank 0 is a bare
 * value; an axis of length zero ends in empty lists, as `tolist()` of numpy: shape [2, 0, 3] is [[],[]].
 * @throws unsupported_dtype
 */
export function* encodeJsonData(block: Block, options: JsonDataOptions): Generator<Uint8Array, void> {
  const empty = block.shape.indexOf(0);
  const shape = empty < 0 ? block.shape : block.shape.slice(0, empty);
  const writer = empty < 0 ? elementWriter(block, options) : emptyLists;
  if ('long' in writer) yield* longElements(shape, writer.long, block.dtype.itemsize);
  else yield* elementTurns(shape, writer);
}

function* elementTurns(shape: readonly number[], runs: ElementRuns): Generator<Uint8Array, void> {
  const size = sizeOf(shape);
  let element = 0;
  do {
    const target = (scratch ??= new Uint8Array(SCRATCH_BYTES));
    const written = writeElements(runs, { shape, first: 0 }, element, Math.min(element + runs.perTurn, size), target);
    yield target.slice(0, written.bytes);
    element = written.stop;
  } while (element < size);
}

/**
 * Writes elements with the brackets before, between and behind them, and a comma at the end where more follow.
 * @param first how many elements of the whole come before those that `runs` writes
 * @returns the bytes, and the first element for which the target has no room
 */
function writeElements(
  { write, bytesMax, endsRows = false }: ElementRuns,
  { shape, first }: { readonly shape: readonly number[]; readonly first: number },
  start: number,
  end: number,
  target: Uint8Array,
): { readonly bytes: number; readonly stop: number } {
  const spans = spansOf(shape);
  const size = sizeOf(shape);
  let at = start === 0 ? fill(OPEN, shape.length, target, 0) : 0;
  let element = start;
  while (element < end) {
    const room = Math.floor((target.byteLength - BRACKETS_MAX - at) / bytesMax);
    if (room < 1) break;
    const stop = Math.min(end, listEnd(element, endsRows ? (spans[1] ?? size) : spans[0]), element + room);
    at = write(element - first, stop - first, target, at);
    element = stop;
    // What ends the row is written over: more lists may end here.
    if (endsRows && isMultiple(stop, spans[0]!)) at -= ROW_END.length - 1;
    at = writeBrackets(element, size, spans, target, at);
  }
  return { bytes: at, stop: element };
}

/** The most bytes that so many numbers become, with the brackets between them: rows may have one element each. */
export function jsonStretchBytesMax(elements: number, shape: readonly number[]): number {
  const [rows = elements, ...outer] = spansOf(shape).map(span => Math.ceil(elements / span));
  const lists = outer.reduce((sum, each) => sum + each, rows);
  return elements * ELEMENT_BYTES_MAX + 2 * lists + 2 * BRACKETS_MAX;
}

/**
 * Some numbers of a block as they stand in its text.
 * @param stretch the shape of the whole, and the bytes of these
 * @param first how many come before them
 * @returns bytes written
 */
export function encodeJsonElements(
  stretch: Block,
  first: number,
  target: Uint8Array,
  options: JsonDataOptions,
): number {
  const { shape, dtype, bytes } = stretch;
  const runs = elementWriter(stretch, options, first);
  invariant('write' in runs, 'stretches are of numbers');
  const end = first + bytes.byteLength / dtype.itemsize;
  const { bytes: written, stop } = writeElements(runs, { shape, first }, first, end, target);
  invariant(stop === end, 'the target has room for the stretch');
  return written;
}

/** Elements of which one alone may be more than a turn. */
function* longElements(shape: readonly number[], item: LongItem, itemsize: number): Generator<Uint8Array, void> {
  const spans = spansOf(shape);
  const size = sizeOf(shape);
  const out = piecesInto((scratch ??= new Uint8Array(SCRATCH_BYTES)));
  out.at = fill(OPEN, shape.length, out.target, 0);
  for (let element = 0; element < size; element++) {
    yield* item.pieces(element * itemsize, out);
    if (!out.hasRoom(BRACKETS_MAX)) yield out.take();
    out.target[out.at++] = COMMA;
    out.at = writeBrackets(element + 1, size, spans, out.target, out.at);
    yield out.take();
  }
}

function piecesInto(target: Uint8Array): TextPieces {
  return {
    target,
    at: 0,
    hasRoom(bytes) {
      return this.at + bytes <= target.length;
    },
    take() {
      const text = target.slice(0, this.at);
      this.at = 0;
      return text;
    },
  };
}

/** Whether the text of a block is written in one turn or two: then it may be written at once. */
export function isShortJson({ dtype, shape }: Block): boolean {
  const size = sizeOf(shape);
  return size <= itemsPerTurn(dtype) && size * jsonItemSize(dtype).textMax <= 2 * SCRATCH_BYTES;
}

/** The whole text at once: for blocks of a turn or two. */
export function encodeJsonDataNow(block: Block, options: JsonDataOptions): Uint8Array {
  const turns = [...encodeJsonData(block, options)];
  return turns.length === 1 ? turns[0]! : Buffer.concat(turns);
}

/** One item of a dtype, which begins at a byte, as JSON text: for what is no array, such as the key of a group. */
export function jsonOfItem(dtype: DType, bytes: Uint8Array, offset = 0): string {
  const item = bytes.subarray(offset, offset + dtype.itemsize);
  return Buffer.from(encodeJsonDataNow({ dtype, shape: [], bytes: item }, { int64: 'number' })).toString();
}

/**
 * Bytes that an answer holds in memory at most: the elements, the text of each, and that once more as a whole. Saturated, as
 * jsonCost. @throws unsupported_dtype
 */
export function jsonHeldBytes(shape: readonly number[], dtype: DType): number {
  const { values, lists } = jsonCost(shape);
  const elements = saturate(sizeOf(shape) * dtype.itemsize);
  const { textMax } = jsonItemSize(dtype);
  if (elements === 0 || isNumber(dtype)) return saturate(elements + (values + lists) * LIMITS.jsonValueBytes);
  return saturate(elements + 2 * (values * (textMax + 1) + 3 * lists));
}

function saturate(count: number): number {
  return Math.min(count, Number.MAX_VALUE);
}

/** Elements in a list of each depth, innermost first: shape [4, 3, 2] has spans [2, 6, 24]. */
function spansOf(shape: readonly number[]): number[] {
  const spans: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) spans.push((spans.at(-1) ?? 1) * shape[axis]!);
  return spans;
}

/** The first element after the list of `span` elements that holds `element`; without lists, the next. */
function listEnd(element: number, span: number | undefined): number {
  return span === undefined ? element + 1 : element - (element % span) + span;
}

/** After `done` elements and a comma: the lists that end here are closed, and as many opened after the comma. */
function writeBrackets(done: number, size: number, spans: readonly number[], target: Uint8Array, at: number): number {
  let ended = 0;
  while (ended < spans.length && isMultiple(done, spans[ended]!)) ended++;
  if (done === size) return fill(CLOSE, ended, target, at - 1);
  if (ended === 0) return at;
  at = fill(CLOSE, ended, target, at - 1);
  target[at++] = COMMA;
  return fill(OPEN, ended, target, at);
}

function isMultiple(count: number, span: number): boolean {
  return count % span === 0;
}

function fill(byte: number, count: number, target: Uint8Array, at: number): number {
  for (let i = 0; i < count; i++) target[at + i] = byte;
  return at + count;
}
