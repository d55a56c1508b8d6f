/**
 * What is left to be read of a pass: stretches of consecutive chunks, which workers claim one after the other from a
 * counter in shared memory. Chunks that have to be read again make stretches of their own, which come first.
 */

/** A counter of 32 bits has room for more. */
const STRETCH_CHUNKS_MAX = 2 ** 30;
/** Kept partials are looked up for so many chunks at a time: about a millisecond. */
const KEPT_CHUNKS = 256;

export class Stretch {
  readonly first: number;
  readonly end: number;
  /** Chunks that were claimed. */
  readonly claimed = new Int32Array(new SharedArrayBuffer(4));
  /** Turns of workers in it that are under way. */
  turns = 0;
  /** Chunks that turns have ended with, right or not. */
  readonly answered: number[] = [];

  constructor(first: number, end: number) {
    this.first = first;
    this.end = end;
  }

  /** The number of the next chunk to be claimed. */
  get next(): number {
    return this.first + Atomics.load(this.claimed, 0);
  }

  get left(): number {
    return this.end - this.next;
  }
}

/** Claims the next chunk of a stretch, in a worker; undefined where all up to `end` are taken. */
export function claimChunk(claimed: Int32Array, first: number, end: number): number | undefined {
  for (;;) {
    const count = Atomics.load(claimed, 0);
    if (first + count >= end) return undefined;
    if (Atomics.compareExchange(claimed, 0, count, count + 1) === count) return first + count;
  }
}

export class Unread {
  readonly #chunkCount: number;
  readonly #isKept: ((chunk: number) => boolean) | undefined;
  /** Those with chunks to be read, or that are being read. */
  #stretches: Stretch[] = [];
  /** Chunks from this one on stand in no stretch yet, and were not found to be kept. */
  #from = 0;

  /** @param isKept of chunks that need not be read */
  constructor(chunkCount: number, isKept?: (chunk: number) => boolean) {
    this.#chunkCount = chunkCount;
    this.#isKept = isKept;
  }

  /** A stretch with a chunk for one more worker. `combined` chunks are done with. */
  open(combined: number): Stretch | undefined {
    return this.#stretches.find(({ left, turns }) => left > turns) ?? this.#nextStretch(combined);
  }

  /** These chunks, which ascend, are to be read again. */
  add(chunks: readonly number[]): void {
    const stretches: Stretch[] = [];
    for (let i = 0; i < chunks.length;) {
      const first = chunks[i]!;
      let end = first;
      while (chunks[i] === end) [i, end] = [i + 1, end + 1];
      stretches.push(new Stretch(first, end));
    }
    this.#stretches.unshift(...stretches);
  }

  /** A turn in a stretch is over. What was claimed by a worker that ended before it answered has to be read again. */
  leave(stretch: Stretch): void {
    stretch.turns--;
    if (stretch.turns > 0 || stretch.left > 0) return;
    this.#stretches = this.#stretches.filter(each => each !== stretch);
    const { first, end, answered } = stretch;
    if (answered.length === end - first) return;
    const known = new Set(answered);
    this.add(Array.from({ length: end - first }, (_, i) => first + i).filter(chunk => !known.has(chunk)));
  }

  #nextStretch(combined: number): Stretch | undefined {
    const isKept = this.#isKept;
    if (isKept && this.#from - combined > KEPT_CHUNKS / 2) return undefined;
    const end = Math.min(this.#chunkCount, this.#from + (isKept ? KEPT_CHUNKS : STRETCH_CHUNKS_MAX));
    if (isKept) while (this.#from < end && isKept(this.#from)) this.#from++;
    const first = this.#from;
    if (!isKept) this.#from = end;
    else while (this.#from < end && !isKept(this.#from)) this.#from++;
    if (first === this.#from) return undefined;
    const stretch = new Stretch(first, this.#from);
    this.#stretches.push(stretch);
    return stretch;
  }
}
