/**
 * A body of any size → a new dataset: a `.npy` as it comes, others as the .npy that they mean. The file appears when its
 * last byte is synced, or not at all. What follows the array is not kept, as np.load leaves it unread in a file.
 */
import type { BodyReader } from './body.js';
import { failSize } from './body.js';
import { describedBy } from './described.js';
import { openAsNpy, type OtherForm } from './as-npy.js';
import type { DecodingContext, NpyBody, OpenNpyBody } from './decoded.js';
import { readNpyHeader } from './npy-body.js';
import type { Dataset } from '../dataset/dataset.js';
import type { Precondition } from '../dataset/precondition.js';
import { writeFully } from '../file/io.js';
import { hasHeader } from '../dtype/index.js';
import { growableHeader } from '../formats/index.js';
import { checkShape, sizeOf } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { reserve } from '../registry/array-files.js';
import { traffic } from '../traffic.js';
import type { IncomingArray, Registry } from '../registry/registry.js';

export interface ImportRequest {
  readonly name: string;
  readonly overwrite: boolean;
  readonly body: BodyReader;
  /** Content-Length, when the client sent one. */
  readonly bodyBytes: number | undefined;
  /** Of a body that is no .npy, and what reads it. */
  readonly other?: { readonly form: OtherForm; readonly context: DecodingContext } | undefined;
  readonly precondition?: Precondition;
}

/** @throws exists, bad_npy, bad_table, unsupported_dtype, body_size_mismatch, disk_full, bulk_load */
export async function importArray(
  registry: Pick<Registry, 'adopt'>,
  { name, overwrite, body, bodyBytes, other, precondition }: ImportRequest,
): Promise<{ dataset: Dataset; replaced: boolean }> {
  let opened: OpenNpyBody | undefined;
  const open = async (target: string): Promise<IncomingArray> => {
    if (other) opened = await openAsNpy(other.form, { body, bodyBytes }, other.context);
    return incomingArray(target, opened ?? { body, bodyBytes });
  };
  try {
    return await registry.adopt(name, overwrite, open, precondition);
  } finally {
    await opened?.close();
  }
}

async function incomingArray(target: string, { body, bodyBytes, said = {} }: NpyBody): Promise<IncomingArray> {
  const { dtype, shape, order, dataOffset, bytes } = await readNpyHeader(body);
  checkShape(shape, dtype.itemsize);
  const nbytes = sizeOf(shape) * dtype.itemsize;
  if (bodyBytes !== undefined && bodyBytes < dataOffset + nbytes) failSize(bodyBytes, dataOffset + nbytes);
  // The file is ours, and may grow.
  const header = hasHeader(dtype) ? growableHeader({ dtype, shape, order })!.bytes : bytes;
  const offset = header.byteLength;
  const total = offset + nbytes;
  return {
    geometry: { dtype: dtype.typestr, shape, order, offset },
    described: describedBy(said, shape),
    async write(fd) {
      // A full disk is found out now, not after the client has sent everything.
      await reserve(fd, target, total);
      await writeFully(fd, header, 0);
      await copyBody(body, fd, offset, total);
      traffic.writtenBytes += nbytes;
    },
  };
}

async function copyBody(body: BodyReader, fd: number, start: number, total: number): Promise<void> {
  const piece = Buffer.allocUnsafeSlow(Math.min(LIMITS.pieceBytesMax, Math.max(1, total - start)));
  for (let done = start; done < total;) {
    const wanted = piece.subarray(0, Math.min(piece.byteLength, total - done));
    // oxlint-disable-next-line no-await-in-loop
    const read = await body.readInto(wanted);
    if (read < wanted.byteLength) failSize(body.readBytes, body.readBytes - read - done + total);
    // oxlint-disable-next-line no-await-in-loop
    await writeFully(fd, wanted, done);
    done += read;
  }
}
