/**
 * The JSON of a batch of writes, `{"writes": [{"slice": "0", "data": …}, …]}`: its slices, and where in the text the
 * values stand. Values are not parsed here, since a 64-bit integer would lose digits; each is JSON of its own.
 */
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';
import { listed, shown } from '../shown.js';
import { JsonScanner } from './json-scan.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** Of writes, which are a few dozen bytes each: some hundreds of them in one turn. */
const TURN_BYTES = 32 * 1024;

export interface WriteText {
  /** Undefined means everything. */
  readonly slice: string | undefined;
  /** The JSON of the value; undefined where it comes in another part of the body. */
  readonly data: Uint8Array | undefined;
}

/** Finds the writes of a batch, yielding between turns. @throws bad_json, too_large */
export function* parseJsonWrites(bytes: Uint8Array): Generator<void, WriteText[]> {
  const scanner = new JsonScanner(bytes);
  scanner.expectText('{"writes": [{"slice": "…", "data": …}, …]}');
  let writes: WriteText[] | undefined;
  for (const key of membersOfObject(scanner)) {
    if (key !== 'writes' || writes) refuseMember(scanner, key, ['writes']);
    writes = yield* readWrites(scanner);
  }
  if (scanner.peek() !== -1) scanner.refuse(scanner.at, 'something follows the object');
  return writes ?? fail('bad_json', 'The body has no writes; it takes {"writes": [{"slice": "…", "data": …}, …]}.');
}

function* readWrites(scanner: JsonScanner): Generator<void, WriteText[]> {
  const writes: WriteText[] = [];
  let turnEnd = scanner.at + TURN_BYTES;
  expectByte(scanner, OPEN_LIST, 'a list of writes');
  if (scanner.peek() === CLOSE_LIST) scanner.refuseFor(scanner.at, 'at least one write');
  do {
    if (writes.length === LIMITS.batchWritesMax) {
      fail(
        'too_large',
        `The batch has more than ${LIMITS.batchWritesMax} writes, the most that are taken. Send the others in another batch.`,
        { limit: LIMITS.batchWritesMax },
      );
    }
    writes.push(yield* readWrite(scanner));
    if (scanner.at > turnEnd) {
      turnEnd = scanner.at + TURN_BYTES;
      yield;
    }
  } while (isContinued(scanner, CLOSE_LIST));
  return writes;
}

function* readWrite(scanner: JsonScanner): Generator<void, WriteText> {
  let slice: string | undefined;
  let data: Uint8Array | undefined;
  for (const key of membersOfObject(scanner)) {
    if (key === 'slice' && slice === undefined) slice = yield* readSlice(scanner);
    else if (key === 'data' && data === undefined) data = yield* skipValue(scanner);
    else refuseMember(scanner, key, ['slice', 'data']);
  }
  return { slice, data };
}

/** A slice, or nothing where null, [] or {} stands for it. */
function* readSlice(scanner: JsonScanner): Generator<void, string | undefined> {
  if (scanner.peek() === QUOTE) return readText(scanner);
  const { at } = scanner;
  if (isEmptyJson(yield* skipValue(scanner))) return undefined;
  scanner.at = at;
  return readText(scanner);
}

/** The keys of an object; whoever loops over them reads the value behind each. */
export function* membersOfObject(scanner: JsonScanner): Generator<string, void> {
  expectByte(scanner, OPEN_OBJECT, 'an object');
  if (scanner.peek() === CLOSE_OBJECT) {
    scanner.at++;
    return;
  }
  do {
    const key = readText(scanner);
    expectByte(scanner, COLON, 'a colon');
    yield key;
  } while (isContinued(scanner, CLOSE_OBJECT));
}

/** After a value: true behind a comma, false behind the end. */
export function isContinued(scanner: JsonScanner, close: number): boolean {
  const next = scanner.peek();
  if (next !== COMMA && next !== close) scanner.refuseFor(scanner.at, 'a comma or a closing bracket');
  scanner.at++;
  return next === COMMA;
}

export function expectByte(scanner: JsonScanner, byte: number, wanted: string): void {
  if (scanner.peek() !== byte) scanner.refuseFor(scanner.at, wanted);
  scanner.at++;
}

export function readText(scanner: JsonScanner): string {
  if (scanner.peek() !== QUOTE) scanner.refuseFor(scanner.at, 'a string');
  scanner.readString();
  return scanner.decoded(Buffer.from(scanner.bytes.subarray(scanner.start, scanner.at)).toString());
}

/** The text of a value up to the comma or bracket behind it; whether it is a value is found out by whoever parses it. */
export function* skipValue(scanner: JsonScanner): Generator<void, Uint8Array> {
  scanner.peek();
  const { bytes, at: start } = scanner;
  let turnEnd = start + TURN_BYTES;
  for (let depth = 0; scanner.at < bytes.length;) {
    const byte = bytes[scanner.at]!;
    if (depth === 0 && (byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_LIST)) break;
    if (byte === QUOTE) scanner.readString();
    else {
      if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++;
      else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--;
      scanner.at++;
    }
    if (scanner.at < turnEnd) continue;
    turnEnd = scanner.at + TURN_BYTES;
    yield;
  }
  return bytes.subarray(start, scanner.at);
}

/** True for null, [] and {}. */
export function isEmptyJson(text: Uint8Array): boolean {
  return text.byteLength < 100 && /^\s*(null|\[\s*\]|\{\s*\})\s*$/.test(Buffer.from(text).toString('latin1'));
}

function refuseMember(scanner: JsonScanner, key: string, known: readonly string[]): never {
  if (known.includes(key)) scanner.refuse(scanner.start, `the member ${shown(key)} is there twice`);
  const are = known.length === 1 ? 'is' : 'are';
  return scanner.refuse(
    scanner.start,
    `the member ${shown(key)} is not known here; there ${are} ${listed(known, 'and')}`,
  );
}
