/**
 * Arrow's stream (https://arrow.apache.org/docs/format/Columnar.html): a schema, then record batches of some rows each.
 * Elements are little-endian. Rows of many columns without names are lists of one column; of more axes, tensors.
 */
import { isStructure, isText, isTime, leavesOf, type LeafDType } from '../dtype/index.js';
import { sizeOf } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { ArrowBatch } from './arrow-batch.js';
import { fieldOfDType, listsOf, writeField, writeMetadata, type ArrowField } from './arrow-types.js';
import type { Encoder, EncodingTable } from './encoder.js';
import { FlatBuffer } from './flat-buffer.js';
import { columnName } from './tabular.js';

const VERSION_5 = 4;
const SCHEMA = 1;
const RECORD_BATCH = 3;
const CONTINUED = 0xffffffff;
/** Of a field in the head of a batch: its node, and up to three buffers. */
const FIELD_BYTES = 16 + 3 * 16;
/** What these are padded by in the body, and where a last text ends. */
const PADDING_BYTES = 3 * 8 + 8;
const MESSAGE_BYTES = 512;

export function arrowEncoder(table: EncodingTable): Encoder {
  const fields = arrowFields(table);
  const unit = isStructure(table.dtype) ? 1 : table.columns;
  const rowBytes = table.dtype.itemsize * unit;
  const base = MESSAGE_BYTES + (FIELD_BYTES + PADDING_BYTES) * fields.reduce((sum, field) => sum + countOf(field), 0);
  const unitMax = unit * elementBytesMax(table);
  return {
    unit: Math.max(1, unit),
    bytesMax: elements => base + Math.ceil((elements / Math.max(1, unit)) * unitMax),
    bytesMin:
      table.rows *
      unit *
      leavesOf(table.dtype).reduce((sum, { dtype, shape }) => sum + sizeOf(shape) * elementBytesMin(dtype), 0),
    head: () => [arrowSchema(table.schema ?? {}, fields)],
    encode: (source, _first, target) => batchOf(fields, source, rowBytes, target),
    tail: () => [Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0)],
  };
}

export function arrowFields(table: EncodingTable): readonly ArrowField[] {
  const { dtype, columns, tensor } = table;
  if (isStructure(dtype)) return fieldOfDType('', dtype, 0).children;
  if (tensor) {
    const metadata = {
      'ARROW:extension:name': 'arrow.fixed_shape_tensor',
      'ARROW:extension:metadata': JSON.stringify({ shape: tensor }),
    };
    return [{ ...listsOf('data', [columns], dtype, 0), metadata }];
  }
  if (!table.names && columns > LIMITS.arrowColumnsMax) return [listsOf('data', [columns], dtype, 0)];
  return Array.from({ length: columns }, (_, i) => fieldOfDType(columnName(table, i), dtype, i * dtype.itemsize));
}

function countOf({ children }: ArrowField): number {
  return children.reduce((sum, child) => sum + countOf(child), 1);
}

/** Where a text ends, a date of 32 bits, or the data. */
function elementBytesMin(dtype: LeafDType): number {
  return dtype.kind === 'b' ? 1 / 8 : isText(dtype) || isTime(dtype) ? 4 : dtype.itemsize;
}

/** Data, a byte for what it may have of bits, and four for where a text begins. */
function elementBytesMax({ dtype }: EncodingTable): number {
  return leavesOf(dtype).reduce((sum, { dtype: leaf, shape }) => {
    const data = isText(leaf) ? 4 + (leaf.kind === 'S' ? 2 : 4) * leaf.length : leaf.itemsize;
    return sum + sizeOf(shape) * (data + (isTime(leaf) ? 2 : 1));
  }, 0);
}

/** The message of a schema. */
export function arrowSchema(schema: Readonly<Record<string, string>>, fields: readonly ArrowField[]): Uint8Array {
  const flat = new FlatBuffer();
  const list = flat.references(fields.map(field => writeField(flat, field)));
  const metadata = writeMetadata(flat, schema);
  const header = flat.table([{ bytes: 2, value: 0 }, { reference: list }, { reference: metadata }]);
  return framed(messageOf(flat, SCHEMA, header, 0));
}

function messageOf(flat: FlatBuffer, type: number, header: number, bodyBytes: number): Uint8Array {
  return flat.finish(
    flat.table([
      { bytes: 2, value: VERSION_5 },
      { bytes: 1, value: type },
      { reference: header },
      { bytes: 8, value: BigInt(bodyBytes) },
    ]),
  );
}

/** With its length before it, padded to eight bytes. */
function framed(message: Uint8Array): Buffer {
  const bytes = Math.ceil(message.byteLength / 8) * 8;
  const frame = Buffer.alloc(8 + bytes);
  frame.writeUInt32LE(CONTINUED, 0);
  frame.writeInt32LE(bytes, 4);
  frame.set(message, 8);
  return frame;
}

function batchOf(fields: readonly ArrowField[], source: Uint8Array, rowBytes: number, target: Uint8Array): number {
  const rows = rowBytes === 0 ? 0 : source.byteLength / rowBytes;
  // The head comes first and is known last: as long as it was for other numbers of the same fields.
  const count = fields.reduce((sum, field) => sum + countOf(field), 0);
  const start = Math.ceil((MESSAGE_BYTES / 2 + FIELD_BYTES * count) / 8) * 8;
  const batch = new ArrowBatch(source, target, start);
  for (const field of fields) batch.add(field, { axes: [{ length: rows, stride: rowBytes }], offset: 0 });
  const flat = new FlatBuffer(start + MESSAGE_BYTES);
  const nodes = flat.pairs(batch.nodes);
  const buffers = flat.pairs(batch.buffers);
  const header = flat.table([{ bytes: 8, value: BigInt(rows) }, { reference: nodes }, { reference: buffers }]);
  const head = framed(messageOf(flat, RECORD_BATCH, header, batch.bytes));
  target.set(head, 0);
  target.copyWithin(head.byteLength, start, start + batch.bytes);
  return head.byteLength + batch.bytes;
}
