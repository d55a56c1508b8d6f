/**
 * A bounded amount of memory that requests share. What is larger than the whole is refused at once; what does not fit
 * now waits in line, first come, first served, for a few seconds, and is refused when the line is full or its time is
 * up; whoever is not waited for any more leaves the line at once. Hazard: a release that is forgotten is memory that is never given out again.
 */
import { cancelledError, checkWanted, whenCancelled } from './cancelled.js';
import { fail, HyperslabError } from './errors.js';
import { LIMITS } from './limits.js';

export interface BudgetLine {
  /** How long a request waits. */
  readonly waitMs: number;
  /** How many may wait. */
  readonly waitersMax: number;
}

const LINE: BudgetLine = { waitMs: LIMITS.budgetWaitMs, waitersMax: LIMITS.budgetWaitersMax };

/** Gives bytes back: all of them, once, or all but those that are still needed. */
export type Release = (keptBytes?: number) => void;

interface Waiter {
  readonly bytes: number;
  readonly resolve: (release: Release) => void;
  /** Nothing calls it out of the line any more. */
  readonly settle: () => void;
}

export class ByteBudget {
  readonly #limitBytes: number;
  readonly #waitMs: number;
  readonly #waitersMax: number;
  readonly #waiters: Waiter[] = [];
  #usedBytes = 0;

  constructor(limitBytes: number, { waitMs, waitersMax } = LINE) {
    this.#limitBytes = limitBytes;
    this.#waitMs = waitMs;
    this.#waitersMax = waitersMax;
  }

  get limitBytes(): number {
    return this.#limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  /** Takes bytes if they are free and nobody waits for them. Returns what gives them back, once. */
  tryTake(bytes: number): Release | undefined {
    if (this.#waiters.length > 0 || this.#usedBytes + bytes > this.#limitBytes) return undefined;
    return this.#grant(bytes);
  }

  /** Takes bytes as soon as they are free; leaves the line when `signal` fires. @throws too_large, busy, cancelled */
  async take(bytes: number, signal?: AbortSignal): Promise<Release> {
    checkWanted(signal);
    if (bytes > this.#limitBytes) {
      fail(
        'too_large',
        `The request would hold ${bytes} bytes; ${this.#limitBytes} are available to all requests. Ask for less, or send less, in one call.`,
        {
          limit: this.#limitBytes,
          asked: bytes,
        },
      );
    }
    const taken = this.tryTake(bytes);
    if (taken) return taken;
    if (this.#waiters.length >= this.#waitersMax) throw this.#busy(bytes);
    return new Promise((resolve, reject) => {
      const leave = (error: HyperslabError): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        waiter.settle();
        reject(error);
        // Those behind may ask for less.
        this.#next();
      };
      const timer = setTimeout(() => leave(this.#busy(bytes)), this.#waitMs);
      const forget = whenCancelled(signal, () => leave(cancelledError()));
      const settle = (): void => {
        clearTimeout(timer);
        forget();
      };
      const waiter: Waiter = { bytes, resolve, settle };
      this.#waiters.push(waiter);
    });
  }

  /** Runs `work` while `bytes` are counted as used. @throws too_large, busy, cancelled */
  async with<T>(bytes: number, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const release = await this.take(bytes, signal);
    try {
      return await work();
    } finally {
      release();
    }
  }

  #grant(bytes: number): Release {
    this.#usedBytes += bytes;
    let heldBytes = bytes;
    return (keptBytes = 0) => {
      if (keptBytes >= heldBytes) return;
      this.#usedBytes -= heldBytes - keptBytes;
      heldBytes = keptBytes;
      this.#next();
    };
  }

  #next(): void {
    for (let first = this.#waiters[0]; first && this.#usedBytes + first.bytes <= this.#limitBytes;) {
      this.#waiters.shift();
      first.settle();
      first.resolve(this.#grant(first.bytes));
      first = this.#waiters[0];
    }
  }

  #busy(bytes: number): HyperslabError {
    return new HyperslabError('busy', 'Other requests hold the memory that this one needs. Repeat it in a moment.', {
      limit: this.#limitBytes,
      asked: bytes,
    });
  }
}
