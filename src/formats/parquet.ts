/**
 * Files of Parquet (https://parquet.apache.org/docs/file-format): groups of rows, each a chunk for every column, and a
 * footer that says where they are. Of a group, and no more, all is in memory. Rows of many columns without names are
 * lists of one column, as in Arrow.
 */
import { isStructure } from '../dtype/index.js';
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';
import { arrowFields, arrowSchema } from './arrow.js';
import type { ArrowField } from './arrow-types.js';
import { columnBytes } from './column-items.js';
import type { Encoder, EncodingTable } from './encoder.js';
import { columnsOf, needsArrow, parquetField, type ParquetColumn } from './parquet-columns.js';
import { footerPieces, groupEntryBytes, type RowGroup } from './parquet-footer.js';
import { chunkBytesMax, chunkBytesMin, writeChunk } from './parquet-pages.js';

const MAGIC = Buffer.from('PAR1');

export function parquetEncoder(table: EncodingTable): Encoder {
  const fields = arrowFields(table).map(parquetField);
  const columns = columnsOf(fields);
  const unit = Math.max(1, isStructure(table.dtype) ? 1 : table.columns);
  const rowBytes = table.dtype.itemsize * unit;
  const groupRows = rowsOfGroup(table, columns, rowBytes);
  // Behind a group stand its rows and the bytes of each chunk, for who writes the footer.
  const noteBytes = 4 + 4 * columns.length;
  const bytesMax = (rows: number): number =>
    noteBytes + columns.reduce((sum, column) => sum + chunkBytesMax(column, rows), 0);
  const groups: RowGroup[] = [];
  return {
    unit,
    group: unit * groupRows,
    bytesMax: elements => bytesMax(Math.ceil(elements / unit)),
    bytesMin: columns.reduce((sum, column) => sum + chunkBytesMin(column, table.rows), 0),
    head: () => [MAGIC],
    encode: (source, _first, target) => writeGroup(columns, source, rowBytes, target),
    note(target, written) {
      const group = readNote(columns.length, target, written);
      if (group.rows > 0) groups.push(group);
    },
    tail: () => footerPieces(fields, groups, notesOf(table, fields), MAGIC.byteLength),
  };
}

/**
 * Some megabytes, and more where columns are many, so that what the footer says of each chunk is little beside it.
 * @throws too_large where it is much all the same
 */
function rowsOfGroup({ rows }: EncodingTable, columns: readonly ParquetColumn[], rowBytes: number): number {
  const encodedBytes = columns.reduce((sum, column) => sum + chunkBytesMax(column, 1) - chunkBytesMax(column, 0), 0);
  const wanted = Math.max(LIMITS.parquetGroupBytes, columns.length * LIMITS.parquetChunkBytes);
  const bytes = Math.min(wanted, LIMITS.parquetGroupBytesMax);
  const fitting = Math.max(1, Math.floor(bytes / Math.max(1, rowBytes, encodedBytes)));
  const footerBytes = Math.ceil(rows / fitting) * groupEntryBytes(columns);
  if (footerBytes > LIMITS.parquetFooterBytesMax) {
    fail(
      'too_large',
      `${columns.length} columns of ${rows} rows are described by ${footerBytes} bytes in Parquet; at most ${LIMITS.parquetFooterBytesMax} are possible. Ask for fewer columns, or for format=arrow.`,
      { limit: LIMITS.parquetFooterBytesMax, asked: footerBytes },
    );
  }
  return Math.max(1, Math.min(fitting, rows));
}

function writeGroup(columns: readonly ParquetColumn[], bytes: Uint8Array, rowBytes: number, into: Uint8Array): number {
  const [source, target] = [columnBytes(bytes), columnBytes(into)];
  const count = rowBytes === 0 || columns.length === 0 ? 0 : bytes.byteLength / rowBytes;
  const ends: number[] = [];
  let at = 0;
  if (count > 0)
    for (const column of columns) {
      at = writeChunk(column, source, { count, stride: rowBytes }, target, at);
      ends.push(at);
    }
  target.view.setUint32(at, count, true);
  for (const [i, end] of ends.entries()) target.view.setUint32(at + 4 + 4 * i, end - (ends[i - 1] ?? 0), true);
  return at;
}

function readNote(count: number, { buffer, byteOffset }: Uint8Array, written: number): RowGroup {
  const view = new DataView(buffer, byteOffset + written);
  return {
    rows: view.getUint32(0, true),
    chunks: Uint32Array.from({ length: count }, (_, i) => view.getUint32(4 + 4 * i, true)),
  };
}

function notesOf({ schema = {} }: EncodingTable, fields: readonly ArrowField[]): Readonly<Record<string, string>> {
  if (!needsArrow(fields)) return schema;
  return { ...schema, 'ARROW:schema': Buffer.from(arrowSchema({}, fields)).toString('base64') };
}
