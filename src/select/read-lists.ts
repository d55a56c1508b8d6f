/**
 * Nested lists of integers or of booleans in JSON, straight into numbers: 8 bytes an entry, whatever is sent. Lists of
 * both are integers. In turns, and without recursion.
 */
import { fail } from '../errors.js';
import type { JsonScanner } from '../formats/index.js';
import { LIMITS } from '../limits.js';
import { isTurnOver } from '../turns.js';
import type { BooleansItem, IntegersItem } from './items.js';

const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const TRUE = 0x74;
const FALSE = 0x66;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const CAPACITY_MIN = 64;
const INTEGER = /^-?\d+$/;

/** What the lists of one body may have together. */
export class EntriesLeft {
  readonly limit: number;
  #left: number;

  constructor(limit: number) {
    this.limit = limit;
    this.#left = limit;
  }

  get left(): number {
    return this.#left;
  }

  /** As many as are left now: for one of several tries. */
  copy(): EntriesLeft {
    const copy = new EntriesLeft(this.limit);
    copy.#left = this.#left;
    return copy;
  }

  /** @throws too_large */
  take(entries: number): void {
    this.#left -= entries;
    if (this.#left >= 0) return;
    fail(
      'too_large',
      `The lists, masks and filters choose more than ${this.limit} entries one by one. Ask in several calls, or with slices where they follow each other.`,
      { limit: this.limit },
    );
  }
}

class Numbers {
  #values = new Float64Array(CAPACITY_MIN);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  get values(): Float64Array {
    return this.#values.subarray(0, this.#length);
  }
}

/** Reads the list that begins at the scanner's position. `at` names it. @throws bad_json, bad_index, too_large */
export function* readLists(
  scanner: JsonScanner,
  left: EntriesLeft,
  at: string,
): Generator<void, IntegersItem | BooleansItem> {
  let numbers = new Numbers();
  /** Lengths of the lists at each depth, as the first of them ended; and of those that are open. */
  const shape: number[] = [];
  const counts: number[] = [];
  let rank: number | undefined;
  let isBoolean: boolean | undefined;
  let entries = 0;
  for (;;) {
    const byte = scanner.peek();
    let isClosed = false;
    if (byte === OPEN) {
      scanner.at++;
      counts.push(0);
      if (counts.length > (rank ?? LIMITS.rankMax)) failRagged(at);
      isClosed = scanner.peek() === CLOSE;
      if (!isClosed) continue;
      rank ??= counts.length;
      if (rank !== counts.length) failRagged(at);
    } else {
      rank ??= counts.length;
      if (rank !== counts.length) failRagged(at);
      const isWord = byte === TRUE || byte === FALSE;
      isBoolean ??= isWord;
      if (isBoolean && !isWord && isInteger(byte)) {
        // Beside integers, true and false are 1 and 0, as numpy has it.
        numbers = yield* asIntegers(numbers.values, entries, left);
        isBoolean = false;
      }
      const value = isWord ? readWord(scanner, byte) : readInteger(scanner, at);
      if (!isBoolean) take(left, numbers, value);
      else if (value === 1) take(left, numbers, entries);
      if (isTurnOver(entries++)) yield;
      counts[counts.length - 1]!++;
    }
    // Behind a value: the next one, or the end of lists.
    for (;;) {
      const next = isClosed ? CLOSE : scanner.peek();
      isClosed = false;
      if (next !== COMMA && next !== CLOSE) scanner.refuseFor(scanner.at, 'a comma or a closing bracket');
      scanner.at++;
      if (next === COMMA) break;
      const depth = counts.length - 1;
      const count = counts.pop()!;
      shape[depth] ??= count;
      if (shape[depth] !== count) failRagged(at);
      if (depth === 0) {
        return isBoolean
          ? { kind: 'booleans', shape, kept: numbers.values }
          : { kind: 'integers', shape, values: numbers.values };
      }
      counts[depth - 1]!++;
    }
  }
}

function take(left: EntriesLeft, numbers: Numbers, value: number): void {
  left.take(1);
  numbers.push(value);
}

/** Of which entries are true → 1 for these and 0 for the others, in turns. */
function* asIntegers(kept: Float64Array, entries: number, left: EntriesLeft): Generator<void, Numbers> {
  left.take(entries - kept.length);
  const numbers = new Numbers();
  for (let i = 0, next = 0; i < entries; i++) {
    const isTrue = kept[next] === i;
    if (isTrue) next++;
    numbers.push(isTrue ? 1 : 0);
    if (isTurnOver(i)) yield;
  }
  return numbers;
}

function readWord(scanner: JsonScanner, first: number): 0 | 1 {
  scanner.readWord(first === TRUE ? 'true' : 'false');
  return first === TRUE ? 1 : 0;
}

function isInteger(first: number): boolean {
  return first === MINUS || (first >= ZERO && first <= NINE);
}

/** An integer at the scanner's position; beyond 2^53 the nearest that is exact stands for it, and is out of all bounds. */
export function readInteger(scanner: JsonScanner, at: string): number {
  if (!isInteger(scanner.peek())) failEntry(scanner, at);
  const value = scanner.readNumber();
  if (scanner.isShortInteger) return value === 0 ? 0 : value;
  if (!INTEGER.test(scanner.token())) {
    return fail(
      'bad_index',
      `${at} has ${scanner.shownToken()}, which is no integer. Indices are integers, without a point.`,
      {
        position: scanner.start,
      },
    );
  }
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
}

function failEntry(scanner: JsonScanner, at: string): never {
  return fail(
    'bad_index',
    `${at}: at byte ${scanner.at} something else stands. A list of an index has integers, or true and false, all at one depth.`,
    {
      position: scanner.at,
    },
  );
}

function failRagged(at: string): never {
  return fail(
    'bad_index',
    `${at} has lists of different lengths or depths. Nested lists make a rectangle, as numpy's arrays do.`,
  );
}
