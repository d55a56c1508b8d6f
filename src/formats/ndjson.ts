/**
 * NDJSON: a row of a table on each line, as an object by the names of its columns, or as a list. What is no number is
 * null, so that every reader of JSON takes it.
 */
import { isNumber, isStructure } from '../dtype/index.js';
import type { Encoder, EncodingTable } from './encoder.js';
import { numberRuns, type WriteRun } from './json-elements.js';
import { countDigits, writeInteger } from './json-digits.js';
import { fieldsItem, itemOf } from './json-items.js';
import { isShort, type Item, type ItemSource, type TextPieces } from './json-pieces.js';
import { jsonItemSize, keyBytes } from './json-size.js';
import { NULL_WORDS } from './words.js';

const COMMA = 0x2c;
const COLON = 0x3a;
const QUOTE = 0x22;
const LETTER_C = 0x63;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const LINE_FEED = 0x0a;

/** Writes what stands before the value of a column. */
type WriteKey = (column: number, target: Uint8Array, at: number) => number;

export function ndjsonEncoder(table: EncodingTable): Encoder {
  const { dtype, columns, header, names } = table;
  const keyMax = !header || isStructure(dtype) ? 0 : keyBytesMax(columns, names);
  // A bracket or comma before, a comma behind or a bracket and the end of the line.
  const elementBytes = jsonItemSize(dtype).textMax + keyMax + 4;
  return {
    unit: 1,
    bytesMax: elements => elements * elementBytes,
    bytesMin: table.rows * columns * 2,
    head: () => [],
    encode: (source, first, target) =>
      isStructure(dtype) ? itemRows(table, source, target) : plainRows(table, source, first, target),
    tail: () => [],
  };
}

function keyBytesMax(columns: number, names: readonly string[] | undefined): number {
  if (!names) return countDigits(Math.min(columns, 999_999_999)) + 10;
  return 1 + names.reduce((most, name) => Math.max(most, keyBytes(name).length), 0);
}

/** Lines of structures. */
function itemRows({ dtype, header, int64 }: EncodingTable, bytes: Uint8Array, target: Uint8Array): number {
  const source = sourceOf(bytes, int64);
  const item = !header && isStructure(dtype) ? fieldsItem(dtype, source) : itemOf(dtype, source);
  const write = writerOf(item);
  let at = 0;
  for (let offset = 0; offset < bytes.byteLength; offset += dtype.itemsize) {
    at = write(offset, target, at);
    target[at++] = LINE_FEED;
  }
  return at;
}

/** Elements of which `columns` are a row. The first may stand anywhere in one. */
function plainRows(table: EncodingTable, bytes: Uint8Array, first: number, target: Uint8Array): number {
  const { dtype, columns, header } = table;
  const elements = bytes.byteLength / dtype.itemsize;
  const write = runsOf(table, bytes);
  const writeKey = header ? keysOf(table) : undefined;
  const open = header ? OPEN_OBJECT : OPEN_LIST;
  const close = header ? CLOSE_OBJECT : CLOSE_LIST;
  let at = 0;
  let column = first % columns;
  for (let element = 0; element < elements; element++) {
    if (column === 0) target[at++] = open;
    if (writeKey) at = writeKey(column, target, at);
    // With a comma behind it.
    at = write(element, element + 1, target, at);
    if (++column < columns) continue;
    column = 0;
    target[at - 1] = close;
    target[at++] = LINE_FEED;
  }
  return at;
}

function runsOf({ dtype, int64 }: EncodingTable, bytes: Uint8Array): WriteRun {
  if (isNumber(dtype)) return numberRuns(dtype, bytes, { int64 }, NULL_WORDS);
  const write = writerOf(itemOf(dtype, sourceOf(bytes, int64)));
  const { itemsize } = dtype;
  return (start, stop, target, at) => {
    for (let i = start; i < stop; i++) {
      at = write(i * itemsize, target, at);
      target[at++] = COMMA;
    }
    return at;
  };
}

function keysOf({ names }: EncodingTable): WriteKey {
  if (names) {
    const keys = names.map(name => Uint8Array.of(...keyBytes(name), COLON));
    return (column, target, at) => {
      const key = keys[column]!;
      for (let i = 0; i < key.length; i++) target[at + i] = key[i]!;
      return at + key.length;
    };
  }
  return (column, target, at) => {
    target[at++] = QUOTE;
    target[at++] = LETTER_C;
    at = writeInteger(column, target, at);
    target[at++] = QUOTE;
    target[at++] = COLON;
    return at;
  };
}

/** Items of any length at once: the target has room for them. */
function writerOf(item: Item): (offset: number, target: Uint8Array, at: number) => number {
  if (isShort(item)) return item.write;
  return (offset, target, at) => {
    const out: TextPieces = { target, at, hasRoom: () => true, take: () => target };
    for (const piece of item.pieces(offset, out)) if (piece !== target) break;
    return out.at;
  };
}

function sourceOf(bytes: Uint8Array, int64: 'number' | 'string'): ItemSource {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes, view, isQuoted: int64 === 'string', words: NULL_WORDS };
}
