/**
 * Rows of CSV (RFC 4180): commas, and line feeds with or without a carriage return before them, which the last line may go
 * without. Empty lines are passed over; a row of one empty cell is `""`.
 */
import { Cells, ESCAPED, PLAIN, QUOTED } from './cells.js';
import { failTable, firstRow, type RowFormat, type RowReader } from './rows.js';
import { textDecoder } from './text-decoder.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

class CsvReader implements RowReader {
  readonly cells = new Cells();
  lines = 0;
  line = 1;
  #scratch = new Uint8Array(256);

  read(bytes: Uint8Array, at: number, isLast: boolean): number {
    const { cells } = this;
    const end = bytes.length;
    cells.count = 0;
    this.lines = 0;
    const first = at;
    for (;;) {
      if (bytes[at] === QUOTE) {
        at = this.#readQuoted(bytes, at + 1, isLast);
        if (at < 0) return -1;
      } else {
        const start = at;
        for (; at < end; at++) {
          const byte = bytes[at]!;
          if (byte <= COMMA && (byte === COMMA || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === QUOTE))
            break;
        }
        if (at === end && !isLast) return -1;
        if (bytes[at] === QUOTE)
          this.#refuse(
            'a quote stands inside a cell that does not begin with one. Quote all of the cell, and double the quotes in it',
          );
        cells.push(start, at, PLAIN);
      }
      if (at === end) return this.#ended(first, end, end);
      const byte = bytes[at]!;
      if (byte === LINE_FEED) {
        this.lines++;
        return this.#ended(first, at, at + 1);
      }
      if (byte === CARRIAGE_RETURN) {
        if (at + 1 === end) return isLast ? this.#ended(first, at, end) : -1;
        if (bytes[at + 1] !== LINE_FEED)
          this.#refuse(
            'a carriage return stands alone. Lines end in a line feed, or in both; quote a cell with one in it',
          );
        this.lines++;
        return this.#ended(first, at, at + 2);
      }
      if (byte !== COMMA)
        this.#refuse('something follows the quote that closes a cell. Double the quotes inside of one');
      at++;
    }
  }

  unescaped(bytes: Uint8Array, start: number, end: number): Uint8Array {
    if (this.#scratch.length < end - start) this.#scratch = new Uint8Array(2 * (end - start));
    let length = 0;
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      this.#scratch[length++] = byte;
      if (byte === QUOTE) at++;
    }
    return this.#scratch.subarray(0, length);
  }

  /** From behind the opening quote to behind the closing one; -1 where that is not there yet. */
  #readQuoted(bytes: Uint8Array, start: number, isLast: boolean): number {
    const end = bytes.length;
    let form = QUOTED;
    let lines = 0;
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === LINE_FEED) lines++;
      if (byte !== QUOTE) continue;
      // Whether it closes the cell is known by what follows.
      if (at + 1 === end && !isLast) return -1;
      if (bytes[at + 1] === QUOTE) {
        form = ESCAPED;
        at++;
        continue;
      }
      this.lines += lines;
      this.cells.push(start, at, form);
      return at + 1;
    }
    if (isLast) this.#refuse('a quote is opened and never closed');
    return -1;
  }

  /** A line of nothing is no row. */
  #ended(first: number, end: number, next: number): number {
    if (first === end) this.cells.count = 0;
    return next;
  }

  #refuse(why: string): never {
    return failTable(why, this.line + this.lines, { column: this.cells.count + 1 });
  }
}

const csv: RowFormat = {
  open(source, { header }) {
    const reader = new CsvReader();
    const row = firstRow(source, reader);
    if (!row && !source.isWhole) return undefined;
    const columns = row && reader.cells.count;
    // Read again where they are asked for, which most steps do not.
    const names = (): string[] => namesOf(reader, firstRow(source, reader)!.bytes);
    return {
      columns,
      begin: (header ? row?.end : row?.begin) ?? { at: source.size, line: 1 },
      names: () => (row && header ? names() : undefined),
      hasParts: false,
      quotesText: false,
      reader,
    };
  },
};

function namesOf(reader: CsvReader, bytes: Uint8Array): string[] {
  const { cells } = reader;
  return Array.from({ length: cells.count }, (_, i) => {
    const start = cells.starts[i]!;
    const end = cells.ends[i]!;
    const text = cells.forms[i] === ESCAPED ? reader.unescaped(bytes, start, end) : bytes.subarray(start, end);
    return Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString();
  });
}

export const csvDecoder = textDecoder(csv);
