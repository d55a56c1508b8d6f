/** The head of a `.npy` body: read byte by byte as far as the parser asks, never further. */
import { fail } from '../errors.js';
import { parseNpyHeader, type NpyHeader } from '../formats/index.js';
import type { BodyReader } from './body.js';

/** @throws bad_npy, unsupported_dtype */
export async function readNpyHeader(body: BodyReader): Promise<NpyHeader & { bytes: Uint8Array }> {
  let bytes: Uint8Array = new Uint8Array(0);
  for (;;) {
    const header = parseNpyHeader(bytes);
    if (!('needBytes' in header)) return { ...header, bytes };
    const more = new Uint8Array(header.needBytes - bytes.byteLength);
    // oxlint-disable-next-line no-await-in-loop
    const read = await body.readInto(more);
    if (read < more.byteLength) {
      // What is there may be no .npy at all, which says more.
      parseNpyHeader(Buffer.concat([bytes, more.subarray(0, read)]));
      fail(
        'bad_npy',
        `The body ends after ${bytes.byteLength + read} bytes, inside its .npy header. Send what np.save writes.`,
        {
          size: bytes.byteLength + read,
        },
      );
    }
    bytes = Buffer.concat([bytes, more]);
  }
}
