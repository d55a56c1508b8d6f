/**
 * A block as nested JSON lists, in turns short enough for an event loop. Digits go straight into one scratch buffer that
 * every turn of this thread shares; what is yielded is a copy. Hazard: brackets can outnumber elements by far (a shape
 * of many ones, or of zeros); `jsonCost` counts them before anything is written.
 */
import type { Block } from '../block.js';
import { sizeOf } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { ELEMENT_BYTES_MAX, elementWriter, emptyListRuns, type JsonDataOptions } from './json-elements.js';

export type { JsonDataOptions } from './json-elements.js';

const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** Room for the brackets before the first row, or between two rows, of any rank. */
const BRACKETS_MAX = 2 * LIMITS.rankMax + 1;
/** Most turns use under half of it: about 20 bytes an element. */
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
 * Yields the text in turns of at most LIMITS.jsonElementsPerTurn elements. Rank 0 is a bare value; an axis of length
 * zero ends in empty lists, as `tolist()` of numpy: shape [2, 0, 3] is [[],[]].
 */
export function* encodeJsonData(block: Block, options: JsonDataOptions): Generator<Uint8Array, void> {
  const empty = block.shape.indexOf(0);
  const shape = empty < 0 ? block.shape : block.shape.slice(0, empty);
  const writeRun = empty < 0 ? elementWriter(block, options) : emptyListRuns;
  const spans = spansOf(shape);
  const size = sizeOf(shape);
  let element = 0;
  do {
    const target = (scratch ??= new Uint8Array(SCRATCH_BYTES));
    let at = element === 0 ? fill(OPEN, shape.length, target, 0) : 0;
    const end = Math.min(element + LIMITS.jsonElementsPerTurn, size);
    while (element < end) {
      const room = Math.floor((SCRATCH_BYTES - BRACKETS_MAX - at) / ELEMENT_BYTES_MAX);
      if (room < 1) break;
      const stop = Math.min(end, rowEnd(element, spans), element + room);
      at = writeRun(element, stop, target, at);
      element = stop;
      at = writeBrackets(element, size, spans, target, at);
    }
    yield target.slice(0, at);
  } while (element < size);
}

/** The whole text at once: for blocks of a turn or two. */
export function encodeJsonDataNow(block: Block, options: JsonDataOptions): Uint8Array {
  const turns = [...encodeJsonData(block, options)];
  return turns.length === 1 ? turns[0]! : Buffer.concat(turns);
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

/** The first element after the innermost list that holds `element`. */
function rowEnd(element: number, spans: readonly number[]): number {
  const row = spans[0];
  return row === undefined ? element + 1 : element - (element % row) + row;
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
