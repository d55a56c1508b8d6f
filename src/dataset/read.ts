/**
 * Reading a selection. Small answers whose bytes are in memory are read on the event loop; those that are needed whole
 * are read under the file's lock; all others come in pieces (pieces.ts).
 */
import type { OpenFile } from '../file/open-file.js';
import { gather } from '../layout/gather.js';
import { runCount, runsOf } from '../layout/listed.js';
import { extentOf, isContiguous, sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import type { ArrayPart } from './array-part.js';
import { sharedBytes } from './buffers.js';
import type { Dataset } from './dataset.js';
import { fill } from './fill.js';
import type { OffLoop } from './off-loop.js';

export { heldPieces, openPieces, type PieceReader } from './pieces.js';

/** The packed bytes of a small view if they can be had without waiting; undefined otherwise. */
export function readNow(file: OpenFile, view: View, itemsize: number): Uint8Array | undefined {
  const bytes = sizeOf(view.shape) * itemsize;
  if (bytes > LIMITS.inlineReadBytesMax || !file.state.lock.isOpenToReaders) return undefined;
  if (bytes === 0) return new Uint8Array(0);
  if (view.lists && runCount(view, itemsize) <= LIMITS.inlineRunsMax) return readRunsNow(file, view, itemsize, bytes);
  if (isContiguous(view, itemsize)) return file.readNow(view.offset, bytes);
  const { start, end } = extentOf(view, itemsize);
  if (end - start > LIMITS.inlineSpanBytesMax) return undefined;
  const source = file.residentSource(start, end);
  if (!source) return undefined;
  const out = Buffer.allocUnsafeSlow(bytes);
  gather(source, view, itemsize, out);
  return out;
}

/** Few runs that may lie anywhere, each read by itself. */
function readRunsNow(file: OpenFile, view: View, itemsize: number, bytes: number): Uint8Array | undefined {
  const out = Buffer.allocUnsafeSlow(bytes);
  const { places, runBytes } = runsOf(view, itemsize);
  for (const [i, place] of places.entries()) {
    const run = file.readNow(place, runBytes);
    if (!run) return undefined;
    out.set(run, i * runBytes);
  }
  return out;
}

/** The packed bytes of a part, read while no writer is at work, and the generation that they are of. */
export async function readWhole(
  dataset: Dataset,
  file: OpenFile,
  { dtype: { itemsize }, view }: ArrayPart,
  offLoop: OffLoop,
  signal?: AbortSignal,
): Promise<{ bytes: Uint8Array; generation: number }> {
  const release = file.lease();
  try {
    return await file.state.lock.withRead(
      async () => {
        file.state.checkUsable();
        dataset.checkLength();
        const frozen = file.frozen();
        try {
          const { generation } = dataset;
          const bytes = sharedBytes(sizeOf(view.shape) * itemsize);
          const { ctimeMs } = file.stamp;
          await fill(frozen.file, view, itemsize, bytes, offLoop, { signal });
          dataset.recheck(file, ctimeMs);
          return { bytes, generation };
        } finally {
          frozen.release();
        }
      },
      { signal, client: offLoop.client },
    );
  } finally {
    release();
  }
}
