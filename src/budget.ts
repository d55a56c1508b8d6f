/**
 * A bounded amount of memory that requests share. What is larger than the whole is refused at once; what does not fit
 * now waits in line for a few seconds, and is refused when the line is full or its time is up; whoever is not waited for
 * any more leaves the line at once. The requests of a client have a share of the whole and of the line, though one alone
 * may take all of it; and of those who wait the one goes first whose client holds least.
 * Hazard: a release that is forgotten is memory that is never given out again.
 */
import { cancelledError, checkWanted, whenCancelled } from './cancelled.js';
import { fail, HyperslabError } from './errors.js';
import { shareOf } from './fair-line.js';
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

/** What a request may take from: its client's share, or the whole. */
export interface Budget {
  readonly limitBytes: number;
  readonly usedBytes: number;
  /** How many wait. */
  readonly waiting: number;
  /** The share of one client. */
  of(client: string): Budget;
  /**
   * Takes bytes if they are free and nobody waits for them. Returns what gives them back, once.
   * @param ownBytes what the same request has taken before
   */
  tryTake(bytes: number, ownBytes?: number): Release | undefined;
  /** Takes bytes as soon as they are free; leaves the line when `signal` fires. @throws too_large, busy, cancelled */
  take(bytes: number, signal?: AbortSignal, ownBytes?: number): Promise<Release>;
  /** Runs `work` while `bytes` are counted as used. @throws too_large, busy, cancelled */
  with<T>(bytes: number, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** What a client holds, and how many of its requests wait. Kept while there is something. */
interface Account {
  /** Undefined for work that belongs to nobody; its share is the whole. */
  readonly client: string | undefined;
  /** Of its share. */
  readonly limitBytes: number;
  usedBytes: number;
  waiting: number;
}

interface Waiter {
  readonly account: Account;
  readonly bytes: number;
  readonly ownBytes: number;
  readonly resolve: (release: Release) => void;
  /** Nothing calls it out of the line any more. */
  readonly settle: () => void;
}

export class ByteBudget implements Budget {
  readonly limitBytes: number;
  readonly #waitMs: number;
  readonly #waitersMax: number;
  readonly #share: number;
  readonly #waiters: Waiter[] = [];
  readonly #accounts = new Map<string | undefined, Account>();
  usedBytes = 0;

  /** @param share what one client may have of the whole, from 0 to 1 */
  constructor(limitBytes: number, { waitMs, waitersMax } = LINE, share = 1) {
    this.limitBytes = limitBytes;
    this.#waitMs = waitMs;
    this.#waitersMax = waitersMax;
    this.#share = share;
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  of(client: string): Budget {
    const account = (): Account => this.#accountOf(client);
    return {
      limitBytes: this.limitBytes,
      get usedBytes() {
        return account().usedBytes;
      },
      get waiting() {
        return account().waiting;
      },
      of: other => this.of(other),
      tryTake: (bytes, ownBytes) => this.#tryTake(client, bytes, ownBytes),
      take: (bytes, signal, ownBytes) => this.#take(client, bytes, signal, ownBytes),
      with: (bytes, work, signal) => withBytes(this.#take(client, bytes, signal), work),
    };
  }

  tryTake(bytes: number): Release | undefined {
    return this.#tryTake(undefined, bytes);
  }

  take(bytes: number, signal?: AbortSignal): Promise<Release> {
    return this.#take(undefined, bytes, signal);
  }

  with<T>(bytes: number, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return withBytes(this.take(bytes, signal), work);
  }

  #tryTake(client: string | undefined, bytes: number, ownBytes = 0): Release | undefined {
    // Those whose own share is used up keep nobody waiting but themselves.
    if (this.#waiters.some(isWithinShare)) return undefined;
    const account = this.#accountOf(client);
    return this.usedBytes + bytes <= this.limitBytes && isWithinShare({ account, bytes, ownBytes })
      ? this.#grant(account, bytes)
      : undefined;
  }

  async #take(client: string | undefined, bytes: number, signal?: AbortSignal, ownBytes = 0): Promise<Release> {
    checkWanted(signal);
    const limit = this.limitBytes;
    if (bytes > limit) failTooLarge(bytes, limit);
    const taken = this.#tryTake(client, bytes, ownBytes);
    if (taken) return taken;
    const account = this.#accountOf(client);
    const ownMax = client === undefined ? this.#waitersMax : shareOf(this.#share, this.#waitersMax);
    if (this.#waiters.length >= this.#waitersMax || account.waiting >= ownMax)
      throw busyError({ account, bytes, ownBytes }, limit);
    return new Promise((resolve, reject) => {
      const leave = (error: HyperslabError): void => {
        this.#remove(waiter);
        reject(error);
        // Those behind may ask for less.
        this.#next();
      };
      const timer = setTimeout(() => leave(busyError({ account, bytes, ownBytes }, limit)), this.#waitMs);
      const forget = whenCancelled(signal, () => leave(cancelledError()));
      const settle = (): void => {
        clearTimeout(timer);
        forget();
      };
      const waiter: Waiter = { account, bytes, ownBytes, resolve, settle };
      this.#waiters.push(waiter);
      account.waiting++;
      this.#accounts.set(client, account);
    });
  }

  #accountOf(client: string | undefined): Account {
    const limitBytes = client === undefined ? Number.POSITIVE_INFINITY : shareOf(this.#share, this.limitBytes);
    return this.#accounts.get(client) ?? { client, limitBytes, usedBytes: 0, waiting: 0 };
  }

  #grant(account: Account, bytes: number): Release {
    this.#accounts.set(account.client, account);
    this.#move(account, bytes);
    let heldBytes = bytes;
    return (keptBytes = 0) => {
      if (keptBytes >= heldBytes) return;
      this.#move(account, keptBytes - heldBytes);
      heldBytes = keptBytes;
      this.#forget(account);
      this.#next();
    };
  }

  #move(account: Account, bytes: number): void {
    this.usedBytes += bytes;
    account.usedBytes += bytes;
  }

  #forget({ client, usedBytes, waiting }: Account): void {
    if (usedBytes === 0 && waiting === 0) this.#accounts.delete(client);
  }

  #remove(waiter: Waiter): void {
    this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
    waiter.settle();
    waiter.account.waiting--;
    this.#forget(waiter.account);
  }

  /** Lets those go on for whom there is room now. The next in turn is not overtaken by smaller ones. */
  #next(): void {
    for (;;) {
      const ready = this.#waiters.filter(isWithinShare);
      const [first] = ready.toSorted((a, b) => a.account.usedBytes - b.account.usedBytes);
      if (!first || this.usedBytes + first.bytes > this.limitBytes) return;
      this.#remove(first);
      first.resolve(this.#grant(first.account, first.bytes));
    }
  }
}

function failTooLarge(asked: number, limit: number): never {
  return fail(
    'too_large',
    `The request would hold ${asked} bytes; ${limit} are available to all requests. Ask for less, or send less, in one call.`,
    { limit, asked },
  );
}

async function withBytes<T>(taking: Promise<Release>, work: () => Promise<T>): Promise<T> {
  const release = await taking;
  try {
    return await work();
  } finally {
    release();
  }
}

type Asked = Pick<Waiter, 'account' | 'bytes' | 'ownBytes'>;

function isWithinShare({ account: { limitBytes, usedBytes }, bytes, ownBytes }: Asked): boolean {
  return usedBytes <= ownBytes || usedBytes + bytes <= limitBytes;
}

function busyError(waiter: Asked, limit: number): HyperslabError {
  const { account, bytes: asked } = waiter;
  if (isWithinShare(waiter)) {
    const detail = 'Other requests hold the memory that this one needs. Repeat it in a moment.';
    return new HyperslabError('busy', detail, { limit, asked });
  }
  const { limitBytes: share, usedBytes: held } = account;
  const detail = `Your other requests hold ${held} of the ${share} bytes that one client may hold; this one needs ${asked}. Read their answers, or repeat it in a moment.`;
  return new HyperslabError('busy', detail, { limit: share, asked, held });
}
