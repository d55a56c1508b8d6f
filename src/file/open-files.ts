/**
 * The files that are open, and how many at most: a new one waits for the one that was used longest ago to be closed.
 * Hazard: a file that is let go of keeps its descriptor until its journal is empty and its last reader has ended, and
 * counts until then. Files that are all in use are more than the bound allows, rather than waited for without end.
 */
import { LIMITS } from '../limits.js';
import type { OpenFile } from './open-file.js';

/** How many windows of files are mapped. */
export interface WindowCount {
  windows: number;
}

export class OpenFiles {
  readonly #filesMax: number;
  /** Lets go of a file, which is closed some time after. */
  readonly #drop: (fileId: string) => void;
  /** By file id, in the order in which they were last used. */
  readonly #byId = new Map<string, OpenFile>();
  #latest: OpenFile | undefined;
  /** Used in this turn of the event loop: whoever was handed one of them has not leased it yet. */
  readonly #recent = new Set<OpenFile>();
  readonly mapped: WindowCount = { windows: 0 };
  /** Files that have a descriptor, or are about to; those that are let go of; and who waits for one of them. */
  #held = 0;
  #leaving = 0;
  readonly #waiting = new Set<() => void>();

  constructor(filesMax: number, drop: (fileId: string) => void) {
    this.#filesMax = filesMax;
    this.#drop = drop;
  }

  get size(): number {
    return this.#byId.size;
  }

  ids(): Iterable<string> {
    return this.#byId.keys();
  }

  peek(fileId: string): OpenFile | undefined {
    return this.#byId.get(fileId);
  }

  /** Makes a file the one that was used last. */
  use(file: OpenFile): void {
    if (this.#latest === file) return;
    if (this.#recent.size === 0) setImmediate(() => this.#recent.clear());
    if (this.#latest) this.#recent.add(this.#latest);
    this.#recent.add(file);
    this.#byId.delete(file.state.fileId);
    this.#byId.set(file.state.fileId, file);
    this.#latest = file;
  }

  /** Waits until one more file may be opened. It counts from then on: `add` or `giveUp` has to follow. */
  async reserve(): Promise<void> {
    const deadline = performance.now() + LIMITS.openWaitMs;
    while (this.#held >= this.#filesMax && performance.now() < deadline) {
      // oxlint-disable-next-line no-await-in-loop
      await this.#oneToClose();
    }
    this.#held++;
  }

  giveUp(): void {
    this.#held--;
    for (const wake of this.#waiting) wake();
  }

  add(file: OpenFile): void {
    this.use(file);
    let excess = this.mapped.windows - LIMITS.windowsMax;
    for (const idle of this.#idle()) {
      if (excess <= 0) return;
      excess -= idle.windowCount;
      this.#drop(idle.state.fileId);
    }
  }

  /** Takes a file out: nobody finds it any more, and it counts until `closed`. */
  take(fileId: string): OpenFile | undefined {
    const file = this.#byId.get(fileId);
    if (!file) return undefined;
    this.#byId.delete(fileId);
    if (this.#latest === file) this.#latest = undefined;
    this.#leaving++;
    return file;
  }

  closed(): void {
    this.#leaving--;
    this.giveUp();
  }

  /** Lets go of what was not used longest, as far as it is idle: descriptors are needed elsewhere. */
  closeSome(): void {
    let count = Math.ceil(this.#byId.size / 4);
    for (const { state } of this.#idle()) {
      if (count-- === 0) return;
      this.#drop(state.fileId);
    }
  }

  /** Files without a reader or writer, the one that was used longest ago first. */
  *#idle(): Generator<OpenFile> {
    for (const file of this.#byId.values()) {
      if (file.isIdle && file !== this.#latest && !this.#recent.has(file)) yield file;
    }
  }

  /** Until a file is closed, or a moment has passed in which one may have become idle. */
  #oneToClose(): Promise<void> {
    return new Promise(resolve => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, LIMITS.openRetryMs);
      this.#waiting.add(wake);
      if (this.#leaving >= this.#waiting.size) return;
      const [idle] = this.#idle();
      if (idle) this.#drop(idle.state.fileId);
    });
  }
}
