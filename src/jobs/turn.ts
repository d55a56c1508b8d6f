/**
 * When a worker leaves a pass although chunks are left, so that nobody waits long behind it. It looks at the lengths of
 * the lines, in shared memory, between two chunks: for a small question it goes at once, for other scans after TURN_MS.
 */
export type Lane = 'interactive' | 'bulk';

/** Where in shared memory the length of each line stands. */
export const WAITING = { interactive: 0, bulk: 1 } as const;

/** How long a turn lasts while others wait: long against its way to the worker, short for whoever waits behind it. */
const TURN_MS = 8;
/** And while nobody does: so often the main thread hears of what was read, and the worker of files that are gone. */
const NEWS_MS = 100;

export class Turn {
  readonly #waiting: Int32Array;
  readonly #startedMs = performance.now();
  /** Small questions that waited when a scan got its turn have to let it have that. */
  readonly #makesWay: boolean;

  constructor(waiting: Int32Array, lane: Lane) {
    this.#waiting = waiting;
    this.#makesWay = lane === 'bulk' && this.#count('interactive') === 0;
  }

  /** Asked after a chunk. `isShort`: it is to last no longer than if others waited. */
  isOver(isShort: boolean): boolean {
    const ms = performance.now() - this.#startedMs;
    if (ms >= NEWS_MS || (this.#makesWay && this.#isCalled())) return true;
    return ms >= TURN_MS && (isShort || this.#count('interactive') + this.#count('bulk') > 0);
  }

  #count(lane: Lane): number {
    return Atomics.load(this.#waiting, WAITING[lane]);
  }

  /** One worker for each question: whoever goes takes it off the count, until the line tells its length anew. */
  #isCalled(): boolean {
    const count = this.#count('interactive');
    return count > 0 && Atomics.compareExchange(this.#waiting, WAITING.interactive, count, count - 1) === count;
  }
}
