/** Where the columns of a batch stand in the body: each field with its buffers, which have room for what it is said to have. */
import type { ArrowIn } from './arrow-schema.js';
import { failArrow, type Batch } from './arrow-messages.js';
import { shown } from '../../shown.js';

export interface Range {
  readonly start: number;
  readonly bytes: number;
}

export interface PlacedField {
  readonly field: ArrowIn;
  readonly length: number;
  readonly nulls: number;
  /** A bit for each item; none where all are there. */
  readonly validity: Range;
  /** Items, indices, or where texts begin. */
  readonly items: Range;
  /** Texts themselves: one stretch, or those that views name. */
  readonly texts: readonly Range[];
  readonly children: readonly PlacedField[];
}

const NOTHING: Range = { start: 0, bytes: 0 };

/** @throws bad_table */
export function placeFields(fields: readonly ArrowIn[], batch: Batch): readonly PlacedField[] {
  let [node, buffer, variadic] = [0, 0, 0];
  const nextBuffer = (field: ArrowIn): Range => {
    if (2 * buffer + 1 >= batch.buffers.length) failArrow(`a batch has no buffers for the column ${shown(field.name)}`);
    const at = 2 * buffer++;
    return { start: batch.buffers[at]!, bytes: batch.buffers[at + 1]! };
  };
  const place = (field: ArrowIn, least: number): PlacedField => {
    if (2 * node + 1 >= batch.nodes.length) failArrow(`a batch has no column ${shown(field.name)}`);
    const [length, nulls] = [batch.nodes[2 * node]!, batch.nodes[2 * node + 1]!];
    node++;
    if (length < least) failArrow(`the column ${shown(field.name)} has ${length} items, not ${least}`);
    const validity = nextBuffer(field);
    if (nulls !== 0) checkRoom(field, validity, length / 8);
    const placed = { field, length: least, nulls, validity, items: NOTHING, texts: [], children: [] };
    const { type, children } = field;
    if (type.kind === 'struct') return { ...placed, children: children.map(child => place(child, least)) };
    if (type.kind === 'list') return { ...placed, children: children.map(child => place(child, least * type.length)) };
    const items = nextBuffer(field);
    checkRoom(field, items, itemsBytes(field, least));
    if (type.kind !== 'text' || field.dictionary) return { ...placed, items };
    const count = type.form === 'view' ? (batch.variadic[variadic++] ?? 0) : 1;
    if (count < 0 || count > batch.buffers.length) failArrow(`the column ${shown(field.name)} has ${count} buffers`);
    return { ...placed, items, texts: Array.from({ length: count }, () => nextBuffer(field)) };
  };
  return fields.map(field => place(field, batch.rows));
}

/** Bytes that so many items take at least. */
function itemsBytes({ type, dictionary }: ArrowIn, length: number): number {
  if (dictionary) return length * dictionary.bytes;
  if (type.kind === 'items') return length * type.bytes;
  if (type.kind === 'bool') return length / 8;
  if (type.kind === 'days') return 4 * length;
  if (type.kind !== 'text' || length === 0) return 0;
  return { short: 4 * (length + 1), long: 8 * (length + 1), view: 16 * length }[type.form];
}

function checkRoom({ name }: ArrowIn, { bytes }: Range, needed: number): void {
  if (bytes < needed) failArrow(`a buffer of the column ${shown(name)} has ${bytes} bytes, not ${Math.ceil(needed)}`);
}
