/**
 * Finding room for a write before it is promised: the holes that it will fill get their blocks now, without a byte
 * changing, so that a full disk is found out while nothing has been written. Runs in a worker.
 */
import fs from 'node:fs';
import { arranged, boxesOf, reachOf } from '../layout/boxes.js';
import { eachStretch, isListed } from '../layout/places.js';
import { sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { libc } from './libc.js';
import { ENOSPC, failNoSpace } from './system-errors.js';

/** The block of most file systems; where it is larger, some blocks are asked for twice. */
const BLOCK_BYTES = 4096;

/** @throws ENOSPC */
export function holdSpace(fd: number, target: View, itemsize: number): void {
  if (sizeOf(target.shape) === 0) return;
  const { size } = fs.fstatSync(fd);
  if (isListed(target)) {
    eachStretch(target, BLOCK_BYTES, (start, end) => holdBlocks(fd, start, end, size));
    return;
  }
  const pair = arranged({ target, source: target });
  const { stretchAxis } = reachOf(pair.target, itemsize);
  for (const { target: stretch } of boxesOf(pair, itemsize, LIMITS.scatterBytesMax, stretchAxis)) {
    const stretchEnd = stretch.offset + reachOf(stretch, itemsize).costs[0]!;
    holdBlocks(fd, stretch.offset, stretchEnd, size);
  }
}

/** The blocks that `[from, to)` lies in. */
function holdBlocks(fd: number, from: number, to: number, size: number): void {
  const start = Math.floor(from / BLOCK_BYTES) * BLOCK_BYTES;
  const end = Math.min(size, Math.ceil(to / BLOCK_BYTES) * BLOCK_BYTES);
  holdRange(fd, start, end);
}

function holdRange(fd: number, start: number, end: number): void {
  const errorNumber = libc()?.allocateRange(fd, start, end - start);
  if (errorNumber === 0) return;
  if (errorNumber === ENOSPC) failNoSpace();
  // No such call: a byte that is written as it was read takes its block too.
  const byte = new Uint8Array(1);
  for (let at = start; at < end; at += BLOCK_BYTES) {
    fs.readSync(fd, byte, 0, 1, at);
    fs.writeSync(fd, byte, 0, 1, at);
  }
}
