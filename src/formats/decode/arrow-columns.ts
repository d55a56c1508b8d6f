/** Columns of a batch → items of numpy, wherever they stand in rows. What is null is NaN or NaT, and text without characters. */
import { isText, NAT, type DType, type TextFault } from '../../dtype/index.js';
import { fail } from '../../errors.js';
import { shown } from '../../shown.js';
import { eachPlace, type ColumnTarget, type Places } from '../column-items.js';
import { textSink } from '../json-strings.js';
import type { PlacedField } from './arrow-places.js';
import type { RowField } from './arrow-rows.js';
import { charactersOf, textReader, type HeldTexts } from './arrow-texts.js';
import type { BodySource } from './decoder.js';
import { Window } from './window.js';

export interface ColumnSources {
  readonly source: BodySource;
  readonly heldTexts: (id: number) => HeldTexts;
}

/** A stretch of items of a column. */
interface Stretch {
  readonly start: number;
  readonly count: number;
  /** 1 for each that is null because what it is in is. */
  readonly nulls: Uint8Array | undefined;
}

/** Writes items of a column to places of the target, which is all zeros. @throws would_lose, bad_value, bad_table */
export function writeColumn(
  sources: ColumnSources,
  column: PlacedField,
  row: RowField,
  stretch: Stretch,
  places: Places,
  target: ColumnTarget,
): void {
  const nulls = nullsOf(sources.source, column, stretch);
  const own = { ...stretch, nulls };
  const { type } = column.field;
  if (type.kind === 'struct') {
    for (const [i, child] of column.children.entries()) {
      const inner = { axes: places.axes, offset: places.offset + row.offsets[i]! };
      writeColumn(sources, child, row.children[i]!, own, inner, target);
    }
  } else if (type.kind === 'list') {
    const { length } = type;
    const [child] = row.children;
    const inner = { ...places, axes: [...places.axes, { length, stride: child!.bytes }] };
    writeColumn(sources, column.children[0]!, child!, repeated(own, length), inner, target);
  } else writeLeaf(sources, column, row.dtype, own, places, target);
}

function repeated({ start, count, nulls }: Stretch, times: number): Stretch {
  const inner = nulls && Uint8Array.from({ length: count * times }, (_, i) => nulls[Math.floor(i / times)]!);
  return { start: start * times, count: count * times, nulls: inner };
}

function nullsOf(
  source: BodySource,
  { nulls, validity }: PlacedField,
  { start, count, nulls: outer }: Stretch,
): Uint8Array | undefined {
  if (nulls === 0 || count === 0) return outer;
  const all = outer?.slice() ?? new Uint8Array(count);
  // In parts, since a bitmap may be long.
  const bits = new Window(source, validity.start + validity.bytes);
  for (let i = 0; i < count; i++) {
    const index = start + i;
    const at = bits.place(validity.start + Math.floor(index / 8), 1);
    if (((bits.bytes[at]! >> (index % 8)) & 1) === 0) all[i] = 1;
  }
  return all.includes(1) ? all : outer;
}

function writeLeaf(
  { source, heldTexts }: ColumnSources,
  column: PlacedField,
  dtype: DType,
  { start, count, nulls }: Stretch,
  places: Places,
  target: ColumnTarget,
): void {
  const { type } = column.field;
  const writeNull = nullWriter(column, dtype, target);
  let write: (index: number, place: number) => void;
  if (isText(dtype)) {
    write = textWriter(column, dtype, textReader(source, column, start + count, heldTexts), target);
  } else if (type.kind === 'bool') {
    const bits = new Window(source, column.items.start + Math.ceil((start + count) / 8));
    write = (index, place) => {
      const at = bits.place(column.items.start + Math.floor(index / 8), 1);
      target.bytes[place] = (bits.bytes[at]! >> (index % 8)) & 1;
    };
  } else write = itemWriter(source, column, start + count, target);
  let i = 0;
  eachPlace(places, place => {
    const index = start + i;
    if (nulls?.[i] === 1) writeNull(place);
    else write(index, place);
    i++;
  });
}

function itemWriter(
  source: BodySource,
  { field: { type }, items }: PlacedField,
  stop: number,
  target: ColumnTarget,
): (index: number, place: number) => void {
  const size = type.kind === 'items' ? type.bytes : 4;
  const window = new Window(source, items.start + size * stop);
  const { bytes, view } = target;
  return (index, place) => {
    const at = window.place(items.start + size * index, size);
    if (type.kind === 'days') view.setBigInt64(place, BigInt(window.view.getInt32(at, true)), true);
    else if (size === 8) view.setBigUint64(place, window.view.getBigUint64(at, true), true);
    else if (size === 4) view.setUint32(place, window.view.getUint32(at, true), true);
    else if (size === 2) view.setUint16(place, window.view.getUint16(at, true), true);
    else if (size === 1) bytes[place] = window.bytes[at]!;
    else bytes.set(window.bytes.subarray(at, at + size), place);
  };
}

function textWriter(
  { field: { name } }: PlacedField,
  dtype: Extract<DType, { kind: 'S' | 'U' }>,
  reader: ReturnType<typeof textReader>,
  target: ColumnTarget,
): (index: number, place: number) => void {
  const sink = textSink(dtype, target);
  const check = (fault: TextFault | undefined): void => {
    if (!fault) return;
    fail(fault.code, `A text of the column ${shown(name)} cannot be ${dtype.name}: ${fault.why}.`, {
      column: name.slice(0, 200),
      dtype: dtype.typestr,
    });
  };
  return (index, place) => {
    reader.read(index);
    const { bytes, start, end } = reader;
    charactersOf(reader, name);
    sink.begin(place);
    for (let at = start; at < end;) {
      const byte = bytes[at++]!;
      const more = byte < 0x80 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
      let point = more === 0 ? byte : byte & (0x3f >> more);
      for (let i = 0; i < more; i++) point = (point << 6) | (bytes[at++]! & 0x3f);
      check(sink.put(point));
    }
    check(sink.end());
  };
}

/** @throws would_lose where the dtype has nothing that is missing */
function nullWriter({ field: { name } }: PlacedField, dtype: DType, { view }: ColumnTarget): (place: number) => void {
  if (dtype.kind === 'M' || dtype.kind === 'm') return place => view.setBigInt64(place, NAT, true);
  if (dtype.kind === 'f') {
    return place => {
      if (dtype.itemsize === 2) view.setUint16(place, 0x7e00, true);
      else if (dtype.itemsize === 4) view.setFloat32(place, Number.NaN, true);
      else view.setFloat64(place, Number.NaN, true);
    };
  }
  if (isText(dtype)) return () => {};
  return () => failNull(name, dtype);
}

export function failNull(name: string, dtype: Pick<DType, 'name' | 'typestr'>): never {
  return fail(
    'would_lose',
    `The column ${shown(name)} has a null, which ${dtype.name} has not. Fill it with a value, or cast the column to float64.`,
    { column: name.slice(0, 200), dtype: dtype.typestr },
  );
}
