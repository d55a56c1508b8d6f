/**
 * A multipart/form-data body as parts in memory. Hazard: the client decides how many parts there are and how large; the
 * whole is counted while it is read, and the number of parts is bounded.
 */
import { Busboy } from '@fastify/busboy';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HyperslabError } from '../errors.js';
import type { BodyReader } from './body.js';

export interface Part {
  /** In lower case, without parameters. */
  readonly contentType: string;
  readonly bytes: Buffer;
}

export interface PartLimits {
  readonly bytesMax: number;
  readonly partsMax: number;
}

/** What is fed to the parser between two turns of the event loop: some hundred parts of the smallest kind. */
const FEED_BYTES = 32 * 1024;

/** Reads all parts of a body, in order. @throws bad_request, too_large */
export async function readParts(body: BodyReader, contentType: string, limits: PartLimits): Promise<Part[]> {
  const parts: Promise<Part>[] = [];
  let failure: HyperslabError | undefined;
  const parser = newParser(contentType, limits);
  parser.on('error', () => (failure ??= unreadable('it is not well-formed')));
  parser.on('partsLimit', () => (failure ??= tooLarge('parts', limits.partsMax)));
  parser.on('file', (_name: string, stream: Readable, _filename: string, _encoding: string, mimeType: string) => {
    parts.push(partOf(stream, mimeType));
  });
  const finished = once(parser, 'finish').catch(() => undefined);
  for (let total = 0; failure === undefined;) {
    // The parser keeps what it is given.
    const buffer = Buffer.allocUnsafeSlow(FEED_BYTES);
    // oxlint-disable-next-line no-await-in-loop
    const read = await body.readInto(buffer);
    total += read;
    if (total > limits.bytesMax) failure = tooLarge('bytes', limits.bytesMax);
    parser.write(buffer.subarray(0, read));
    if (read < buffer.byteLength) break;
    // oxlint-disable-next-line no-await-in-loop
    await nextTurn();
  }
  parser.end();
  await finished;
  if (failure) throw failure;
  return Promise.all(parts);
}

async function partOf(stream: Readable, mimeType: string): Promise<Part> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A body that ends inside a part fails as a whole.
  await new Promise<void>(resolve => stream.once('end', resolve).once('error', resolve).once('close', resolve));
  return { contentType: mimeType.toLowerCase(), bytes: Buffer.concat(chunks) };
}

function newParser(contentType: string, { partsMax }: PartLimits): InstanceType<typeof Busboy> {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits: { parts: partsMax, headerPairs: 32 },
      // Every part is a stream, whatever it says of itself.
      isPartAFile: () => true,
    });
  } catch {
    throw unreadable('its Content-Type is not multipart/form-data with a boundary');
  }
}

function unreadable(why: string): HyperslabError {
  return new HyperslabError(
    'bad_request',
    `The multipart body cannot be read: ${why}. Send it as an HTTP client makes it (curl -F).`,
  );
}

function tooLarge(unit: 'parts' | 'bytes', limit: number): HyperslabError {
  return new HyperslabError('too_large', `The multipart body has more than ${limit} ${unit}. Send several batches.`, {
    limit,
    unit,
  });
}
