/**
 * Rows of text, one after the other, from a body that lies in a file: read in pieces, each of which begins with a row and
 * is as long as that needs. Hazard: a quote that is never closed makes one row of all that follows; rows have a limit.
 */
import { isUtf8 } from 'node:buffer';
import { fail } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import type { Cells } from './cells.js';
import type { BodySource, DecodingAsked } from './decoder.js';

/** A text of rows, of which the columns are known. */
export interface TextTable {
  /** Undefined where the body has no row, and no line of names. */
  readonly columns: number | undefined;
  /** Where the rows begin: the byte, and the line from 1. */
  readonly begin: RowPlace;
  /** As the text has them, undefined where it has none. */
  names(): readonly string[] | undefined;
  /** Cells are what lies in lists and objects: complex numbers have one for each of their parts, named `.0` and `.1`. */
  readonly hasParts: boolean;
  /** What stands in quotes is text, whatever it looks like. */
  readonly quotesText: boolean;
  readonly reader: RowReader;
}

export interface RowReader {
  /** Of the row that was read last; none in an empty line. */
  readonly cells: Cells;
  /** Ends of lines in the row that was read last. */
  readonly lines: number;
  /** The line in which the next row begins, for messages. */
  line: number;
  /** Reads the row at a position; its end, or -1 where it is not all there. @throws bad_table */
  read(bytes: Uint8Array, at: number, isLast: boolean): number;
  /** The text of a cell with escapes in it, in memory that the next one is written over. */
  unescaped(bytes: Uint8Array, start: number, end: number): Uint8Array;
}

export interface RowFormat {
  /** Undefined where too little has come. @throws bad_table */
  open(source: BodySource, asked: DecodingAsked): TextTable | undefined;
}

export interface RowPlace {
  readonly at: number;
  /** From 1. */
  readonly line: number;
}

/**
 * Goes through the rows of one piece, or through one row that is longer than that.
 * @param visit with the bytes that cells are places of; false leaves the row to the next call
 * @returns where the next call begins
 */
export function readRows(
  source: BodySource,
  reader: RowReader,
  { at, line }: RowPlace,
  visit: (bytes: Uint8Array, line: number) => boolean,
): RowPlace {
  const there = source.size - at;
  for (let wanted = LIMITS.decodePieceBytes; ; wanted *= 2) {
    const bytes = source.read(at, Math.min(wanted, there));
    const isLast = source.isWhole && bytes.length === there;
    let done = 0;
    let lines = 0;
    while (done < bytes.length) {
      reader.line = line + lines;
      const end = reader.read(bytes, done, isLast);
      if (end < 0 || (reader.cells.count > 0 && !visit(bytes, reader.line))) break;
      lines += reader.lines;
      done = end;
    }
    if (done > 0) {
      checkUtf8(bytes.subarray(0, done), line);
      return { at: at + done, line: line + lines };
    }
    if (bytes.length === there && there < LIMITS.tableRowBytesMax) return { at, line };
    if (bytes.length >= LIMITS.tableRowBytesMax) failRow(line);
  }
}

/** More than the names of a few hundred columns. */
const FIRST_BYTES = 16 * 1024;

/** The first row that is not an empty line; undefined where it is not all there, or there is none. */
export function firstRow(
  source: BodySource,
  reader: RowReader,
): { readonly bytes: Uint8Array; readonly begin: RowPlace; readonly end: RowPlace } | undefined {
  for (let wanted = FIRST_BYTES; ; wanted *= 2) {
    const bytes = source.read(0, Math.min(wanted, source.size));
    const isAll = bytes.length === source.size;
    let line = 1;
    for (let at = hasMark(bytes) ? MARK.length : 0; at < bytes.length;) {
      reader.line = line;
      const end = reader.read(bytes, at, source.isWhole && isAll);
      if (end < 0) break;
      const begin = { at, line };
      line += reader.lines;
      at = end;
      if (reader.cells.count === 0) continue;
      checkUtf8(bytes.subarray(begin.at, end), begin.line);
      return { bytes, begin, end: { at, line } };
    }
    if (isAll && bytes.length < LIMITS.tableRowBytesMax) return undefined;
    if (bytes.length >= LIMITS.tableRowBytesMax) failRow(line);
  }
}

/** What some programs put before a text to say that it is UTF-8. */
const MARK = [0xef, 0xbb, 0xbf];

function hasMark(bytes: Uint8Array): boolean {
  return MARK.every((byte, i) => bytes[i] === byte);
}

const LINE_FEED = 0x0a;

function checkUtf8(bytes: Uint8Array, line: number): void {
  if (isUtf8(bytes)) return;
  for (let start = 0; start < bytes.length; line++) {
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found < 0 ? bytes.length : found + 1;
    if (!isUtf8(bytes.subarray(start, end))) break;
    start = end;
  }
  failTable('the line is no UTF-8. Encode the text as that', line);
}

function failRow(line: number): never {
  const limit = LIMITS.tableRowBytesMax;
  fail(
    'too_large',
    `Line ${line}: the row that begins there has more than ${limit} bytes. Look for a quote that is not closed; or send raw or npy.`,
    { limit, line },
  );
}

/** @throws bad_table */
export function failTable(why: string, line: number, values: Readonly<Record<string, unknown>> = {}): never {
  return fail('bad_table', `Line ${line}${'column' in values ? `, column ${String(values['column'])}` : ''}: ${why}.`, {
    line,
    ...values,
  });
}
