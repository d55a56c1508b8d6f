/** The file of a new array: header, then real blocks, a fill pattern, or a hole. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { fail } from '../errors.js';
import type { FileFormat } from '../dataset/record.js';
import { dtypeOf, type DType } from '../dtype/index.js';
import { pathOfDescriptor } from '../file/folder.js';
import { truncateDescriptor, writeFully } from '../file/io.js';
import { libc } from '../file/libc.js';
import { EFBIG, ENOSPC, failNoSpace } from '../file/system-errors.js';
import { growableHeader, parseJsonScalar } from '../formats/index.js';
import { sizeOf, type Order } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { formatOfName } from './content.js';
import { checkDims, type CreateRequest } from './request.js';

export interface NewArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly order: Order;
  readonly format: FileFormat;
  /** A .npy header, or nothing. */
  readonly header: Uint8Array;
  /** Bytes before the first element: the header, or zeros. */
  readonly offset: number;
  /** One element that is repeated; undefined means zeros. */
  readonly fill: Uint8Array | undefined;
  /** True leaves zeros as a hole, which takes no room until it is written. */
  readonly sparse: boolean;
}

/** What a checked request for a new array asks for. @throws bad_shape, would_lose, format_mismatch, bad_request, too_large */
export function newArrayOf(request: CreateRequest): NewArray {
  const { shape = [], sparse = false } = request;
  const format = formatOfName(request.path, request.format);
  const dtype = dtypeOf(request.dtype);
  // With one axis or none both orders are the same layout; numpy calls it C.
  const order = shape.length > 1 ? (request.order ?? 'C') : 'C';
  checkDims(request.dims ?? null, shape.length);
  const fill = request.fill === undefined ? undefined : parseJsonScalar(request.fill, dtype);
  const header = format === 'npy' ? growableHeader({ dtype, shape, order })!.bytes : new Uint8Array(0);
  const offset = format === 'npy' ? header.byteLength : (request.offset ?? 0);
  checkEnd(offset, sizeOf(shape) * dtype.itemsize);
  return { dtype, shape, order, format, header, offset, fill, sparse };
}

/** @throws too_large where positions would not be exact */
function checkEnd(offset: number, nbytes: number): void {
  // Both are exact, and their sum may not be.
  if (offset <= LIMITS.arrayBytesMax - nbytes) return;
  const asked = String(BigInt(offset) + BigInt(nbytes));
  fail(
    'too_large',
    `The file would have ${asked} bytes; at most ${LIMITS.arrayBytesMax} can be addressed. Choose a smaller shape or offset.`,
    {
      limit: LIMITS.arrayBytesMax,
      asked,
    },
  );
}

/** Writes the whole file of an array that will be `target`. @throws disk_full, too_large */
export async function writeArray(fd: number, target: string, array: NewArray): Promise<void> {
  const { header, offset, fill, sparse } = array;
  const nbytes = sizeOf(array.shape) * array.dtype.itemsize;
  const end = offset + nbytes;
  if (fill?.some(byte => byte !== 0)) {
    await reserve(fd, target, end);
    await repeat(fd, offset, nbytes, fill);
  } else if (sparse) await truncateDescriptor(fd, end);
  else if (!(await reserve(fd, target, end))) await repeat(fd, 0, end, new Uint8Array(1));
  await writeFully(fd, header, 0);
}

/**
 * Reserves real blocks that read as zeros, in the folder of `target`. False where that cannot be had and zeros must be
 * written.
 */
export async function reserve(fd: number, target: string, bytes: number): Promise<boolean> {
  if (bytes === 0) return false;
  // Asked first: a reservation that cannot succeed fills the disk until it fails, and everybody's writes with it.
  const { bavail, blocks, bsize } = await fs.statfs(pathOfDescriptor(fd, path.dirname(target)));
  // Some network file systems do not say what they have.
  if (blocks > 0 && bytes > bavail * bsize) failNoSpace();
  const errorNumber = await libc()?.allocate(fd, bytes);
  if (errorNumber === 0) return true;
  if (errorNumber === ENOSPC) failNoSpace();
  if (errorNumber === EFBIG) {
    fail('too_large', `The file system cannot hold a file of ${bytes} bytes. Choose a smaller shape.`, {
      asked: bytes,
    });
  }
  return false;
}

async function repeat(fd: number, start: number, nbytes: number, item: Uint8Array): Promise<void> {
  const pattern = Buffer.alloc(Math.min(nbytes, LIMITS.pieceBytesMax), item);
  for (let done = 0; done < nbytes; done += pattern.byteLength) {
    // oxlint-disable-next-line no-await-in-loop
    await writeFully(fd, pattern.subarray(0, Math.min(pattern.byteLength, nbytes - done)), start + done);
  }
}
