/**
 * Texts of rows as tables: looked at once, for the kinds of their columns and for rows that are not as long as the others,
 * and converted when all is known. Memory of a step: a piece of the text, or one row, and the elements that it becomes.
 */
import { isStructure, parseDType, type DType, type LeafDType } from '../../dtype/index.js';
import { fail, HyperslabError, invariant } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import { shown } from '../../shown.js';
import { cellReader, CellText, type ReadCell } from './cell-readers.js';
import { ABSENT, ESCAPED, QUOTED } from './cells.js';
import { newColumnKinds, tableDType, type ColumnKinds } from './column-kinds.js';
import { checkColumnNames, columnNamed, distinctNames, keptNames } from './column-names.js';
import type { Decoder, DecodingAsked } from './decoder.js';
import { MISSING, TEXT } from './number-cell.js';
import { failTable, readRows, type RowFormat, type RowPlace, type TextTable } from './rows.js';
import { evenSlots, pairedSlots, slotsOf } from './slots.js';

interface TextSeen extends RowPlace {
  readonly rows: number;
  readonly columns: number;
  /** Absent where the dtype is asked for. */
  readonly kinds: ColumnKinds | undefined;
}

export function textDecoder(format: RowFormat): Decoder<TextSeen, RowPlace> {
  return {
    look(source, asked, seen) {
      const table = format.open(source, asked);
      if (!table) return { seen: undefined, hasMore: false };
      const before = seen ?? begun(table, asked);
      const after = looked(table, before, visit => readRows(source, table.reader, before, visit));
      return { seen: after, hasMore: after.at > before.at && after.at < source.size };
    },

    layout(source, asked, seen) {
      const table = format.open(source, asked);
      invariant(table !== undefined && seen !== undefined, 'the body has been looked at to its end');
      const { rows, columns, kinds } = seen;
      let fields: readonly string[] | undefined;
      const names = (): readonly string[] => (fields ??= distinctNames(table.names(), columns));
      const dtype = asked.dtype === undefined ? tableDType(kinds!, i => names()[i]!) : parseDType(asked.dtype);
      const elements = isStructure(dtype) ? 1 : columns / perElement(dtype, table);
      const isList = isStructure(dtype) || (elements === 1 && asked.columnRank === 1);
      const sent = elementNames(table, dtype);
      const unitBytes = elements * dtype.itemsize;
      checkRow(unitBytes);
      return {
        layout: { dtype: dtype.typestr, shape: isList ? [rows] : [rows, elements], order: 'C', unitBytes },
        columns: asked.isNew && !isList && sent ? keptNames(distinctNames(sent, elements)) : undefined,
      };
    },

    convert(source, asked, { layout }, place, target) {
      const table = format.open(source, asked);
      invariant(table?.columns !== undefined, 'there are rows');
      const text = new CellText();
      const dtype = parseDType(layout.dtype);
      // Of an array that is made of it, fields have the names of the columns, in their order.
      const write = rowWriter(dtype, table, asked.dtype !== undefined, text, target);
      const rowsMax = Math.floor(target.byteLength / layout.unitBytes);
      const found = { rows: 0, place: place ?? table.begin };
      // A piece may be empty lines and nothing else.
      for (let at = -1; found.rows === 0 && found.place.at > at;) {
        ({ at } = found.place);
        found.place = readRows(source, table.reader, found.place, (bytes, line) => {
          if (found.rows === rowsMax) return false;
          write(bytes, line, found.rows++ * layout.unitBytes);
          return true;
        });
      }
      return { written: found.rows * layout.unitBytes, place: found.place };
    },
  };
}

/** @throws bad_table, too_large, unknown_field, shape_mismatch, unsupported_dtype */
function begun(table: TextTable, asked: DecodingAsked): TextSeen {
  const dtype = asked.dtype === undefined ? undefined : parseDType(asked.dtype);
  if (table.columns === undefined && !dtype) {
    failTable('the body has no rows, and nothing says what they would be. Send rows, or give dtype=', 1);
  }
  const columns = table.columns ?? (dtype ? perElement(dtype, table) : 1);
  if (columns > LIMITS.tableColumnsMax) {
    fail('too_large', `The rows have ${columns} cells; at most ${LIMITS.tableColumnsMax} are read. Send raw or npy.`, {
      limit: LIMITS.tableColumnsMax,
      asked: columns,
    });
  }
  if (asked.names) checkColumnNames(asked.names, elementNames(table, dtype));
  if (dtype && isStructure(dtype)) {
    const slots = slotsOf(dtype, table.hasParts);
    if (table.columns !== undefined) pairedSlots(slots, columns, table.names());
  } else if (dtype && columns % perElement(dtype, table) !== 0) {
    failTable('complex numbers are pairs, [re, im], and a row has half of one', table.begin.line);
  }
  return { ...table.begin, rows: 0, columns, kinds: dtype ? undefined : newColumnKinds(columns) };
}

function perElement(dtype: DType, { hasParts }: TextTable): number {
  return isStructure(dtype) ? 1 : evenSlots(dtype, hasParts).perElement;
}

