/**
 * Whether threads can be had. piscina replaces a thread that ends, but none that ended before it was ready: here one is
 * asked for again, at first often, then ever more seldom. When all starts have failed for some seconds, whatever waits is
 * given up instead of waiting for ever; the asking goes on, so a machine that recovers is served again.
 */
const RETRY_MS = 500;
const RETRY_MS_MAX = 30_000;
/** Starts have to fail for so long: the lack of a moment is no reason to refuse anybody. */
const PATIENCE_MS = 5000;

export interface Threads {
  /** How many there should be. */
  readonly wanted: number;
  /** Those that are there, or are being started. */
  count(): number;
  isAnyReady(): boolean;
  /** Asks for one more. */
  start(): void;
  /** No thread can be had, as of now where it `isNew`: what waits for one must wait no longer. */
  giveUp(isNew: boolean): void;
}

export class ThreadWatch {
  readonly #threads: Threads;
  readonly #patienceMs: number;
  #isDown = false;
  #isClosed = false;
  /** Threads that ended since the last one was ready, and when the first of them did. */
  #ended = 0;
  #sinceMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #waitMs = RETRY_MS;

  constructor(threads: Threads, patienceMs = PATIENCE_MS) {
    this.#threads = threads;
    this.#patienceMs = patienceMs;
  }

  /** True from when waiting was given up until a thread is ready. */
  get isDown(): boolean {
    return this.#isDown;
  }

  /** A thread is ready for tasks. */
  ready(): void {
    this.#isDown = false;
    this.#ended = 0;
    this.#waitMs = RETRY_MS;
  }

  /** A thread has ended, whether it was ready or not. */
  ended(): void {
    if (this.#isClosed) return;
    if (this.#ended++ === 0) this.#sinceMs = performance.now();
    const { wanted } = this.#threads;
    const isLasting = this.#ended > wanted && performance.now() - this.#sinceMs >= this.#patienceMs;
    if (this.#isDown || (isLasting && !this.#threads.isAnyReady())) {
      const isNew = !this.#isDown;
      this.#isDown = true;
      this.#waitMs = Math.min(2 * this.#waitMs, RETRY_MS_MAX);
      this.#threads.giveUp(isNew);
    }
    this.#startLater();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** One timer, however many threads have ended. */
  #startLater(): void {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#threads.count() >= this.#threads.wanted) return;
      this.#threads.start();
      this.#startLater();
    }, this.#waitMs);
    this.#timer.unref();
  }
}
