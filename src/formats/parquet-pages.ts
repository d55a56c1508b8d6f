/**
 * A column of some rows as a chunk of one page: levels, which tell lists and nulls, then values as they are, without
 * compression.
 */
import { NAT, type TextDType } from '../dtype/index.js';
import {
  copyBits,
  copyItems,
  copyText,
  eachPlace,
  fittingCount,
  type ColumnSource,
  type ColumnTarget,
  type Places,
} from './column-items.js';
import { isOptional, elementsOfRow, type ParquetColumn } from './parquet-columns.js';
import { thriftBytes, varint } from './thrift.js';

/** The head of a page, and what stands before levels and behind them. */
const PAGE_BYTES = 96;
const DATA_PAGE = 0;
const PLAIN = 0;
const RLE = 3;

/** The most bytes that the chunk of so many rows takes. */
export function chunkBytesMax(column: ParquetColumn, rows: number): number {
  const levelBits = bitsOf(column.lists.length) + bitsOf(definitionMax(column));
  return PAGE_BYTES + Math.ceil(rows * elementsOfRow(column) * (valueBytesMax(column) + levelBits / 8));
}

/** And the least. */
export function chunkBytesMin(column: ParquetColumn, rows: number): number {
  const least = { bool: 1 / 8, utf8: 4, date: 1 / 8, timestamp: 1 / 8, duration: 1 / 8 } as Record<string, number>;
  return rows * elementsOfRow(column) * (least[column.type.kind] ?? column.type.dtype.itemsize);
}

function valueBytesMax({ type }: ParquetColumn): number {
  if (type.kind === 'utf8') {
    const { kind, length } = type.dtype as TextDType;
    return 4 + (kind === 'S' ? 2 : 4) * length;
  }
  return type.kind === 'int' ? Math.max(4, type.dtype.itemsize) : type.dtype.itemsize;
}

function definitionMax(column: ParquetColumn): number {
  return column.lists.length + (isOptional(column) ? 1 : 0);
}

/** Bits that numbers up to a greatest one take. */
function bitsOf(max: number): number {
  return 32 - Math.clz32(max);
}

/** @returns the position behind the chunk, of which the head of its page is written last */
export function writeChunk(
  column: ParquetColumn,
  source: ColumnSource,
  rows: { readonly count: number; readonly stride: number },
  target: ColumnTarget,
  at: number,
): number {
  const start = at + PAGE_BYTES;
  const axes = [{ length: rows.count, stride: rows.stride }, ...column.lists];
  const places = { axes, offset: column.offset };
  const entries = rows.count * elementsOfRow(column);
  const levelled = writeRepetitions(column, entries, target, start);
  const defined = writeDefinitions(column, { entries, places }, source, target, levelled);
  const end = writeValues(column, source, places, target, defined);
  const bytes = { i32: end - start };
  const data = { struct: [{ i32: entries }, { i32: PLAIN }, { i32: RLE }, { i32: RLE }] };
  const head = thriftBytes([{ i32: DATA_PAGE }, bytes, bytes, undefined, data]);
  target.bytes.set(head, at);
  target.bytes.copyWithin(at + head.byteLength, start, end);
  return at + head.byteLength + end - start;
}

/** At which list each element goes on: 0 where it begins a row, 1 where it begins another item of the outermost list. */
function writeRepetitions({ lists }: ParquetColumn, entries: number, target: ColumnTarget, at: number): number {
  if (lists.length === 0) return at;
  const ofRow = repetitionsOf(lists.map(({ length }) => length));
  return writePacked(entries, bitsOf(lists.length), i => ofRow[i % ofRow.length]!, target, at);
}

/** Of [2, 2]: 0, 2, 1, 2. */
function repetitionsOf(lengths: readonly number[]): Uint8Array {
  const size = lengths.reduce((product, length) => product * length, 1);
  const levels = new Uint8Array(size);
  let inner = size;
  for (const [depth, length] of lengths.entries()) {
    inner /= length;
    // What begins no item of this list goes on in one that is further inside.
    for (let i = 0; i < size; i++) if (i % (inner * length) !== 0) levels[i] = depth + 1;
  }
  return levels;
}

