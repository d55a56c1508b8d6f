/** Work of which only so much may be under way, on one event loop: the rest waits in a line in which clients take turns. */
import { cancelledError, checkWanted, whenCancelled } from '../cancelled.js';
import { FairLine, type Client } from '../fair-line.js';

export class Turnstile {
  #free: number;
  readonly #waiting = new FairLine<() => void>();

  /** `places` at a time; one keeps work from overlapping. */
  constructor(places = 1) {
    this.#free = places;
  }

  /** Runs `work` at once where a place is free, else when those before it have ended, well or not. @throws cancelled where `signal` fires before its turn */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal, client?: Client): Promise<T> {
    checkWanted(signal);
    if (this.#free > 0) this.#free--;
    else await this.#wait(signal, client);
    try {
      return await work();
    } finally {
      const next = this.#waiting.take();
      if (next) next();
      else this.#free++;
    }
  }

  #wait(signal: AbortSignal | undefined, client: Client | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const forget = whenCancelled(signal, () => {
        this.#waiting.remove(enter, client);
        reject(cancelledError());
      });
      const enter = (): void => {
        forget();
        resolve();
      };
      this.#waiting.push(enter, client);
    });
  }
}
