/** Making the file of a new array: header, then real blocks, a fill pattern, or a hole, whole or not at all. */
import { fail } from '../errors.js';
import { createAtomically } from '../file/atomic.js';
import { truncateDescriptor, writeFully } from '../file/io.js';
import { libc } from '../file/libc.js';
import { translated } from '../file/system-errors.js';
import { LIMITS } from '../limits.js';

export interface NewArrayFile {
  readonly path: string;
  readonly overwrite: boolean;
  /** Bytes before the first element: a .npy header, or nothing. */
  readonly header: Uint8Array;
  readonly nbytes: number;
  /** One element that is repeated; undefined means zeros. */
  readonly fill: Uint8Array | undefined;
  /** True leaves zeros as a hole, which takes no room until it is written. */
  readonly sparse: boolean;
}

/** @throws exists, disk_full, too_large */
export function createArrayFile({ path, overwrite, header, nbytes, fill, sparse }: NewArrayFile): Promise<void> {
  return translated(() =>
    createAtomically(path, { overwrite }, async fd => {
      const end = header.byteLength + nbytes;
      if (fill?.some(byte => byte !== 0)) {
        await reserve(fd, end);
        await repeat(fd, header.byteLength, nbytes, fill);
      } else if (sparse) await truncateDescriptor(fd, end);
      else if (!(await reserve(fd, end))) await repeat(fd, header.byteLength, nbytes, new Uint8Array(1));
      await writeFully(fd, header, 0);
    }),
  );
}

/** Reserves real blocks that read as zeros. False where that cannot be had and zeros must be written. */
export async function reserve(fd: number, bytes: number): Promise<boolean> {
  const c = libc();
  if (!c || bytes === 0) return false;
  const errorNumber = await c.allocate(fd, bytes);
  if (errorNumber === 0) return true;
  if (errorNumber === ENOSPC) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
  if (errorNumber === EFBIG) {
    fail('too_large', `The file system cannot hold a file of ${bytes} bytes.`, { asked: bytes });
  }
  return false;
}

const ENOSPC = 28;
const EFBIG = 27;

async function repeat(fd: number, start: number, nbytes: number, item: Uint8Array): Promise<void> {
  const pattern = Buffer.alloc(Math.min(nbytes, LIMITS.pieceBytesMax), item);
  for (let done = 0; done < nbytes; done += pattern.byteLength) {
    // oxlint-disable-next-line no-await-in-loop
    await writeFully(fd, pattern.subarray(0, Math.min(pattern.byteLength, nbytes - done)), start + done);
  }
}
