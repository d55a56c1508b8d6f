/**
 * Bringing a file to the disk a slice at a time: one sync of hundreds of megabytes holds up the syncs of all other files
 * until its last byte is written, and cannot be broken off.
 * Hazard: waiting for pages takes note of their errors, and the sync of that descriptor would not tell them any more.
 * Slices have a descriptor of their own.
 */
import fs from 'node:fs';
import { LIMITS } from '../limits.js';
import { sizeOfDescriptor, syncData } from './io.js';
import { libc, type Libc } from './libc.js';
import { Turnstile } from './turnstile.js';

/** Of all files together. */
const slices = new Turnstile();
const SLICES_MAX = 256;

/** fdatasync(2) of a file that may have much to be written. False where `until` came before it began: nothing is sure. */
export async function syncInSlices(fd: number, until = Number.POSITIVE_INFINITY): Promise<boolean> {
  const c = libc();
  if (c) await writeAllOut(c, fd, until);
  if (performance.now() >= until) return false;
  await syncData(fd);
  return true;
}

async function writeAllOut(c: Libc, fd: number, until: number): Promise<void> {
  const bytes = await sizeOfDescriptor(fd);
  const sliceBytes = Math.max(LIMITS.writeOutBytesMax, Math.ceil(bytes / SLICES_MAX));
  for (let at = 0; at < bytes && performance.now() < until; at += sliceBytes) {
    // oxlint-disable-next-line no-await-in-loop
    await slices.run(() => writeOut(c, fd, at, sliceBytes));
  }
}

/** Whatever fails here is left to the sync, and told by it. */
async function writeOut(c: Libc, fd: number, offset: number, length: number): Promise<void> {
  let again: number;
  try {
    again = fs.openSync(`/proc/self/fd/${fd}`, 'r');
  } catch {
    return;
  }
  try {
    await c.writeOut(again, offset, length);
  } catch {
    // The same.
  } finally {
    fs.closeSync(again);
  }
}
