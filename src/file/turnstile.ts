/** Work of which only so much may be under way, on one event loop: the rest waits in a line in which clients take turns. */
import { cancelledError, checkWanted, whenCancelled } from '../cancelled.js';
import { FairLine, type Client } from '../fair-line.js';

interface Waiting {
  readonly weight: number;
  readonly enter: () => void;
}

export class Turnstile {
  readonly #places: number;
  #free: number;
  readonly #waiting = new FairLine<Waiting>();

  /** `places` at a time; one keeps work from overlapping. */
  constructor(places = 1) {
    this.#places = places;
    this.#free = places;
  }

  /**
   * Runs `work` at once where there are places for it, else when those before it have ended, well or not.
   * @param asked the places that it takes; what asks for more than there are runs alone
   * @throws cancelled where `signal` fires before its turn
   */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal, client?: Client, asked = 1): Promise<T> {
    checkWanted(signal);
    const weight = Math.min(asked, this.#places);
    if (this.#waiting.size === 0 && this.#free >= weight) this.#free -= weight;
    else await this.#wait(weight, signal, client);
    try {
      return await work();
    } finally {
      this.#free += weight;
      this.#letIn();
    }
  }

  #wait(weight: number, signal: AbortSignal | undefined, client: Client | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const forget = whenCancelled(signal, () => {
        this.#waiting.remove(waiting, client);
        reject(cancelledError());
        // Those behind may ask for less.
        this.#letIn();
      });
      const enter = (): void => {
        forget();
        resolve();
      };
      const waiting: Waiting = { weight, enter };
      this.#waiting.push(waiting, client);
    });
  }

  #letIn(): void {
    for (let next = this.#waiting.first(); next && next.weight <= this.#free; next = this.#waiting.first()) {
      this.#waiting.take();
      this.#free -= next.weight;
      next.enter();
    }
  }
}
