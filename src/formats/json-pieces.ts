/**
 * Items as JSON text, put together from smaller ones: literal text, items behind each other, lists of them. Short ones
 * write at once; what may be longer than a turn is written in pieces. Hazard: short writers do not check for room; a caller
 * leaves `textMax` bytes.
 */
import type { Words } from './words.js';

const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** Writes the item that begins at a byte; returns the position behind its text. */
export type WriteItem = (offset: number, target: Uint8Array, at: number) => number;

/** Text no longer than SHORT_TEXT_MAX. */
export interface ShortItem {
  readonly textMax: number;
  readonly write: WriteItem;
}

/** Text of any length, in pieces. */
export interface LongItem {
  readonly textMax: number;
  /** Yields what is full; what is not is left in `out`. */
  readonly pieces: (offset: number, out: TextPieces) => Generator<Uint8Array, void>;
}

export type Item = ShortItem | LongItem;

/** The scratch that writers share, as far as it is filled. */
export interface TextPieces {
  readonly target: Uint8Array;
  at: number;
  hasRoom(bytes: number): boolean;
  /** A copy of what is there; then there is nothing. */
  take(): Uint8Array;
}

/** What is written without a look at the clock: a fraction of a millisecond. */
export const SHORT_TEXT_MAX = 16 * 1024;

/** Where the bytes of the items are, and how they are written. */
export interface ItemSource {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Whether 64-bit integers stand in quotes. */
  readonly isQuoted: boolean;
  /** In place of JSON's own, where another format is written. */
  readonly words?: Words | undefined;
}

export function isShort(item: Item): item is ShortItem {
  return 'write' in item;
}

/** An item and where it begins, in bytes from what it is a part of. */
export interface Part {
  readonly offset: number;
  readonly item: Item;
}

const LITERAL_BYTES = 4096;

/** Text that is the same for every item. */
export function literals(text: Uint8Array): ShortItem[] {
  const items: ShortItem[] = [];
  for (let at = 0; at < text.length; at += LITERAL_BYTES) items.push(literal(text.subarray(at, at + LITERAL_BYTES)));
  return items;
}

export function literal(text: Uint8Array): ShortItem {
  const { length } = text;
  return {
    textMax: length,
    write: (_offset, target, at) => {
      for (let i = 0; i < length; i++) target[at + i] = text[i]!;
      return at + length;
    },
  };
}

/** Items one behind the other. */
export function sequence(parts: readonly Part[]): Item {
  const textMax = parts.reduce((sum, { item }) => sum + item.textMax, 0);
  const shortParts = parts.flatMap(({ offset, item }) => (isShort(item) ? [{ offset, write: item.write }] : []));
  if (textMax <= SHORT_TEXT_MAX && shortParts.length === parts.length) {
    return {
      textMax,
      write: (offset, target, at) => {
        for (const part of shortParts) at = part.write(offset + part.offset, target, at);
        return at;
      },
    };
  }
  return {
    textMax,
    *pieces(offset, out) {
      for (const part of parts) yield* piecesOf(part.item, offset + part.offset, out);
    },
  };
}

/** Items side by side, as a list. */
export function list(length: number, stride: number, item: Item): Item {
  const textMax = length * (item.textMax + 1) + 1;
  if (textMax <= SHORT_TEXT_MAX && isShort(item)) {
    const { write } = item;
    return {
      textMax,
      write: (offset, target, at) => {
        for (let i = 0; i < length; i++) {
          target[at++] = i === 0 ? OPEN : COMMA;
          at = write(offset + i * stride, target, at);
        }
        target[at++] = CLOSE;
        return at;
      },
    };
  }
  return {
    textMax,
    *pieces(offset, out) {
      for (let i = 0; i < length; i++) {
        yield* piecesOf(i === 0 ? OPEN_ITEM : COMMA_ITEM, 0, out);
        yield* piecesOf(item, offset + i * stride, out);
      }
      yield* piecesOf(CLOSE_ITEM, 0, out);
    },
  };
}

const OPEN_ITEM = literal(Uint8Array.of(OPEN));
const COMMA_ITEM = literal(Uint8Array.of(COMMA));
const CLOSE_ITEM = literal(Uint8Array.of(CLOSE));

/** The text of an item of any length. */
export function* piecesOf(item: Item, offset: number, out: TextPieces): Generator<Uint8Array, void> {
  if (!isShort(item)) return yield* item.pieces(offset, out);
  if (!out.hasRoom(item.textMax)) yield out.take();
  out.at = item.write(offset, out.target, out.at);
}
