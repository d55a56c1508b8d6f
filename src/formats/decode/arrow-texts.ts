/** Texts of a column of Arrow, one at a time: by where they begin, by views, or by their number in a dictionary. */
import { isUtf8 } from 'node:buffer';
import { fail } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import { shown } from '../../shown.js';
import { failArrow } from './arrow-messages.js';
import type { PlacedField } from './arrow-places.js';
import type { BodySource } from './decoder.js';
import { Window } from './window.js';

/** The text that was read last: a stretch of bytes. */
export interface TextReader {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  read(index: number): void;
}

/** Texts that are held whole. */
export interface HeldTexts {
  readonly bytes: Uint8Array;
  /** Where each begins, and where the last one ends. */
  readonly places: readonly number[];
}

/** @param stop no index is beyond it */
export function textReader(
  source: BodySource,
  column: PlacedField,
  stop: number,
  heldTexts: (id: number) => HeldTexts,
): TextReader {
  const { dictionary, type } = column.field;
  if (dictionary) return new IndexedTexts(source, column, stop, heldTexts(dictionary.id));
  if (type.kind === 'text' && type.form === 'view') return new ViewedTexts(source, column, stop);
  return new PlacedTexts(source, column, stop);
}

class PlacedTexts implements TextReader {
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  readonly #column: PlacedField;
  readonly #offsetBytes: 4 | 8;
  readonly #offsets: Window;
  readonly #texts: Window;

  constructor(source: BodySource, column: PlacedField, stop: number) {
    this.#column = column;
    const { type } = column.field;
    this.#offsetBytes = type.kind === 'text' && type.form === 'long' ? 8 : 4;
    this.#offsets = new Window(source, column.items.start + this.#offsetBytes * (stop + 1));
    const last = stop > 0 ? this.#offset(stop) : 0;
    this.#texts = new Window(source, column.texts[0]!.start + last);
  }

  #offset(index: number): number {
    const { start } = this.#column.items;
    const at = this.#offsets.place(start + this.#offsetBytes * index, this.#offsetBytes);
    const { view } = this.#offsets;
    const offset = this.#offsetBytes === 8 ? Number(view.getBigInt64(at, true)) : view.getInt32(at, true);
    if (offset < 0 || offset > this.#column.texts[0]!.bytes) failPlace(this.#column, index);
    return offset;
  }

  read(index: number): void {
    const from = this.#offset(index);
    const length = this.#offset(index + 1) - from;
    if (length < 0) failPlace(this.#column, index);
    checkLength(this.#column, length);
    this.start = this.#texts.place(this.#column.texts[0]!.start + from, length);
    this.end = this.start + length;
    this.bytes = this.#texts.bytes;
  }
}

/** A view has 16 bytes: the length, then the text, or four bytes of it, the number of a buffer, and the place in that. */
class ViewedTexts implements TextReader {
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  readonly #column: PlacedField;
  readonly #views: Window;
  readonly #texts: Window;

  constructor(source: BodySource, column: PlacedField, stop: number) {
    this.#column = column;
    this.#views = new Window(source, column.items.start + 16 * stop);
    this.#texts = new Window(
      source,
      column.texts.reduce((end, { start, bytes }) => Math.max(end, start + bytes), 0),
    );
  }

  read(index: number): void {
    const at = this.#views.place(this.#column.items.start + 16 * index, 16);
    const { view } = this.#views;
    const length = view.getInt32(at, true);
    if (length < 0) failPlace(this.#column, index);
    if (length <= 12) {
      this.start = at + 4;
      this.bytes = this.#views.bytes;
    } else {
      checkLength(this.#column, length);
      const buffer = this.#column.texts[view.getInt32(at + 8, true)];
      const from = view.getInt32(at + 12, true);
      if (!buffer || from < 0 || from + length > buffer.bytes) return failPlace(this.#column, index);
      this.start = this.#texts.place(buffer.start + from, length);
      this.bytes = this.#texts.bytes;
    }
    this.end = this.start + length;
  }
}

class IndexedTexts implements TextReader {
  readonly bytes: Uint8Array;
  start = 0;
  end = 0;
  readonly #column: PlacedField;
  readonly #indices: Window;
  readonly #places: readonly number[];

  constructor(source: BodySource, column: PlacedField, stop: number, { bytes, places }: HeldTexts) {
    this.bytes = bytes;
    this.#column = column;
    this.#places = places;
    this.#indices = new Window(source, column.items.start + column.field.dictionary!.bytes * stop);
  }

  read(index: number): void {
    const size = this.#column.field.dictionary!.bytes;
    const at = this.#indices.place(this.#column.items.start + size * index, size);
    const { view } = this.#indices;
    const number =
      size === 8
        ? Number(view.getBigInt64(at, true))
        : size === 4
          ? view.getUint32(at, true)
          : size === 2
            ? view.getUint16(at, true)
            : view.getUint8(at);
    const [start, end] = [this.#places[number], this.#places[number + 1]];
    if (start === undefined || end === undefined) return failPlace(this.#column, index);
    this.start = start;
    this.end = end;
  }
}

function failPlace({ field: { name } }: PlacedField, index: number): never {
  return failArrow(`text ${index} of the column ${shown(name)} lies beyond its buffer`);
}

function checkLength({ field: { name } }: PlacedField, length: number): void {
  const limit = LIMITS.itemsizeMax / 4;
  if (length <= limit) return;
  fail('too_large', `A text of the column ${shown(name)} has ${length} bytes; at most ${limit} are possible.`, {
    limit,
    asked: length,
  });
}

/** Characters of a text. @throws bad_value where it is not UTF-8 */
export function charactersOf({ bytes, start, end }: TextReader, name: string): number {
  let isAscii = true;
  for (let at = start; at < end; at++) if (bytes[at]! >= 0x80) isAscii = false;
  if (isAscii) return end - start;
  checkUtf8(bytes.subarray(start, end), name);
  let count = 0;
  for (let at = start; at < end; at++) if ((bytes[at]! & 0xc0) !== 0x80) count++;
  return count;
}

function checkUtf8(text: Uint8Array, name: string): void {
  if (isUtf8(text)) return;
  fail('bad_value', `A text of the column ${shown(name)} is no UTF-8. Write it anew as a string.`, {
    column: name.slice(0, 200),
  });
}
