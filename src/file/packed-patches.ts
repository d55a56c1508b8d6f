/**
 * Saved ranges on their way to another thread. Each buffer that crosses costs some microseconds, so thousands of small
 * ranges go in one: those that touch become one patch, and all small ones share one buffer.
 * Bounds: of a stretch of n bytes at most n / LIMITS.patchBytesPackedMax buffers and one more; the shared one is a copy
 * of so many bytes for each patch at most. How many patches go to a task at once is the caller's to bound.
 */
import type { Patch } from '../descriptor.js';
import { LIMITS } from '../limits.js';

/** Fewer are sent as they are: packing would cost as much. */
const PACKED_MIN = 16;

/** The same bytes in the same places. `patches` ascend and do not overlap; so do those that come of them. */
export function packPatches(patches: readonly Patch[]): readonly Patch[] {
  if (patches.length < PACKED_MIN) return patches;
  const small = patches.filter(isSmall).reduce((bytes, patch) => bytes + patch.bytes.byteLength, 0);
  const buffer = new Uint8Array(new SharedArrayBuffer(small));
  const packed: Patch[] = [];
  let used = 0;
  /** Where in the buffer the last of the packed patches begins, if nothing came after it. */
  let open: { readonly start: number; readonly from: number } | undefined;
  const close = (): void => {
    if (open) packed.push({ start: open.start, bytes: buffer.subarray(open.from, used) });
    open = undefined;
  };
  for (const patch of patches) {
    const { start, bytes } = patch;
    if (!isSmall(patch) || (open && open.start + used - open.from !== start)) close();
    if (!isSmall(patch)) {
      packed.push(patch);
      continue;
    }
    open ??= { start, from: used };
    buffer.set(bytes, used);
    used += bytes.byteLength;
  }
  close();
  return packed;
}

function isSmall({ bytes }: Patch): boolean {
  return bytes.byteLength <= LIMITS.patchBytesPackedMax;
}
