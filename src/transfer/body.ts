/**
 * A request body as a stream of bytes that is counted while it is read. Hazard: a client may send fewer bytes than it
 * said, more than it may, or stop in the middle; each ends here as an error, before anything is applied.
 */
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { fail } from '../errors.js';

/** Reading goes on so long before the event loop gets a turn. */
const TURN_MS = 4;

export class BodyReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #ended = false;
  /** Why nothing more is read, once somebody said so. */
  #aborted: Error | undefined;
  #abortPull: ((error: Error) => void) | undefined;
  /** When the event loop last had a turn, as far as is known. */
  #turnedMs = performance.now();
  /** Bytes handed out so far. */
  readBytes = 0;

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#chunks = body[Symbol.asyncIterator]();
  }

  /** Fills `into` as far as the body goes and returns the bytes read. */
  async readInto(into: Uint8Array): Promise<number> {
    let done = 0;
    // oxlint-disable-next-line no-await-in-loop
    while (done < into.byteLength && (this.#rest.byteLength > 0 || (await this.#pull()))) {
      const part = this.#rest.subarray(0, into.byteLength - done);
      into.set(part, done);
      done += part.byteLength;
      this.#rest = this.#rest.subarray(part.byteLength);
    }
    this.readBytes += done;
    return done;
  }

  /** Fills all of `into` and returns it. @throws body_size_mismatch when the body ends before */
  async exactly(into: Buffer): Promise<Buffer> {
    const read = await this.readInto(into);
    if (read < into.byteLength) failSize(this.readBytes, this.readBytes - read + into.byteLength);
    return into;
  }

  /**
   * Everything that is left, at most `limit` bytes. Joined as it comes: a client may send each byte as a chunk of its own,
   * and every chunk that is kept costs hundreds of bytes. @throws too_large
   */
  async everything(limit: number): Promise<Uint8Array> {
    let room: Uint8Array = new Uint8Array(0);
    let total = 0;
    // oxlint-disable-next-line no-await-in-loop
    while (this.#rest.byteLength > 0 || (await this.#pull())) {
      const part = this.#rest;
      this.#rest = new Uint8Array(0);
      if (total + part.byteLength > limit) {
        fail('too_large', `The body has more than ${limit} bytes. Send less, or another format.`, { limit });
      }
      if (total + part.byteLength > room.byteLength) room = enlarged(room, total, part.byteLength, limit);
      room.set(part, total);
      total += part.byteLength;
    }
    this.readBytes += total;
    return room.subarray(0, total);
  }

  /** Reads and drops the rest; false when it is more than `limitBytes` or takes longer than `limitMs`. */
  async drain(limitBytes: number, limitMs: number): Promise<boolean> {
    if (this.#ended) return true;
    const deadline = performance.now() + limitMs;
    let dropped = this.#rest.byteLength;
    this.#rest = new Uint8Array(0);
    try {
      while (dropped <= limitBytes) {
        const left = deadline - performance.now();
        // oxlint-disable-next-line no-await-in-loop
        const more = await Promise.race([this.#pull(), delay(left, undefined, { ref: false })]);
        if (more === false) return true;
        if (more === undefined) return false;
        dropped += this.#rest.byteLength;
      }
    } catch {
      // The client hung up; nobody is left to answer.
    }
    return false;
  }

  /** @throws body_size_mismatch when there is more */
  async expectEnd(expected: number): Promise<void> {
    if (this.#rest.byteLength > 0 || (await this.#pull())) failSize(undefined, expected);
  }

  /** Makes whoever reads now, or next, fail with this error instead of waiting for the client. */
  abort(error: Error): void {
    this.#aborted = error;
    this.#abortPull?.(error);
  }

  async #pull(): Promise<boolean> {
    while (!this.#ended) {
      if (this.#aborted) throw this.#aborted;
      // Meanwhile no more is read: a client may send a megabyte at once, each byte as a chunk of its own.
      if (performance.now() - this.#turnedMs > TURN_MS) {
        // oxlint-disable-next-line no-await-in-loop
        await nextTurn();
        this.#turnedMs = performance.now();
      }
      // oxlint-disable-next-line no-await-in-loop
      const { done, value } = await this.#nextChunk();
      if (done) this.#ended = true;
      else if (value.byteLength > 0) {
        this.#rest = value;
        return true;
      }
    }
    return false;
  }

  #nextChunk(): Promise<IteratorResult<Uint8Array>> {
    return new Promise((resolve, reject) => {
      this.#abortPull = reject;
      this.#chunks.next().then(resolve, reject);
    });
  }
}

/** Room for twice as much, and for `more` bytes behind the first `used` at least. */
function enlarged(room: Uint8Array, used: number, more: number, limit: number): Uint8Array {
  const larger = Buffer.allocUnsafeSlow(Math.max(used + more, Math.min(limit, 2 * room.byteLength)));
  larger.set(room.subarray(0, used));
  return larger;
}

/** `sent` undefined: more than expected. */
export function failSize(sent: number | undefined, expected: number): never {
  return fail(
    'body_size_mismatch',
    `The body has ${sent ?? `more than ${expected}`} bytes; the data takes exactly ${expected}. Send all of it, in C order, or one element to fill the selection.`,
    { expected, ...(sent !== undefined && { sent }) },
  );
}
