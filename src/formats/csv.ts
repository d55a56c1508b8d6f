/**
 * CSV (RFC 4180, lines end in LF): a line for each row, and one of names before them. Columns of a structure are its
 * innermost fields, `tag.a`, and each element of a sub-array, `pos.0`. A line of one empty cell is `""`, which no reader
 * takes for a blank line.
 */
import { isNumber, isStructure, leavesOf, type Leaf, type StructureDType } from '../dtype/index.js';
import { sizeOf } from '../layout/view.js';
import { cellBytesMax, cellWriter, csvName } from './csv-cells.js';
import type { Encoder, EncodingTable } from './encoder.js';
import { numberRuns, type WriteRun } from './json-elements.js';
import type { ItemSource, WriteItem } from './json-pieces.js';
import { columnName } from './tabular.js';
import { CSV_WORDS } from './words.js';

const COMMA = 0x2c;
const LINE_FEED = 0x0a;
const QUOTE = 0x22;

/** Names that are put into one piece of the line of names. */
const NAMES_PER_PIECE = 1024;

/** A comma or the end of a line, and the two quotes of a lone empty cell. */
const AROUND_BYTES = 3;

export function csvEncoder(table: EncodingTable): Encoder {
  const { dtype, columns, header } = table;
  const elementBytes = isStructure(dtype)
    ? AROUND_BYTES + leavesOf(dtype).reduce((sum, leaf) => sum + sizeOf(leaf.shape) * (cellBytesMax(leaf.dtype) + 1), 0)
    : AROUND_BYTES + cellBytesMax(dtype);
  return {
    unit: 1,
    bytesMax: elements => elements * elementBytes,
    bytesMin: table.rows * (isStructure(dtype) ? 1 : columns) * (isNumber(dtype) ? 2 : 1),
    head: () => (header ? headOf(namesOf(table)) : []),
    encode(source, first, target) {
      const write = isStructure(dtype) ? structureRows(dtype, source) : undefined;
      return write?.(0, source.byteLength, target) ?? plainRows(table, source, first, target);
    },
    tail: () => [],
  };
}

function* headOf(names: Iterable<string>): Generator<Uint8Array> {
  let text = '';
  let count = 0;
  for (const name of names) {
    text += `${count === 0 ? '' : ','}${csvName(name)}`;
    if (++count % NAMES_PER_PIECE !== 0) continue;
    yield Buffer.from(text);
    text = '';
  }
  yield Buffer.from(`${text}\n`);
}

function* namesOf(table: EncodingTable): Generator<string> {
  const { dtype, columns } = table;
  if (isStructure(dtype)) for (const leaf of leavesOf(dtype)) yield* leafNames(leaf.path.join('.'), leaf.shape);
  else for (let column = 0; column < columns; column++) yield columnName(table, column);
}

/** `pos.0.1`: a name for each element of a sub-array. */
function* leafNames(name: string, [length, ...inner]: readonly number[]): Generator<string> {
  if (length === undefined) yield name;
  else for (let i = 0; i < length; i++) yield* leafNames(`${name}.${i}`, inner);
}

/** Elements of which `columns` are a row. The first may stand anywhere in one. */
function plainRows({ dtype, columns }: EncodingTable, source: Uint8Array, first: number, target: Uint8Array): number {
  const elements = source.byteLength / dtype.itemsize;
  const write = runsOf(dtype as Leaf['dtype'], source);
  let at = 0;
  for (let element = 0; element < elements;) {
    const column = (first + element) % columns;
    const stop = Math.min(elements, element + columns - column);
    at = write(element, stop, target, at);
    if (column + stop - element === columns) at = endLine(columns === 1, target, at);
    element = stop;
  }
  return at;
}

/** In place of the comma behind the last cell. */
function endLine(isLone: boolean, target: Uint8Array, at: number): number {
  const isEmpty = isLone && (at === 1 || target[at - 2] === LINE_FEED);
  at--;
  if (isEmpty) {
    target[at++] = QUOTE;
    target[at++] = QUOTE;
  }
  target[at++] = LINE_FEED;
  return at;
}

/** Cells with a comma behind each. */
function runsOf(dtype: Leaf['dtype'], bytes: Uint8Array): WriteRun {
  if (isNumber(dtype)) return numberRuns(dtype, bytes, { int64: 'number' }, CSV_WORDS);
  const { itemsize } = dtype;
  const write = cellWriter(dtype, sourceOf(bytes));
  return (start, stop, target, at) => {
    for (let i = start; i < stop; i++) {
      at = write(i * itemsize, target, at);
      target[at++] = COMMA;
    }
    return at;
  };
}

/** Lines of whole items. */
function structureRows(
  dtype: StructureDType,
  bytes: Uint8Array,
): (start: number, stop: number, target: Uint8Array) => number {
  const source = sourceOf(bytes);
  const leaves = leavesOf(dtype).map(leaf => leafCells(leaf, cellWriter(leaf.dtype, source)));
  const isLone = leavesOf(dtype).reduce((sum, leaf) => sum + sizeOf(leaf.shape), 0) === 1;
  return (start, stop, target) => {
    let at = 0;
    for (let offset = start; offset < stop; offset += dtype.itemsize) {
      const before = at;
      for (const write of leaves) at = write(offset, target, at);
      // A structure without elements has nothing, and no comma, in its lines.
      if (at === before) target[at++] = COMMA;
      at = endLine(isLone, target, at);
    }
    return at;
  };
}

/** All elements of a field of one item. */
function leafCells({ shape, strides, offset }: Leaf, write: WriteItem): WriteItem {
  const along = (axis: number): WriteItem => {
    if (axis === shape.length) {
      return (place, target, at) => {
        at = write(place, target, at);
        target[at++] = COMMA;
        return at;
      };
    }
    const inner = along(axis + 1);
    const length = shape[axis]!;
    const stride = strides[axis]!;
    return (place, target, at) => {
      for (let i = 0; i < length; i++) at = inner(place + i * stride, target, at);
      return at;
    };
  };
  const all = along(0);
  return (item, target, at) => all(item + offset, target, at);
}

function sourceOf(bytes: Uint8Array): ItemSource {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes, view, isQuoted: false, words: CSV_WORDS };
}
