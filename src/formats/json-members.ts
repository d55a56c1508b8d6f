/**
 * What readers of JSON bodies with members have in common: objects, lists, and values that stay text, since a 64-bit
 * integer would lose digits.
 */
import type { JsonScanner } from './json-scan.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** Of writes, which are a few dozen bytes each: some hundreds of them in one turn. */
const TURN_BYTES = 32 * 1024;

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