/** Lists always have items, so that a level tells only which values are null. */
function writeDefinitions(
  column: ParquetColumn,
  { entries, places }: { readonly entries: number; readonly places: Places },
  { view }: ColumnSource,
  target: ColumnTarget,
  at: number,
): number {
  const max = definitionMax(column);
  if (max === 0) return at;
  if (!isOptional(column)) return writeRepeated(entries, max, bitsOf(max), target, at);
  const isThere = new Uint8Array(entries);
  let i = 0;
  eachPlace(places, place => {
    isThere[i++] = view.getBigInt64(place, true) === NAT ? 0 : 1;
  });
  if (!isThere.includes(0)) return writeRepeated(entries, max, bitsOf(max), target, at);
  return writePacked(entries, bitsOf(max), index => max - 1 + isThere[index]!, target, at);
}

/** One level for all. */
function writeRepeated(entries: number, level: number, bits: number, target: ColumnTarget, at: number): number {
  const run = varint(2 * entries);
  target.bytes.set(run, at + 4);
  let end = at + 4 + run.byteLength;
  for (let shift = 0; shift < bits; shift += 8) target.bytes[end++] = (level >> shift) & 0xff;
  target.view.setUint32(at, end - at - 4, true);
  return end;
}

/** Levels side by side in as many bits as each takes, in groups of eight. */
function writePacked(
  entries: number,
  bits: number,
  levelOf: (entry: number) => number,
  target: ColumnTarget,
  at: number,
): number {
  const groups = Math.ceil(entries / 8);
  const run = varint(2 * groups + 1);
  target.bytes.set(run, at + 4);
  const start = at + 4 + run.byteLength;
  const end = start + groups * bits;
  target.bytes.fill(0, start, end);
  let position = 8 * start;
  for (let i = 0; i < entries; i++) {
    const shifted = levelOf(i) << (position & 7);
    for (let byte = position >>> 3, rest = shifted; rest > 0; byte++, rest >>= 8) target.bytes[byte]! |= rest & 0xff;
    position += bits;
  }
  target.view.setUint32(at, end - at - 4, true);
  return end;
}

function writeValues(
  { type }: ParquetColumn,
  source: ColumnSource,
  places: Places,
  target: ColumnTarget,
  at: number,
): number {
  if (type.kind === 'bool') return copyBits(places, place => source.bytes[place] !== 0, target, at);
  if (type.kind === 'utf8') return writeTexts(type.dtype as TextDType, source, places, target, at);
  if ('factor' in type) return writeTimes(type, source, places, target, at);
  const { itemsize } = type.dtype;
  if (type.kind === 'int' && itemsize < 4) return widenItems(type, source, places, target, at);
  return copyItems(source, places, itemsize, target, at);
}

function widenItems(
  { dtype: { itemsize }, isSigned }: Extract<ParquetColumn['type'], { kind: 'int' }>,
  { bytes, view }: ColumnSource,
  places: Places,
  target: ColumnTarget,
  at: number,
): number {
  eachPlace(places, place => {
    const value = itemsize === 1 ? bytes[place]! : view.getUint16(place, true);
    const unused = 32 - 8 * itemsize;
    target.view.setInt32(at, isSigned ? (value << unused) >> unused : value, true);
    at += 4;
  });
  return at;
}

/** Each with its length before it. */
function writeTexts(
  dtype: TextDType,
  source: ColumnSource,
  places: Places,
  { bytes, view }: ColumnTarget,
  at: number,
): number {
  eachPlace(places, place => {
    const end = copyText(dtype, source, place, bytes, at + 4);
    view.setUint32(at, end - at - 4, true);
    at = end;
  });
  return at;
}

/** Counts that are there. */
function writeTimes(
  { kind, factor, dtype }: Extract<ParquetColumn['type'], { factor: bigint }>,
  { view }: ColumnSource,
  places: Places,
  target: ColumnTarget,
  at: number,
): number {
  const itemsize = kind === 'date' ? 4 : 8;
  eachPlace(places, place => {
    const count = view.getBigInt64(place, true);
    if (count === NAT) return;
    const fitted = fittingCount(count * factor, 8 * itemsize, dtype.name);
    if (itemsize === 4) target.view.setInt32(at, Number(fitted), true);
    else target.view.setBigInt64(at, fitted, true);
    at += itemsize;
  });
  return at;
}
