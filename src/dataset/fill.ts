/** The packed bytes of a view, by the shortest way: contiguous ones are read here, strided ones gathered by a worker. */
import type { Patch } from '../descriptor.js';
import type { OpenFile } from '../file/open-file.js';
import { overlayPages } from '../file/page-table.js';
import { overlay } from '../file/sources.js';
import { coalesce, extentOf, isContiguous, type View } from '../layout/view.js';
import type { OffLoop } from './off-loop.js';

interface FillOptions {
  /** They replace what stands in the file. */
  readonly patches?: readonly Patch[];
  /** Fires when nobody waits any more. */
  readonly signal?: AbortSignal | undefined;
}

/** Fills `out`, which is shared memory of exactly the view's bytes. @throws cancelled */
export async function fill(
  file: OpenFile,
  view: View,
  itemsize: number,
  out: Uint8Array,
  offLoop: OffLoop,
  { patches = [], signal }: FillOptions = {},
): Promise<void> {
  if (out.byteLength === 0) return;
  if (isContiguous(view, itemsize) && !file.isJoined) {
    await file.readPiece(view.offset, out);
    overlay(patches, view.offset, out);
    if (patches.length > 0) overlayPages(file.pages, view.offset, out);
    return;
  }
  const { start, end } = extentOf(view, itemsize);
  const source = file.describe(start, end);
  await offLoop.gather(patches.length > 0 ? { ...source, patches } : source, coalesce(view), itemsize, out, signal);
}
