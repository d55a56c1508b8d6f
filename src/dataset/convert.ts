/** Conversions of packed items: small stretches here and now, large ones by the workers, a piece at a time. */
import type { Conversion } from '../convert/index.js';
import { LIMITS } from '../limits.js';
import { asShared, sharedBytes } from './buffers.js';
import type { OffLoop } from './off-loop.js';

/** Whether so many items are converted within a millisecond or two. */
export function isQuick({ from, to }: Conversion, items: number): boolean {
  return items * (from.itemsize + to.itemsize) <= LIMITS.inlineConvertBytesMax;
}

/** Items that a piece has, so that neither side of it is larger than `bytesMax`; one at least. */
export function itemsOfPiece({ from, to }: Conversion, bytesMax: number): number {
  return Math.max(1, Math.floor(bytesMax / Math.max(from.itemsize, to.itemsize)));
}

/** What is converted where. */
export interface Stretch {
  /** Shared memory, where it is not quick. */
  readonly source: Uint8Array;
  readonly target: Uint8Array;
  /** Items before these in the whole, for messages. */
  readonly first: number;
}

/** Converts one piece. @throws would_lose */
export async function convertPiece(
  conversion: Conversion,
  { source, target, first }: Stretch,
  offLoop: OffLoop,
): Promise<void> {
  if (isQuick(conversion, source.byteLength / conversion.from.itemsize)) conversion.run(source, target, first);
  else await offLoop.convert({ spec: conversion.spec, source, target, first });
}

/** Converts what is quick. @throws would_lose */
export function convertNow(conversion: Conversion, source: Uint8Array): Uint8Array {
  const target = Buffer.allocUnsafe((source.byteLength / conversion.from.itemsize) * conversion.to.itemsize);
  conversion.run(source, target);
  return target;
}

/** What is held, and where it goes. */
export interface Held {
  readonly source: Uint8Array;
  /** Shared memory for all of it; new memory where there is none. */
  readonly into?: Uint8Array;
  /** Items before these in the whole, for messages. */
  readonly first?: number;
}

/** Converts all of it; the same bytes where there is nothing to convert. @throws would_lose */
export async function convertHeld(
  conversion: Conversion,
  { source, into, first = 0 }: Held,
  offLoop: OffLoop,
): Promise<Uint8Array> {
  if (conversion.isIdentity) return source;
  const { from, to } = conversion;
  const items = source.byteLength / from.itemsize;
  const target = into?.subarray(0, items * to.itemsize) ?? sharedBytes(items * to.itemsize);
  const step = itemsOfPiece(conversion, LIMITS.pieceBytesMax);
  for (let done = 0; done < items; done += step) {
    const end = Math.min(items, done + step);
    const piece = {
      source: asShared(source.subarray(done * from.itemsize, end * from.itemsize)),
      target: target.subarray(done * to.itemsize, end * to.itemsize),
      first: first + done,
    };
    // oxlint-disable-next-line no-await-in-loop
    await convertPiece(conversion, piece, offLoop);
  }
  return target;
}
