/**
 * Bringing a file to the disk a slice at a time: one sync of hundreds of megabytes holds up the syncs of all other files
 * until its last byte is written, and cannot be broken off.
 * Hazard: waiting for pages takes note of their errors, and the sync of that descriptor would not tell them any more.
 * Slices have a descriptor of their own.
 */
import { LIMITS } from '../limits.js';
import { closeDescriptor, openDescriptor, sizeOfDescriptor, syncData } from './io.js';
import { libc } from './libc.js';
import { Turnstile } from './turnstile.js';

/** Of all files together. */
const slices = new Turnstile();
const SLICES_MAX = 256;

/** fdatasync(2) of a file that may have much to be written. False where `until` came before it began: nothing is sure. */
export async function syncInSlices(fd: number, until = Number.POSITIVE_INFINITY): Promise<boolean> {
  const c = libc();
  // Where it cannot be opened again it is synced in one go.
  const again = c && (await openDescriptor(`/proc/self/fd/${fd}`, 'r').catch(() => undefined));
  if (c && again !== undefined) {
    try {
      const bytes = await sizeOfDescriptor(fd);
      const slice = Math.max(LIMITS.writeOutBytesMax, Math.ceil(bytes / SLICES_MAX));
      for (let at = 0; at < bytes && performance.now() < until; at += slice) {
        // What fails here is told by the sync.
        // oxlint-disable-next-line no-await-in-loop
        await slices.run(() => c.writeOut(again, at, slice)).catch(() => false);
      }
    } finally {
      await closeDescriptor(again);
    }
  }
  if (performance.now() >= until) return false;
  await syncData(fd);
  return true;
}
