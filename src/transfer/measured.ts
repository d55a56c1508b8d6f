/**
 * A body without Content-Length whose length has to be known: it is laid down in a file without a name, as far as it may
 * have to be held anyway. Memory: a piece; what is not longer than that needs no file.
 */
import { returnBuffer, takeBuffer } from '../dataset/buffers.js';
import { closeDescriptor, readFully, writeFully } from '../file/io.js';
import { openSpool } from '../file/spool.js';
import { translated } from '../file/system-errors.js';
import { BodyReader } from './body.js';

export interface Unmeasured {
  readonly body: BodyReader;
  /** Where it is laid down: a folder of the service's own. */
  readonly folder: string;
  /** Of what is longer, the length stays unknown. */
  readonly bytesMax: number;
}

export interface Measured {
  /** All of it, from its beginning. */
  readonly body: BodyReader;
  /** Undefined where it is longer than was asked. */
  readonly bodyBytes: number | undefined;
}

/** Calls back with the body and its length. @throws disk_full */
export async function withMeasured<T>(asked: Unmeasured, work: (measured: Measured) => Promise<T>): Promise<T> {
  const { body, folder } = asked;
  const buffer = takeBuffer();
  let fd: number | undefined;
  try {
    const read = await body.readInto(buffer);
    if (read < buffer.byteLength) {
      return await work({ body: new BodyReader(onePart(buffer.subarray(0, read))), bodyBytes: read });
    }
    fd = await openSpool(folder);
    const { bytes, isAll } = await layDownUpTo(fd, asked, buffer);
    const parts = partsAgain(fd, bytes, isAll ? undefined : body, buffer);
    return await work({ body: new BodyReader(parts), bodyBytes: isAll ? bytes : undefined });
  } finally {
    if (fd !== undefined) await closeDescriptor(fd);
    returnBuffer(buffer);
  }
}

/** Goes on from the first piece, which is there. */
async function layDownUpTo(
  fd: number,
  { body, bytesMax }: Unmeasured,
  piece: Buffer,
): Promise<{ readonly bytes: number; readonly isAll: boolean }> {
  let bytes = 0;
  for (let read = piece.byteLength; read > 0;) {
    const part = piece.subarray(0, read);
    const start = bytes;
    // oxlint-disable-next-line no-await-in-loop
    await translated(() => writeFully(fd, part, start));
    bytes += read;
    if (bytes > bytesMax) return { bytes, isAll: false };
    // oxlint-disable-next-line no-await-in-loop
    read = await body.readInto(piece);
  }
  return { bytes, isAll: true };
}

async function* onePart(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** What was laid down, then the rest. Each part is valid until the next is asked for. */
async function* partsAgain(
  fd: number,
  bytes: number,
  rest: BodyReader | undefined,
  piece: Buffer,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes; at += piece.byteLength) {
    const part = piece.subarray(0, Math.min(piece.byteLength, bytes - at));
    // oxlint-disable-next-line no-await-in-loop
    await readFully(fd, part, at);
    yield part;
  }
  // oxlint-disable-next-line no-await-in-loop
  for (let read = await rest?.readInto(piece); read; read = await rest?.readInto(piece)) yield piece.subarray(0, read);
}
