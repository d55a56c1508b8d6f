/**
 * A fair read-write lock for one file, on one event loop. First come, first served: a reader that arrives behind a
 * waiting writer waits too, so that a stream of readers cannot starve a write. One client may fill a share of the line.
 */
import { cancelledError, checkWanted, whenCancelled } from '../cancelled.js';
import { fail } from '../errors.js';
import { shareOf, type Client } from '../fair-line.js';
import { LIMITS } from '../limits.js';

interface Waiter {
  readonly writer: boolean;
  readonly client: Client | undefined;
  readonly wake: () => void;
}

export interface Waiting {
  /** Fires when nobody waits any more. */
  readonly signal?: AbortSignal | undefined;
  /** Whose request it is. */
  readonly client?: Client | undefined;
}

export class ReadWriteLock {
  #readers = 0;
  #writing = false;
  readonly #queue: Waiter[] = [];

  /** True when a read that ends before the event loop turns needs no lock at all. */
  get isOpenToReaders(): boolean {
    return !this.#writing && this.#queue.length === 0;
  }

  /** Somebody is writing now. */
  get isWriting(): boolean {
    return this.#writing;
  }

  /** @throws busy, and cancelled where `signal` fires before it is let in */
  async withRead<T>(work: () => Promise<T> | T, { signal, client }: Waiting = {}): Promise<T> {
    checkWanted(signal);
    if (this.isOpenToReaders) this.#readers++;
    else await this.#wait(false, signal, client);
    try {
      return await work();
    } finally {
      this.#readers--;
      this.#next();
    }
  }

  /** @throws cancelled where `signal` fires before it is let in */
  async withWrite<T>(work: () => Promise<T> | T, signal?: AbortSignal): Promise<T> {
    checkWanted(signal);
    if (this.#writing || this.#readers > 0 || this.#queue.length > 0) await this.#wait(true, signal);
    else this.#writing = true;
    try {
      return await work();
    } finally {
      this.#writing = false;
      this.#next();
    }
  }

  /** Writers are let in line whatever its length: they come one at a time, and what they bring is committed. @throws busy */
  #wait(writer: boolean, signal: AbortSignal | undefined, client?: Client): Promise<void> {
    if (!writer && !this.#hasRoomFor(client)) {
      fail('busy', 'Too many requests wait for this file. Repeat the request in a moment.');
    }
    return new Promise((resolve, reject) => {
      const forget = whenCancelled(signal, () => {
        this.#queue.splice(this.#queue.indexOf(waiter), 1);
        reject(cancelledError());
        // Readers behind a writer that leaves need not wait.
        this.#next();
      });
      const wake = (): void => {
        forget();
        resolve();
      };
      const waiter: Waiter = { writer, client, wake };
      this.#queue.push(waiter);
    });
  }

  #hasRoomFor(client: Client | undefined): boolean {
    const { lockWaitersMax } = LIMITS;
    if (this.#queue.length >= lockWaitersMax) return false;
    const ownMax = client ? shareOf(client.share, lockWaitersMax) : lockWaitersMax;
    // Counted only where one client could have that many.
    if (this.#queue.length < ownMax) return true;
    return this.#queue.filter(waiter => waiter.client?.id === client!.id).length < ownMax;
  }

  /** Hands the lock to whoever is first, and to the readers directly behind a first reader. */
  #next(): void {
    for (let first = this.#queue[0]; first && !this.#writing; first = this.#queue[0]) {
      if (first.writer && this.#readers > 0) return;
      this.#queue.shift();
      if (first.writer) this.#writing = true;
      else this.#readers++;
      first.wake();
    }
  }
}
