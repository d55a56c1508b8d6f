/**
 * What stands at the end of a file of Parquet: its schema, where each chunk of a column is, and what is told of the whole.
 * It is written a piece at a time, since many columns in many groups of rows are megabytes.
 */
import type { ArrowField } from './arrow-types.js';
import {
  columnsOf,
  elementCount,
  elementsOfRow,
  isOptional,
  physicalOf,
  schemaElements,
  type ParquetColumn,
} from './parquet-columns.js';
import { fieldHead, fieldParts, I64, LIST, listHead, STRUCT, thriftBytes, varint } from './thrift.js';

/** A group of rows that was written: its rows, and the bytes of each chunk. */
export interface RowGroup {
  readonly rows: number;
  readonly chunks: Uint32Array;
}

/** Bytes of one chunk's entry beside its path, as an estimate from above. */
const ENTRY_BYTES = 64;
/** Some milliseconds: what is said of a few hundred columns. */
const PIECE_BYTES = 16 * 1024;
const UNCOMPRESSED = 0;
const [PLAIN, RLE] = [0, 3];
const STOP = Uint8Array.of(0);

/** The most bytes of the entries of a group. */
export function groupEntryBytes(columns: readonly ParquetColumn[]): number {
  return columns.reduce((sum, { path }) => sum + ENTRY_BYTES + Buffer.byteLength(path.join('..')), 0);
}

/** @param start where the first group begins in the file */
export function* footerPieces(
  fields: readonly ArrowField[],
  groups: readonly RowGroup[],
  notes: Readonly<Record<string, string>>,
  start: number,
): Generator<Uint8Array> {
  let bytes = 0;
  for (const piece of inPieces(footerParts(fields, groups, notes, start))) {
    bytes += piece.byteLength;
    yield piece;
  }
  const end = Buffer.from('____PAR1');
  end.writeUInt32LE(bytes, 0);
  yield end;
}

function* inPieces(parts: Iterable<Uint8Array>): Generator<Uint8Array> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for (const part of parts) {
    held.push(part);
    bytes += part.byteLength;
    if (bytes < PIECE_BYTES) continue;
    yield Buffer.concat(held);
    held = [];
    bytes = 0;
  }
  yield Buffer.concat(held);
}

/** The fields of FileMetaData in parquet.thrift: 1 version, 2 schema, 3 num_rows, 4 row_groups, 5 key_value_metadata, 6 created_by. */
function* footerParts(
  fields: readonly ArrowField[],
  groups: readonly RowGroup[],
  notes: Readonly<Record<string, string>>,
  start: number,
): Generator<Uint8Array> {
  yield* fieldParts([{ i32: 2 }]);
  yield fieldHead(LIST, 1);
  yield listHead(STRUCT, 1 + elementCount(fields));
  for (const element of schemaElements(fields)) yield thriftBytes(element);
  yield* fieldParts([{ i64: groups.reduce((sum, { rows }) => sum + rows, 0) }], 2);
  yield fieldHead(LIST, 1);
  yield listHead(STRUCT, groups.length);
  const entries = columnsOf(fields).map(column => new Entry(column));
  let at = start;
  for (const group of groups) {
    yield* groupParts(group, entries, at);
    at += bytesOfGroup(group);
  }
  const pairs = Object.entries(notes).map(([key, value]) => ({ struct: [{ text: key }, { text: value }] }));
  yield* fieldParts([{ list: pairs }, { text: 'hyperslab' }], 4);
  yield STOP;
}

function bytesOfGroup({ chunks }: RowGroup): number {
  return chunks.reduce((sum, bytes) => sum + bytes, 0);
}

class Entry {
  readonly #column: ParquetColumn;
  #fixed: Uint8Array | undefined;
  readonly perRow: number;

  constructor(column: ParquetColumn) {
    this.#column = column;
    this.perRow = elementsOfRow(column);
  }

  /** Made when it is needed: all at once would take long. */
  get fixed(): Uint8Array {
    return (this.#fixed ??= fixedPart(this.#column));
  }
}

/** The fields of RowGroup: 1 columns, 2 total_byte_size, 3 num_rows. */
function* groupParts(group: RowGroup, entries: readonly Entry[], start: number): Generator<Uint8Array> {
  yield fieldHead(LIST, 1);
  yield listHead(STRUCT, entries.length);
  let at = start;
  for (const [i, entry] of entries.entries()) {
    const { perRow, fixed } = entry;
    const bytes = group.chunks[i]!;
    // 2 file_offset, 3 meta_data, of which 5 to 9 are num_values, the sizes without and with compression, and the page.
    const sizes = [group.rows * perRow, bytes, bytes].map(value => [I64_AFTER, varint(2 * value)]);
    yield Buffer.concat([
      I64_SECOND,
      varint(2 * at),
      fixed,
      ...sizes.flat(),
      I64_AFTER_NEXT,
      varint(2 * at),
      STOP,
      STOP,
    ]);
    at += bytes;
  }
  yield* fieldParts([{ i64: bytesOfGroup(group) }, { i64: group.rows }], 1);
  yield STOP;
}

const I64_SECOND = fieldHead(I64, 2);
const I64_AFTER = fieldHead(I64, 1);
const I64_AFTER_NEXT = fieldHead(I64, 2);

/** What all entries of a column begin with: 1 type, 2 encodings, 3 path_in_schema, 4 codec of ColumnMetaData. */
function fixedPart(column: ParquetColumn): Uint8Array {
  const hasLevels = column.lists.length > 0 || isOptional(column);
  return Buffer.concat([
    fieldHead(STRUCT, 1),
    ...fieldParts([
      { i32: physicalOf(column.type).physical },
      { list: (hasLevels ? [PLAIN, RLE] : [PLAIN]).map(i32 => ({ i32 })) },
      { list: column.path.map(text => ({ text })) },
      { i32: UNCOMPRESSED },
    ]),
  ]);
}
