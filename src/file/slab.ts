/**
 * Room for small answers, cut from slabs: an allocation of its own costs more than reading four kilobytes. A slab lives
 * as long as any answer cut from it, so a slow reader holds at most one slab per answer.
 */
import { LIMITS } from '../limits.js';
import { libc } from './libc.js';

const SLAB_BYTES = 2 * LIMITS.inlineReadBytesMax;

let slab: Buffer | undefined;
let slabAddress = 0;
let usedBytes = 0;

/** Uninitialised memory of at most LIMITS.inlineReadBytesMax bytes, and its address for the C library. */
export function takeRoom(length: number): { bytes: Buffer; address: number } {
  if (!slab || usedBytes + length > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    slabAddress = libc()!.addressOf(slab);
    usedBytes = 0;
  }
  const start = usedBytes;
  // Aligned for the widest item, so that typed arrays can look at it.
  usedBytes += (length + 7) & ~7;
  return { bytes: slab.subarray(start, start + length), address: slabAddress + start };
}