/** A name for each element of a row: its parts, `z.0` and `z.1`, have one together. */
function elementNames(table: TextTable, dtype: DType | undefined): readonly string[] | undefined {
  const names = table.names();
  if (!dtype || perElement(dtype, table) === 1) return names;
  return names?.filter((_, i) => i % 2 === 0).map(name => name.replace(/\.0$/, ''));
}

type Visit = (bytes: Uint8Array, line: number) => boolean;

function looked(table: TextTable, before: TextSeen, read: (visit: Visit) => RowPlace): TextSeen {
  const { columns, kinds } = before;
  const { cells } = table.reader;
  const text = new CellText();
  let rows = 0;
  const place = read((bytes, line) => {
    if (cells.count !== columns) failRagged(cells.count, columns, line);
    if (kinds) {
      if (text.bytes !== bytes) text.set(bytes);
      noteKinds(table, text, kinds);
    }
    rows++;
    return true;
  });
  return { ...before, ...place, rows: before.rows + rows };
}

function noteKinds({ reader, quotesText }: TextTable, text: CellText, { kinds, lengths }: ColumnKinds): void {
  const { cells } = reader;
  const { bytes, number } = text;
  for (let i = 0; i < cells.count; i++) {
    const start = cells.starts[i]!;
    const end = cells.ends[i]!;
    const form = cells.forms[i]!;
    if (form === ABSENT) {
      kinds[i]! |= MISSING;
      continue;
    }
    if (form === ESCAPED) {
      const plain = reader.unescaped(bytes, start, end);
      kinds[i]! |= TEXT;
      lengths[i] = Math.max(lengths[i]!, characters(plain, 0, plain.length));
      continue;
    }
    const looks = number.look(start, end);
    const kind = quotesText && form === QUOTED && !number.isFloatWord ? TEXT : looks;
    kinds[i]! |= kind;
    const length = kind === TEXT ? characters(bytes, start, end) : end - start;
    if (length > lengths[i]!) lengths[i] = length;
  }
}

/** Of UTF-8: all bytes but those that go on with a character. */
function characters(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) if ((bytes[at]! & 0xc0) !== 0x80) count++;
  return count;
}

function failRagged(found: number, columns: number, line: number): never {
  fail(
    'shape_mismatch',
    `Line ${line}: the row has ${found} cells where others have ${columns}. Send as many in each; a cell with a comma in it stands in quotes.`,
    { line, columns: found, expected: columns },
  );
}

function checkRow(bytes: number): void {
  const limit = LIMITS.itemsizeMax;
  if (bytes <= limit) return;
  fail('too_large', `A row takes ${bytes} bytes; at most ${limit} are written together. Send raw or npy.`, {
    limit,
    asked: bytes,
  });
}

/** Writes the cells of the row that was read to a byte of the target. */
function rowWriter(
  dtype: DType,
  table: TextTable,
  byName: boolean,
  text: CellText,
  target: Uint8Array,
): (bytes: Uint8Array, line: number, at: number) => void {
  const { reader } = table;
  const { cells } = reader;
  const into = { bytes: target, view: new DataView(target.buffer, target.byteOffset, target.byteLength) };
  const writeCell = isStructure(dtype)
    ? structureCells(
        pairedSlots(slotsOf(dtype, table.hasParts), table.columns!, byName ? table.names() : undefined),
        s => cellReader(s, text, into),
      )
    : evenCells(evenSlots(dtype, table.hasParts), s => cellReader(s, text, into));
  return (bytes, line, at) => {
    if (text.bytes !== bytes) text.set(bytes);
    let column = 0;
    try {
      for (; column < cells.count; column++) {
        const start = cells.starts[column]!;
        const end = cells.ends[column]!;
        const form = cells.forms[column]!;
        if (form !== ESCAPED) writeCell(column, start, end, form, at);
        else {
          const plain = reader.unescaped(bytes, start, end);
          text.set(plain);
          writeCell(column, 0, plain.length, form, at);
          text.set(bytes);
        }
      }
    } catch (error) {
      throw withPlace(error, line, columnNamed(table.names(), column));
    }
  };
}

type WriteCell = (column: number, start: number, end: number, form: number, at: number) => void;

function evenCells({ dtype, bytes }: ReturnType<typeof evenSlots>, make: (dtype: LeafDType) => ReadCell): WriteCell {
  const read = make(dtype);
  return (column, start, end, form, at) => read(start, end, form, at + column * bytes);
}

function structureCells(slots: ReturnType<typeof slotsOf>, make: (dtype: LeafDType) => ReadCell): WriteCell {
  const made = new Map<string, ReadCell>();
  const readers = slots.map(({ dtype }) => {
    const reader = made.get(dtype.typestr) ?? make(dtype);
    made.set(dtype.typestr, reader);
    return reader;
  });
  const offsets = slots.map(({ offset }) => offset);
  return (column, start, end, form, at) => readers[column]!(start, end, form, at + offsets[column]!);
}

function withPlace(error: unknown, line: number, column: string): unknown {
  if (!(error instanceof HyperslabError)) return error;
  const message = `Line ${line}, column ${shown(column)}: ${error.message}`;
  return new HyperslabError(error.code, message, { ...error.values, line, column });
}
