/** The header of a .npy, read from an open file: of the whole file, or of the stretch of it that a member is. */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { fail } from '../errors.js';
import { parseNpyHeader } from '../formats/index.js';
import { LIMITS } from '../limits.js';
import type { MemberArray } from './member.js';

const readSome = promisify(fs.read);

/** Longer than most headers. */
const FIRST_BYTES = 256;

/** What it says of the array. @throws bad_npy, not_an_array, unsupported_dtype, bad_shape, too_large */
export async function readNpyArray(
  fd: number,
  { start, bytes }: { readonly start: number; readonly bytes: number } = { start: 0, bytes: Number.POSITIVE_INFINITY },
): Promise<MemberArray> {
  for (let needed = FIRST_BYTES; ;) {
    const length = Math.min(needed, bytes);
    const grown = new Uint8Array(length);
    // oxlint-disable-next-line no-await-in-loop
    const { bytesRead } = await readSome(fd, grown, 0, length, start);
    const header = parseNpyHeader(grown.subarray(0, bytesRead));
    if (!('needBytes' in header)) {
      const { dtype, shape, order, dataOffset } = header;
      return { dtype, shape, order, offset: start + dataOffset };
    }
    if (bytesRead < needed)
      fail(
        'bad_npy',
        `The file has ${bytesRead} bytes and ends inside its .npy header. Save it with np.save, or copy it again.`,
        { size: bytesRead },
      );
    needed = Math.min(header.needBytes, LIMITS.npyHeaderBytesMax + 16);
  }
}
