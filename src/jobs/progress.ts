/** How far a job is, how fast it goes, and how long it will take if nothing changes. */

/** What the runner tells after each task. Totals may grow: later passes depend on what was read before. */
export interface Progress {
  readonly chunks: number;
  readonly chunksTotal: number;
  readonly bytes: number;
  readonly bytesTotal: number;
}

export interface Pace {
  /** Null until there is something to tell it by. */
  readonly bytesPerSecond: number | null;
  readonly secondsLeft: number | null;
}

interface Mark {
  readonly atMs: number;
  readonly bytes: number;
}

/** The rate is that of the last one to two seconds: it follows a disk that takes over from the page cache. */
const WINDOW_MS = 1000;

export class Meter {
  progress: Progress;
  #start: Mark;
  #older: Mark;
  #newer: Mark;

  constructor(progress: Progress, nowMs: number) {
    this.progress = progress;
    this.#start = this.#older = this.#newer = { atMs: nowMs, bytes: 0 };
  }

  /** What took place before does not count. */
  restart(nowMs: number): void {
    this.#start = this.#older = this.#newer = { atMs: nowMs, bytes: this.progress.bytes };
  }

  update(progress: Progress, nowMs: number): void {
    this.progress = progress;
    if (nowMs - this.#newer.atMs < WINDOW_MS) return;
    this.#older = this.#newer;
    this.#newer = { atMs: nowMs, bytes: progress.bytes };
  }

  /** While it runs. */
  pace(nowMs: number): Pace {
    const { bytes, bytesTotal } = this.progress;
    const perSecond = rateSince(this.#older, bytes, nowMs);
    const secondsLeft = perSecond ? Math.max(0, bytesTotal - bytes) / perSecond : null;
    return { bytesPerSecond: perSecond, secondsLeft };
  }

  /** Of the whole, when it has ended. */
  average(endMs: number): Pace {
    return { bytesPerSecond: rateSince(this.#start, this.progress.bytes, endMs), secondsLeft: null };
  }
}

function rateSince(mark: Mark, bytes: number, nowMs: number): number | null {
  return nowMs > mark.atMs && bytes > mark.bytes ? ((bytes - mark.bytes) * 1000) / (nowMs - mark.atMs) : null;
}
