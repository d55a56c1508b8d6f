/**
 * Runs one move over any number of items, in blocks that fit a cache: elements are packed side by side and turned into
 * little-endian ones where they are not yet, converted, and put where they belong. Hazard: kernels need aligned memory.
 */
import { orderedBytes, type LeafDType } from '../dtype/index.js';
import { swapBytes } from '../native.js';
import { copy, NONE, type Kernel } from './kernel.js';
import { joined, type Axis, type Move } from './moves.js';
import { copyStrided } from './strided.js';

export interface Runner {
  readonly move: Move;
  /** The bytes stay as they are. */
  readonly isCopy: boolean;
  /** Undefined, or the first item that would be lost, with the little-endian element. */
  run(source: Uint8Array, target: Uint8Array, count: number): Lost | undefined;
}

export interface Lost {
  readonly item: number;
  readonly element: Uint8Array;
}

/** What a block takes on either side. */
const BLOCK_BYTES = 64 * 1024;

export function runnerOf(move: Move, kernel: Kernel, fromItemBytes: number, toItemBytes: number): Runner {
  const { from, to } = move;
  const swaps = { from: swappedBytes(from), to: swappedBytes(to) };
  const isCopy = kernel === copy && swaps.from === swaps.to;
  const largest = Math.max(from.itemsize, to.itemsize);
  // A multiple of 8, so that each block is aligned where the first one is.
  const elementsMax = largest > BLOCK_BYTES / 8 ? 1 : Math.floor(BLOCK_BYTES / largest / 8) * 8;
  const room = { from: new Room(), to: new Room() };

  return {
    move,
    isCopy,
    run(source, target, count) {
      const axes = joined([{ length: count, fromStride: fromItemBytes, toStride: toItemBytes }, ...move.axes]);
      const inner = longest(axes);
      const outer = axes.filter(axis => axis !== inner);
      const line = inner ?? { length: Math.min(count, 1), fromStride: from.itemsize, toStride: to.itemsize };
      return count === 0 ? undefined : along(outer, move.fromOffset, move.toOffset);

      function along([axis, ...others]: readonly Axis[], fromStart: number, toStart: number): Lost | undefined {
        if (!axis) return isCopy ? copied(fromStart, toStart) : converted(fromStart, toStart);
        for (let i = 0; i < axis.length; i++) {
          const lost = along(others, fromStart + i * axis.fromStride, toStart + i * axis.toStride);
          if (lost) return lost;
        }
        return undefined;
      }

      function copied(fromStart: number, toStart: number): undefined {
        const places = { from: fromStart, fromStride: line.fromStride, to: toStart, toStride: line.toStride };
        copyStrided(source, target, { ...places, bytes: from.itemsize, count: line.length });
      }

      function converted(fromStart: number, toStart: number): Lost | undefined {
        for (let done = 0; done < line.length; done += elementsMax) {
          const elements = Math.min(elementsMax, line.length - done);
          const fromAt = fromStart + done * line.fromStride;
          const packed = packedFrom(fromAt, elements);
          const toAt = toStart + done * line.toStride;
          const bytes = elements * to.itemsize;
          const inPlace = line.toStride === to.itemsize && (target.byteOffset + toAt) % 8 === 0;
          const out = inPlace ? target.subarray(toAt, toAt + bytes) : room.to.take(bytes);
          const lost = kernel(packed, out);
          if (lost !== NONE) {
            const element = packed.slice(lost * from.itemsize, (lost + 1) * from.itemsize);
            return { item: Math.floor((fromAt + lost * line.fromStride) / fromItemBytes), element };
          }
          swapUnits(out, swaps.to);
          if (inPlace) continue;
          const places = { from: 0, fromStride: to.itemsize, to: toAt, toStride: line.toStride };
          copyStrided(out, target, { ...places, bytes: to.itemsize, count: elements });
        }
        return undefined;
      }

      function packedFrom(fromAt: number, elements: number): Uint8Array {
        const bytes = elements * from.itemsize;
        const isPacked = line.fromStride === from.itemsize && (source.byteOffset + fromAt) % 8 === 0;
        if (isPacked && swaps.from === 1) return source.subarray(fromAt, fromAt + bytes);
        const packed = room.from.take(bytes);
        const places = { from: fromAt, fromStride: line.fromStride, to: 0, toStride: from.itemsize };
        copyStrided(source, packed, { ...places, bytes: from.itemsize, count: elements });
        swapUnits(packed, swaps.from);
        return packed;
      }
    },
  };
}

/** Memory that each block uses again; that of a large element is not kept. */
class Room {
  #bytes = new Uint8Array(0);

  take(bytes: number): Uint8Array {
    if (bytes > BLOCK_BYTES) return new Uint8Array(bytes);
    if (this.#bytes.byteLength < bytes) this.#bytes = new Uint8Array(bytes);
    return this.#bytes.subarray(0, bytes);
  }
}

/** Elements may be converted in any order, and long runs cost less. */
function longest(axes: readonly Axis[]): Axis | undefined {
  let found: Axis | undefined;
  for (const axis of axes) if (!found || axis.length > found.length) found = axis;
  return found;
}

/** 1 where the machine reads the bytes as they are. */
function swappedBytes(dtype: LeafDType): number {
  return dtype.byteOrder === '>' ? orderedBytes(dtype) : 1;
}

/** Reverses each so many bytes, in place. */
function swapUnits(bytes: Uint8Array, unit: number): void {
  if (unit === 1) return;
  if (unit <= 8) swapBytes(bytes, unit);
  else for (let at = 0; at < bytes.length; at += unit) bytes.subarray(at, at + unit).reverse();
}
