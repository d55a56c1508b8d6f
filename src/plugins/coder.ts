/**
 * Bytes on their way through a content coding: what goes in is taken by zlib's threads, a slice at a time, so that long
 * answers take turns with the short ones of others, and file calls find threads that are free. What comes out is taken
 * before more goes in: a stream holds its window, one slice and what came of it.
 * Hazard: codings keep bytes back until they have many; whoever waits for the next ones flushes first.
 */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PieceReader } from '../dataset/read.js';
import type { Client } from '../fair-line.js';
import { Turnstile } from '../file/turnstile.js';
import { LIMITS } from '../limits.js';
import type { Coding, CodingStream } from './codings.js';

/** More at a time would be no faster. */
const coding = new Turnstile(availableParallelism());

export class Coder {
  readonly #coding: Coding;
  readonly #client: Client;
  readonly #stream: CodingStream;
  #chunks: Uint8Array[] = [];

  constructor(coded: Coding, client: Client) {
    this.#coding = coded;
    this.#client = client;
    this.#stream = coded.start();
    this.#stream.on('data', (chunk: Uint8Array) => this.#chunks.push(chunk));
    // Whoever waits for it is told by the call.
    this.#stream.on('error', () => undefined);
  }

  /** Takes bytes in, and gives what has come out by then: it may be nothing. */
  async write(bytes: Uint8Array): Promise<Uint8Array> {
    for (let at = 0; at < bytes.byteLength; at += LIMITS.codedSliceBytes) {
      const slice = bytes.subarray(at, at + LIMITS.codedSliceBytes);
      // oxlint-disable-next-line no-await-in-loop
      await this.#run(done => this.#stream.write(slice, done));
    }
    return this.#taken();
  }

  /** All that has been taken in comes out. */
  async flush(): Promise<Uint8Array> {
    await this.#run(done => this.#stream.flush(this.#coding.flushKind, done));
    return this.#taken();
  }

  async end(): Promise<Uint8Array> {
    await this.#run(done => {
      this.#stream.once('end', done);
      this.#stream.end();
    });
    return this.#taken();
  }

  /** Lets go of the stream; must be called in the end, however that comes. */
  close(): void {
    this.#stream.destroy();
  }

  #run(act: (done: (error?: Error | null) => void) => void): Promise<void> {
    const work = (): Promise<void> =>
      new Promise((resolve, reject) => {
        const onClose = (): void => reject(new Error('the coding was given up'));
        if (this.#stream.destroyed) return onClose();
        this.#stream.once('close', onClose);
        act(error => {
          this.#stream.off('close', onClose);
          if (error) reject(error);
          else resolve();
        });
      });
    return coding.run(work, undefined, this.#client);
  }

  #taken(): Uint8Array {
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  }
}

const NOTHING = new Uint8Array();

/** Head and pieces as they come out of a coding. Of a client that reads fast the next is read while one is coded. */
export function codedPieces(pieces: PieceReader, coder: Coder, head: Uint8Array | undefined): PieceReader {
  let ahead: Promise<Uint8Array | undefined> | undefined;
  let isFirst = true;
  let hasEnded = false;
  const step = async (bytesMax: number | undefined): Promise<Uint8Array> => {
    const headed = isFirst && head ? await coder.write(head) : NOTHING;
    const piece = await (ahead ?? pieces.next(bytesMax));
    ahead = undefined;
    hasEnded = piece === undefined;
    if (!piece) return Buffer.concat([headed, await coder.end()]);
    if (bytesMax !== undefined && bytesMax > LIMITS.firstPieceBytes) {
      ahead = pieces.next(bytesMax);
      // Awaited by the next step; an error must not be taken for unhandled meanwhile.
      ahead.catch(() => undefined);
    }
    const coded = await coder.write(piece);
    if (!isFirst) return coded;
    isFirst = false;
    // The client sees at once that the answer has begun.
    return Buffer.concat([headed, coded, await coder.flush()]);
  };
  const next = async (bytesMax?: number): Promise<Uint8Array | undefined> => {
    if (hasEnded) return undefined;
    const coded = await step(bytesMax);
    return coded.byteLength > 0 ? coded : next(bytesMax);
  };
  return {
    ...pieces,
    next,
    close() {
      coder.close();
      pieces.close();
    },
  };
}

/** How long what has come waits for more. */
const FLUSH_MS = 10;

/** What a source of bytes becomes in a coding; nothing is kept back while the source has nothing new. */
export async function* codedBytes(source: AsyncIterable<Uint8Array>, coder: Coder): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  let isKept = false;
  try {
    for (;;) {
      const next = iterator.next();
      if (isKept) {
        // oxlint-disable-next-line no-await-in-loop
        if (!(await settlesSoon(next))) yield await coder.flush();
      }
      // oxlint-disable-next-line no-await-in-loop
      const { done, value } = await next;
      if (done) break;
      // oxlint-disable-next-line no-await-in-loop
      const coded = await coder.write(value);
      isKept = true;
      if (coded.byteLength > 0) yield coded;
    }
    yield await coder.end();
  } finally {
    coder.close();
    await iterator.return?.();
  }
}

async function settlesSoon(promise: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(FLUSH_MS, false, { signal: timer.signal }).catch(() => false);
  const settled = promise.then(
    () => true,
    () => true,
  );
  const isSoon = await Promise.race([settled, late]);
  timer.abort();
  return isSoon;
}
