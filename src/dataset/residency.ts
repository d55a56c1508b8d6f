/** How much of an array is in memory, asked of the kernel in steps. */
import type { OpenFile } from '../file/open-file.js';
import { LIMITS } from '../limits.js';
import { nextTurn } from '../turns.js';
import type { Geometry } from './record.js';

/** Pages of the array and how many of them are in memory; null where the file, which must be leased, is not mapped. */
export async function residencyOf(
  file: OpenFile,
  { startBytes, endBytes }: Geometry,
): Promise<{ pages: number; resident: number } | null> {
  const total = { pages: 0, resident: 0 };
  const stepBytes = 16 * LIMITS.spanBytesMax;
  for (let start = startBytes; start < endBytes; start += stepBytes) {
    const part = file.residency(start, Math.min(endBytes, start + stepBytes));
    if (!part) return null;
    total.pages += part.pages;
    total.resident += part.resident;
    // oxlint-disable-next-line no-await-in-loop
    await nextTurn();
  }
  return total;
}
