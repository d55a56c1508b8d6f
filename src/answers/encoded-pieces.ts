/**
 * Pieces of elements as pieces of a format that is not their bytes: encoded by workers, two at a time for who takes large
 * ones, while the piece before is being sent; short ones here. Memory per answer: three pieces more; two rows and one to
 * put them together, where a row is longer than a piece, and the same of groups of rows.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PieceMemory } from '../dataset/buffers.js';
import type { PieceReader } from '../dataset/pieces.js';
import type { Encoder, EncodeTask, EncodingSpec } from '../formats/index.js';
import { LIMITS } from '../limits.js';

/** Elements of an answer, in the dtype that they are sent in, in shared memory. */
export interface Elements {
  readonly pieces: PieceReader;
  readonly itemsize: number;
  /** Bytes that each takes while it is read: as it is in the file, or as it is sent. */
  readonly readBytes: number;
}

export interface Encoding {
  readonly encoder: Encoder;
  readonly spec: EncodingSpec;
  /** By a worker. */
  readonly encode: (task: EncodeTask) => Promise<number>;
}

/** Text of so few bytes at most is written within a millisecond. */
const QUICK_BYTES_MAX = 64 * 1024;

export function isQuickEncoding(encoder: Encoder, elements: number): boolean {
  return encoder.bytesMax(elements) <= QUICK_BYTES_MAX;
}

export function encodedPieces(elements: Elements, { encoder, spec, encode }: Encoding): PieceReader {
  const head = encoder.head()[Symbol.iterator]();
  /** Whether a unit fits a piece: then there are two pieces of elements, and the second is read while one is encoded. */
  const isAhead = !encoder.group && encoder.unit * elements.readBytes <= LIMITS.pieceBytesMax;
  const memory = new PieceMemory(
    () => {
      void groups.free();
      elements.pieces.close();
    },
    isAhead ? 3 : 2,
  );
  const groups = new PieceMemory(() => {}, 1);
  let first = 0;
  let tail: Iterator<Uint8Array> | undefined;

  /** What is left of a group that is more than a piece. */
  let rest: Uint8Array = new Uint8Array(0);
  const cut = (bytes: Uint8Array, bytesMax: number): Uint8Array => {
    rest = bytes.subarray(bytesMax);
    return bytes.subarray(0, bytesMax);
  };

  let reading: Promise<Uint8Array | undefined> = Promise.resolve(undefined);
  const encoded = async (bytesMax: number): Promise<Encoded | undefined> => {
    const source = await (reading = reading.then(() => nextUnits(encoder, elements, bytesMax, groups)));
    if (!source) return undefined;
    const count = source.byteLength / elements.itemsize;
    const target = memory.next(encoder.bytesMax(count));
    const task = { spec, source, first, target };
    first += count;
    const written = isQuickEncoding(encoder, count) ? encoder.encode(source, task.first, target) : await encode(task);
    return { target, written };
  };
  /** Begun, in order: at most the one that is asked for and the one behind it. */
  const begun: Promise<Encoded | undefined>[] = [];
  const begin = (bytesMax: number): void => {
    const next = encoded(bytesMax);
    // Where it fails and nobody asks for it, nothing is to be told.
    next.catch(() => undefined);
    begun.push(next);
  };

  const read = async (bytesMax: number): Promise<Uint8Array | undefined> => {
    if (rest.byteLength > 0) {
      await nextTurn();
      return cut(rest, bytesMax);
    }
    const named = head.next();
    if (!named.done) return named.value;
    if (!tail && begun.length === 0) begin(bytesMax);
    if (!tail && isAhead && bytesMax === LIMITS.pieceBytesMax) begin(bytesMax);
    const piece = await begun.shift();
    if (!piece) {
      // Between two pieces, which may be many, the event loop has its turn.
      if (tail) await nextTurn();
      tail ??= encoder.tail()[Symbol.iterator]();
      const ended = tail.next();
      return ended.done ? undefined : ended.value;
    }
    encoder.note?.(piece.target, piece.written);
    return cut(piece.target.subarray(0, piece.written), encoder.group ? bytesMax : piece.written);
  };
  return {
    next(bytesMax = LIMITS.pieceBytesMax) {
      const piece = read(Math.min(bytesMax, LIMITS.pieceBytesMax));
      memory.useUntil(Promise.allSettled([piece, ...begun]));
      return piece;
    },
    onChange: cut => elements.pieces.onChange(cut),
    close: () => void memory.free(),
  };
}

interface Encoded {
  readonly target: Uint8Array;
  /** Bytes of it. */
  readonly written: number;
}

/** The next elements, in whole units, and a group where there are as many: what is longer than a piece is put together. */
async function nextUnits(
  encoder: Encoder,
  elements: Elements,
  bytesMax: number,
  memory: PieceMemory,
): Promise<Uint8Array | undefined> {
  const { pieces, itemsize, readBytes } = elements;
  const { unit, group = unit } = encoder;
  const first = await pieces.next(elementsFor(encoder, elements, bytesMax) * readBytes);
  const groupBytes = group * itemsize;
  if (!first || first.byteLength === groupBytes || (!encoder.group && first.byteLength % groupBytes === 0))
    return first;
  const whole = memory.next(groupBytes);
  let at = 0;
  for (let piece: Uint8Array | undefined = first; piece;) {
    whole.set(piece, at);
    at += piece.byteLength;
    if (at === groupBytes) break;
    // oxlint-disable-next-line no-await-in-loop
    piece = await pieces.next(((groupBytes - at) / itemsize) * readBytes);
  }
  return whole.subarray(0, at);
}

/** A group, or as many, in whole units, as neither they nor what they become are more than a piece; one unit at least. */
function elementsFor(encoder: Encoder, { readBytes }: Elements, bytesMax: number): number {
  const { unit } = encoder;
  if (encoder.group) return encoder.group;
  const base = encoder.bytesMax(0);
  const bytesOfUnit = encoder.bytesMax(unit) - base;
  // Where what describes a batch is long, the batch is, too: readers and writers have as much to do for each.
  const least = Math.max(2 * base, Math.min(8 * base, LIMITS.pieceBytesMax));
  const units = Math.min((Math.max(bytesMax, least) - base) / bytesOfUnit, LIMITS.pieceBytesMax / (unit * readBytes));
  return unit * Math.max(1, Math.floor(units));
}
