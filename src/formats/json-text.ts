/** Items of text (`S`, `U`) as strings of JSON, in UTF-8: escapes where JSON wants them, and nowhere else. */
import { isCodePoint, REPLACEMENT, textLength, type TextDType } from '../dtype/index.js';
import type { Item, ItemSource, TextPieces } from './json-pieces.js';
import { CHARACTER_BYTES_MAX } from './json-size.js';
import { writeUtf8 } from './utf8.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;

/** Characters that are written at once. */
const PIECE = 2048;

/** Writes the characters from `start` to `stop` of the item that begins at a byte. */
type WriteCharacters = (offset: number, start: number, stop: number, target: Uint8Array, at: number) => number;

export function textItem(dtype: TextDType, source: ItemSource): Item {
  const textMax = CHARACTER_BYTES_MAX * dtype.length + 2;
  const writeCharacters = dtype.kind === 'S' ? byteCharacters(source) : pointCharacters(dtype, source);
  if (dtype.length <= PIECE) {
    return {
      textMax,
      write: (offset, target, at) => {
        target[at++] = QUOTE;
        at = writeCharacters(offset, 0, textLength(dtype, source.bytes, offset), target, at);
        target[at++] = QUOTE;
        return at;
      },
    };
  }
  return {
    textMax,
    *pieces(offset, out) {
      if (!out.hasRoom(1)) yield out.take();
      out.target[out.at++] = QUOTE;
      const length = textLength(dtype, source.bytes, offset);
      for (let start = 0; start < length; start += PIECE) {
        if (!out.hasRoom(PIECE * CHARACTER_BYTES_MAX)) yield out.take();
        out.at = writeCharacters(offset, start, Math.min(length, start + PIECE), out.target, out.at);
      }
      yield* closed(out);
    },
  };
}

function* closed(out: TextPieces): Generator<Uint8Array, void> {
  if (!out.hasRoom(1)) yield out.take();
  out.target[out.at++] = QUOTE;
}

function byteCharacters({ bytes }: ItemSource): WriteCharacters {
  return (offset, start, stop, target, at) => {
    for (let i = offset + start; i < offset + stop; i++) at = writePoint(bytes[i]!, target, at);
    return at;
  };
}

function pointCharacters({ byteOrder }: TextDType, { view }: ItemSource): WriteCharacters {
  const isLittle = byteOrder !== '>';
  return (offset, start, stop, target, at) => {
    for (let i = start; i < stop; i++) {
      const point = view.getUint32(offset + 4 * i, isLittle);
      at = writePoint(isCodePoint(point) ? point : REPLACEMENT, target, at);
    }
    return at;
  };
}

/** One character of a string: UTF-8, or an escape. */
function writePoint(point: number, target: Uint8Array, at: number): number {
  const isEscaped = point < SPACE || point === QUOTE || point === BACKSLASH;
  return isEscaped ? writeEscape(point, target, at) : writeUtf8(point, target, at);
}

/** `\n`, `\"`, `\u0000`: as JSON.stringify writes them. */
const ESCAPES: readonly Uint8Array[] = Array.from({ length: 0x80 }, (_, point) =>
  Buffer.from(JSON.stringify(String.fromCharCode(point)).slice(1, -1)),
);

function writeEscape(point: number, target: Uint8Array, at: number): number {
  const escape = ESCAPES[point]!;
  for (let i = 0; i < escape.length; i++) target[at + i] = escape[i]!;
  return at + escape.length;
}
