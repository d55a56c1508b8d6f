/** Work of which only so much may be under way: the rest waits in the order of asking, on one event loop. */
export class Turnstile {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** `places` at a time; one keeps work from overlapping. */
  constructor(places = 1) {
    this.#free = places;
  }

  /** Runs `work` at once where a place is free, else when those before it have ended, well or not. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>(resolve => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
