/** Consecutive chunks of a pass, which workers claim one after the other from a counter in shared memory. */
export class Stretch {
  readonly first: number;
  readonly end: number;
  /** Chunks that were claimed. */
  readonly claimed = new Int32Array(new SharedArrayBuffer(4));
  /** Turns of workers in it that are under way. */
  turns = 0;
  readonly #answered: (readonly number[])[] = [];

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

  /** A turn has ended with these chunks, right or not. */
  answer(chunks: readonly number[]): void {
    this.#answered.push(chunks);
  }

  /** Chunks that were claimed by workers who ended before they answered. When no turn is under way. */
  lost(): number[] {
    const answered = this.#answered.flat();
    if (answered.length === this.next - this.first) return [];
    const known = new Set(answered);
    return Array.from({ length: this.next - this.first }, (_, i) => this.first + i).filter(each => !known.has(each));
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

/** Stretches of the chunks with these numbers, which ascend. */
export function stretchesOf(numbers: readonly number[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (let i = 0; i < numbers.length;) {
    const first = numbers[i]!;
    let end = first;
    while (numbers[i] === end) [i, end] = [i + 1, end + 1];
    stretches.push(new Stretch(first, end));
  }
  return stretches;
}
