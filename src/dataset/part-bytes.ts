/** Bytes of an array in several files, read where a write is about to change them. */
import type { OpenFile } from '../file/open-file.js';
import { boxesOf, partAt, partView, rowBytesOf, type Rows } from '../layout/part-views.js';
import { extentOf, isContiguous } from '../layout/view.js';
import type { OffLoop } from './off-loop.js';
import type { Part } from './part.js';
import type { PartLooks } from './part-looks.js';

/** What is read of a whole. */
export interface JoinedParts {
  readonly all: Rows;
  readonly parts: readonly Part[];
  readonly looks: PartLooks;
}

/** Fills `into` with the bytes of the whole from `start` on; shared memory, where parts are not in C order. */
export async function readParts(
  joined: JoinedParts,
  start: number,
  into: Uint8Array,
  offLoop: OffLoop | undefined,
): Promise<void> {
  const rowBytes = rowBytesOf(joined.all);
  for (let done = 0; done < into.byteLength;) {
    const part = joined.parts[partAt(joined.parts, start + done)]!;
    const from = start + done - part.start;
    const bytes = into.subarray(done, done + Math.min(into.byteLength - done, part.rows * rowBytes - from));
    // oxlint-disable-next-line no-await-in-loop
    const file = await joined.looks.open(part);
    const release = file.lease();
    try {
      const isPlain = isContiguous(partView(joined.all, part), joined.all.itemsize);
      // oxlint-disable-next-line no-await-in-loop
      if (isPlain) await file.readPiece(part.offset + from, bytes);
      // oxlint-disable-next-line no-await-in-loop
      else await gatherElements(joined, part, { file, from, bytes }, offLoop);
    } finally {
      release();
    }
    done += bytes.byteLength;
  }
}

/** The same of a part of another order, whose elements are apart. Who reads may begin and end within one. */
async function gatherElements(
  { all }: JoinedParts,
  part: Part,
  { file, from, bytes }: { readonly file: OpenFile; readonly from: number; readonly bytes: Uint8Array },
  offLoop: OffLoop | undefined,
): Promise<void> {
  if (!offLoop) throw new Error('elements of another order are gathered by workers');
  const { itemsize } = all;
  const first = Math.floor(from / itemsize);
  const end = Math.ceil((from + bytes.byteLength) / itemsize);
  const whole = new Uint8Array(new SharedArrayBuffer((end - first) * itemsize));
  for (const { view, at, count } of boxesOf(partView(all, part), first, end)) {
    const extent = extentOf(view, itemsize);
    const out = whole.subarray((at - first) * itemsize, (at - first + count) * itemsize);
    // oxlint-disable-next-line no-await-in-loop
    await offLoop.gather(file.describe(extent.start, extent.end), view, itemsize, out);
  }
  bytes.set(whole.subarray(from - first * itemsize).subarray(0, bytes.byteLength));
}
