/**
 * JSON text → block. Nested lists of elements, nothing else; 64-bit integers keep every digit; what the dtype cannot
 * hold is refused. It runs in turns, and its memory is bounded: so many elements as the text may have, and a limit.
 * Hazard: a recursive parser would overflow on "[[[[…", so nesting is a counter for each depth.
 */
import type { Block } from '../block.js';
import { isNumber, isWide, type DType, type NumberDType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { shown } from '../shown.js';
import { LIMITS } from '../limits.js';
import { stringifyExactJson } from './json-exact.js';
import { JsonScanner } from './json-scan.js';
import { ItemSink } from './json-item-sink.js';
import { jsonItemSize } from './json-size.js';
import { NumberSink, type ElementSink } from './json-values.js';

const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;
/** Text read in one turn: an element takes at least two bytes, and most take about ten. */
const TURN_BYTES = 8 * LIMITS.jsonElementsPerTurn;

/**
 * Parses a whole JSON text into a packed block of the dtype, yielding between turns. Bytes that belong to no field are zero.
 * Integers take integral numbers (`1`, `1.0`, `1e3`), and 64-bit ones also digits in quotes; floats take numbers and
 * "NaN", "Infinity", "-Infinity"; both take true and false as 1 and 0; bool takes only those. Complex numbers are pairs, dates
 * ISO text or counts, text is text, void base64, a structure an object with all of its fields.
 * @throws bad_json, bad_shape (over 64 axes), shape_mismatch (ragged lists), would_lose, bad_value, unknown_field, too_large,
 * unsupported_dtype
 */
export function* parseJsonData(dtype: DType, bytes: Uint8Array): Generator<void, Block> {
  const reader = new ListReader(dtype, bytes);
  while (!reader.readTurn()) yield;
  return reader.block();
}

/** The same in one go: for small texts. */
export function parseJsonDataNow(dtype: DType, bytes: Uint8Array): Block {
  const reader = new ListReader(dtype, bytes);
  while (!reader.readTurn());
  return reader.block();
}

/**
 * The item for a value that was JSON and is parsed already, such as `fill`. Integers beyond 2^53 come as bigint, or as
 * strings.
 * @returns `dtype.itemsize` bytes in the dtype's byte order
 * @throws bad_json where it is no single value, and as parseJsonData
 */
export function parseJsonScalar(value: unknown, dtype: DType): Uint8Array {
  if (isNumber(dtype)) checkScalar(value, dtype);
  else if (value === null || value === undefined) failScalar(value, dtype);
  const { shape, bytes } = parseJsonDataNow(dtype, Buffer.from(stringifyExactJson(value)));
  if (shape.length > 0) failScalar(value, dtype);
  return bytes;
}

function checkScalar(value: unknown, dtype: NumberDType): void {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) refuseScalar(value, dtype, 'it is beyond float64. Write "Infinity" for infinity');
    if (isWide(dtype) && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
      refuseScalar(value, dtype, 'its digits are uncertain beyond 2^53. Write it as a string');
    }
  } else if (typeof value !== 'string' && typeof value !== 'boolean' && typeof value !== 'bigint') {
    failScalar(value, dtype);
  }
}

function failScalar(value: unknown, dtype: DType): never {
  const wanted = isNumber(dtype) ? 'one number, string or boolean' : `one element of ${dtype.name}`;
  return fail('bad_json', `The value is ${shown(value)}; it takes ${wanted}.`, { dtype: dtype.typestr });
}

function refuseScalar(value: number, dtype: NumberDType, why: string): never {
  return fail('would_lose', `${dtype.name} cannot hold ${value}: ${why}.`, {
    value: String(value),
    dtype: dtype.typestr,
  });
}

class ListReader {
  readonly #dtype: DType;
  readonly #scanner: JsonScanner;
  readonly #sink: ElementSink;
  /** Lists that are open. */
  #depth = 0;
  /** Values that the open list of each depth has so far, complete ones. */
  readonly #counts: number[] = [];
  /** The length that the first complete list of each depth had. */
  readonly #lengths: (number | undefined)[] = [];
  /** Depth of the elements, or of the empty lists; known at the first one. */
  #rank: number | undefined;
  /** A turn ended inside an element. */
  #isInside = false;

  constructor(dtype: DType, bytes: Uint8Array) {
    // Refuses what has no JSON, before anything is read.
    jsonItemSize(dtype);
    this.#dtype = dtype;
    this.#scanner = new JsonScanner(bytes);
    this.#scanner.expectText('a value, or nested lists of values,');
    if (!isNumber(dtype)) this.#scanner.expectUtf8();
    this.#sink = isNumber(dtype) ? new NumberSink(dtype, this.#scanner) : new ItemSink(dtype, this.#scanner);
  }

  /** Reads until the value is complete (true) or the turn is over (false), before a value or inside a long one. */
  readTurn(): boolean {
    const scanner = this.#scanner;
    const turnEnd = scanner.at + TURN_BYTES;
    while (scanner.at < turnEnd) {
      if (!this.#isInside && scanner.peek() === OPEN && this.#sink.opensList()) {
        this.#open();
        if (scanner.peek() !== CLOSE) continue;
        this.#meetRank(this.#depth);
        this.#close();
      } else {
        if (!this.#isInside) this.#meetRank(this.#depth);
        this.#isInside = !this.#sink.readElement(turnEnd);
        if (this.#isInside) return false;
      }
      if (this.#isCompleteAfterValue()) return true;
    }
    return false;
  }

  block(): Block {
    return { dtype: this.#dtype, shape: this.#lengths.map(length => length!), bytes: this.#sink.finish() };
  }

  /** After a value: its list goes on (false), or it and perhaps lists around it end, up to the whole (true). */
  #isCompleteAfterValue(): boolean {
    const scanner = this.#scanner;
    while (this.#depth > 0) {
      this.#counts[this.#depth - 1]!++;
      const next = scanner.peek();
      if (next === COMMA) {
        scanner.at++;
        return false;
      }
      if (next !== CLOSE) scanner.refuseFor(scanner.at, 'a comma or a closing bracket');
      this.#close();
    }
    if (scanner.peek() !== -1) scanner.refuse(scanner.at, 'something follows the value. Send one value, or one list');
    return true;
  }

  #open(): void {
    if (this.#depth === this.#rank) this.#refuseRagged('a list stands where others have no list');
    if (this.#depth === LIMITS.rankMax) {
      fail(
        'bad_shape',
        `The lists are nested deeper than ${LIMITS.rankMax} axes, the most that an array has. Take brackets away.`,
        {
          limit: LIMITS.rankMax,
          position: this.#scanner.at,
        },
      );
    }
    this.#scanner.at++;
    this.#counts[this.#depth++] = 0;
  }

  #close(): void {
    const axis = --this.#depth;
    const count = this.#counts[axis]!;
    this.#lengths[axis] ??= count;
    if (this.#lengths[axis] !== count) {
      this.#refuseRagged(`a list along axis ${axis} has ${count} values where the first had ${this.#lengths[axis]}`);
    }
    this.#scanner.at++;
  }

  #meetRank(depth: number): void {
    this.#rank ??= depth;
    if (this.#rank !== depth) this.#refuseRagged('a value is nested less deeply than others');
  }

  #refuseRagged(why: string): never {
    return fail(
      'shape_mismatch',
      `The lists are ragged: at byte ${this.#scanner.at}, ${why}. Lists side by side have one length and one depth.`,
      {
        position: this.#scanner.at,
        dtype: this.#dtype.typestr,
      },
    );
  }
}
