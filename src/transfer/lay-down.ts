/** A body → a file, which is there until its descriptor is closed. */
import { writeFully } from '../file/io.js';
import { translated } from '../file/system-errors.js';
import { LIMITS } from '../limits.js';
import { reserve } from '../registry/array-files.js';
import type { BodyReader } from './body.js';

export interface ComingBody {
  readonly body: BodyReader;
  /** Content-Length, when the client sent one. */
  readonly bodyBytes: number | undefined;
}

/**
 * Writes the body to the file.
 * @param folder where that lies
 * @param look is told how much has come, while more comes, and at the end that it is all
 * @returns its bytes
 */
export async function layDown(
  fd: number,
  folder: string,
  { body, bodyBytes }: ComingBody,
  look: (size: number, isWhole: boolean) => Promise<void> = () => Promise.resolve(),
): Promise<number> {
  // A full disk is found out now, not after the client has sent everything.
  if (bodyBytes !== undefined) await translated(() => reserve(fd, `${folder}/.`, bodyBytes));
  const piece = Buffer.allocUnsafeSlow(Math.min(LIMITS.pieceBytesMax, Math.max(1, bodyBytes ?? LIMITS.pieceBytesMax)));
  let size = 0;
  let looking = Promise.resolve();
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop
      const read = await body.readInto(piece);
      const start = size;
      // oxlint-disable-next-line no-await-in-loop
      await translated(() => writeFully(fd, piece.subarray(0, read), start));
      size += read;
      // oxlint-disable-next-line no-await-in-loop
      await looking;
      if (read < piece.byteLength) break;
      looking = look(size, false);
      // It is awaited behind the next piece.
      looking.catch(() => undefined);
    }
    await look(size, true);
    return size;
  } finally {
    // A worker must not be left with a descriptor that is closed.
    await looking.catch(() => undefined);
  }
}
