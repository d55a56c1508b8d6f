/**
 * Finding room for a write before it is promised: the holes that it will fill get their blocks now, without a byte
 * changing, so that a full disk is found out while nothing has been written. Runs in a worker.
 */
import fs from 'node:fs';
import { piecesOf } from '../layout/pieces.js';
import { runBytesOf } from '../layout/scatter.js';
import { coalesce, sizeOf, type View } from '../layout/view.js';
import { libc } from './libc.js';
import { ENOSPC, failNoSpace } from './system-errors.js';

/** The block of most file systems; where it is larger, some blocks are asked for twice. */
const BLOCK_BYTES = 4096;

/** @throws ENOSPC */
export function holdSpace(fd: number, target: View, itemsize: number): void {
  if (sizeOf(target.shape) === 0) return;
  const { size } = fs.fstatSync(fd);
  let held = { start: 0, end: 0 };
  for (const run of piecesOf(target, itemsize, runBytesOf(coalesce(target), itemsize))) {
    const runEnd = run.offset + sizeOf(run.shape) * itemsize;
    const start = Math.floor(run.offset / BLOCK_BYTES) * BLOCK_BYTES;
    const end = Math.min(size, Math.ceil(runEnd / BLOCK_BYTES) * BLOCK_BYTES);
    if (start >= held.start && end <= held.end) continue;
    holdRange(fd, start, end);
    held = { start, end };
  }
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
