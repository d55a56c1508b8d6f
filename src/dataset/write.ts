/** Writing a selection: exactly the bytes that belong to it, as positional writes under the file's lock. */
import { fail } from '../errors.js';
import { commitChange, type CommitOptions } from '../file/commit.js';
import { writeFully } from '../file/io.js';
import type { OpenFile } from '../file/open-file.js';
import { selectFrom } from '../layout/select.js';
import { isContiguous, sizeOf, type View } from '../layout/view.js';
import type { Selection } from '../selection.js';
import type { Dataset } from './dataset.js';
import type { OffLoop } from './off-loop.js';
import { isWritable } from './record.js';

/** Bytes in the dataset's dtype and order, and where in them each element of the selection stands. */
export interface Payload {
  readonly bytes: Uint8Array;
  readonly source: View;
}

/** @throws read_only */
export function checkWritable(dataset: Dataset): void {
  if (!isWritable(dataset.record)) {
    fail('read_only', `The dataset ${dataset.record.name} has mode r. Set mode r+ with PATCH to write to it.`, {
      dataset: dataset.record.name,
      mode: dataset.record.mode,
    });
  }
}

/** Writes one payload, whole. Returns the generation that it made. */
export async function writePayload(
  dataset: Dataset,
  selection: Selection,
  payload: Payload,
  options: CommitOptions,
  offLoop: OffLoop,
): Promise<number> {
  const file = await dataset.open();
  const target = selectFrom(dataset.geometry.view, selection);
  const release = file.lease();
  try {
    return await commitChange(file, dataset.files.generations, options, () =>
      applyPayload(file, target, dataset.geometry.dtype.itemsize, payload, offLoop),
    );
  } finally {
    release();
  }
}

/** Puts a payload where it belongs. The caller holds the write lock. */
export async function applyPayload(
  file: OpenFile,
  target: View,
  itemsize: number,
  { bytes, source }: Payload,
  offLoop: OffLoop,
): Promise<void> {
  const nbytes = sizeOf(target.shape) * itemsize;
  if (nbytes === 0) return;
  if (isContiguous(target, itemsize) && isContiguous(source, itemsize)) {
    await writeFully(file.fd, bytes.subarray(source.offset, source.offset + nbytes), target.offset);
  } else {
    await offLoop.scatter({ fd: file.fd, target, itemsize, bytes, source });
  }
}
