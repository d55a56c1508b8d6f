/** Work of which only so much may be under way: the rest waits in the order of asking, on one event loop. */
import { cancelledError, checkWanted, whenCancelled } from '../cancelled.js';

export class Turnstile {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** `places` at a time; one keeps work from overlapping. */
  constructor(places = 1) {
    this.#free = places;
  }

  /** Runs `work` at once where a place is free, else when those before it have ended, well or not. @throws cancelled where `signal` fires before its turn */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    checkWanted(signal);
    if (this.#free > 0) this.#free--;
    else await this.#wait(signal);
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const forget = whenCancelled(signal, () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(cancelledError());
      });
      const enter = (): void => {
        forget();
        resolve();
      };
      this.#waiting.push(enter);
    });
  }
}
