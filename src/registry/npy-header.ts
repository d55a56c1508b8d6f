/** The header of a .npy, read from an open file: of the whole file, or of the stretch of it that a member is. */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { fail } from '../errors.js';
import { parseNpyHeader, type NpyHeader } from '../formats/index.js';
import { LIMITS } from '../limits.js';

const readSome = promisify(fs.read);

/** Longer than most headers. */
const FIRST_BYTES = 256;

/** @throws bad_npy, not_an_array, unsupported_dtype, bad_shape, too_large */
export async function readNpyHeader(
  fd: number,
  { start, bytes }: { readonly start: number; readonly bytes: number } = { start: 0, bytes: Number.POSITIVE_INFINITY },
): Promise<NpyHeader> {
  for (let needed = FIRST_BYTES; ;) {
    const length = Math.min(needed, bytes);
    const grown = new Uint8Array(length);
    // oxlint-disable-next-line no-await-in-loop
    const { bytesRead } = await readSome(fd, grown, 0, length, start);
    const header = parseNpyHeader(grown.subarray(0, bytesRead));
    if (!('needBytes' in header)) return header;
    if (bytesRead < needed)
      fail(
        'bad_npy',
        `The file has ${bytesRead} bytes and ends inside its .npy header. Save it with np.save, or copy it again.`,
        { size: bytesRead },
      );
    needed = Math.min(header.needBytes, LIMITS.npyHeaderBytesMax + 16);
  }
}
