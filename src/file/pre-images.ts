/**
 * What a writer is about to overwrite is saved for the readers that still have to send it, so that a slow reader holds
 * nobody up and still answers with one generation. Bounded in bytes, per file and in all: past a bound readers are
 * given up, the oldest first; a write is never refused for their sake.
 * Hazard: a snapshot may be opened only while no writer is at work (under the read lock).
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { coveringRuns, unionOf, type Extent } from '../layout/runs.js';
import type { View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { Block, Snapshot } from './snapshot.js';

/** Where old bytes are read: the file that is about to be written. */
export interface OldBytes {
  readonly identity: Snapshot['identity'];
  read(start: number, into: Uint8Array): Promise<void>;
}

/** Bounds that tests lower. */
export interface PreImageBounds {
  readonly bytesMax: number;
  readonly rangesMax: number;
  readonly gapBytesMax: number;
}

const BOUNDS: PreImageBounds = {
  bytesMax: LIMITS.preImageBytesMax,
  rangesMax: LIMITS.preImageRangesMax,
  gapBytesMax: LIMITS.preImageGapBytesMax,
};

/** Snapshots of all files, the oldest first. */
const openSnapshots = new Set<Snapshot>();
let heldBytes = 0;

/** Bytes that are kept for slow readers of all files. */
export function preImageBytes(): number {
  return heldBytes;
}

export class PreImages {
  readonly #bounds: PreImageBounds;
  /** The oldest first. */
  readonly #open = new Set<Snapshot>();
  /** Bytes that are kept, and those that a write has found room for and is about to keep. */
  #heldBytes = 0;

  constructor(bounds: Partial<PreImageBounds> = {}) {
    this.#bounds = { ...BOUNDS, ...bounds };
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  /** Claims the present bytes of `need`. The caller keeps writers off until this returns, and must `close` it. */
  open(identity: Snapshot['identity'], need: Extent): Snapshot {
    const snapshot = new Snapshot(identity, need, () => {
      this.#open.delete(snapshot);
      openSnapshots.delete(snapshot);
    });
    this.#open.add(snapshot);
    openSnapshots.add(snapshot);
    return snapshot;
  }

  /**
   * Saves what `target` is about to overwrite. The caller holds the write lock and has not written yet. Several writes
   * may be saved at the same time where no byte lies between the first and the last of two of them.
   */
  async keep(file: OldBytes, target: View, itemsize: number): Promise<void> {
    const readers = [...this.#open].filter(({ identity }) => isSame(identity, file.identity));
    if (readers.length === 0) return;
    const within = hullOf(readers.map(({ need }) => need));
    const runs = coveringRuns(target, itemsize, within, {
      gapBytesMax: this.#bounds.gapBytesMax,
      runsMax: LIMITS.preImageRunsMax,
    });
    for (const { start, end } of await this.#makeRoom(readers, runs)) {
      for (let from = start; from < end; from += LIMITS.pieceBytesMax) {
        // oxlint-disable-next-line no-await-in-loop
        await this.#save(file, readers, from, Math.min(end, from + LIMITS.pieceBytesMax));
      }
    }
  }

  /** Gives up every reader: before a change whose old bytes are not worth keeping, or that changes the file's size. */
  cutAll(): void {
    for (const snapshot of this.#open) snapshot.cut();
  }

  /** The same for readers who need a byte behind a position: before the file is cut off there. */
  cutBehind(position: number): void {
    for (const snapshot of this.#open) if (snapshot.need.end > position) snapshot.cut();
  }

  readonly #count = (bytes: number): void => {
    this.#heldBytes += bytes;
    heldBytes += bytes;
  };

  /** The ranges to save, counted, after as many readers were cut as it takes to stay within the bounds. */
  async #makeRoom(readers: readonly Snapshot[], runs: readonly Extent[]): Promise<Extent[]> {
    for (;;) {
      const wanting = new Map<Snapshot, Extent[]>();
      for (const reader of readers) {
        const missing = reader.missing(runs);
        if (reader.savedCount + missing.length > this.#bounds.rangesMax) reader.cut();
        else if (missing.length > 0) wanting.set(reader, missing);
      }
      const ranges = unionOf([...wanting.values()].flat());
      const bytes = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
      if (bytes === 0) return ranges;
      const overOwn = this.#heldBytes + bytes > this.#bounds.bytesMax;
      if (!overOwn && heldBytes + bytes <= LIMITS.preImageBytesTotalMax) {
        this.#count(bytes);
        return ranges;
      }
      // Wherever the reader stands: one of another file may be what holds the memory.
      const candidates = overOwn ? this.#open : openSnapshots;
      for (const reader of candidates) {
        if (reader.savedCount === 0 && !wanting.has(reader)) continue;
        reader.cut();
        break;
      }
      // oxlint-disable-next-line no-await-in-loop
      await nextTurn();
    }
  }

  /** Saves one range, which is counted already. */
  async #save(file: OldBytes, readers: readonly Snapshot[], start: number, end: number): Promise<void> {
    this.#count(start - end);
    const wanting = readers.filter(reader => reader.missing([{ start, end }]).length > 0);
    if (wanting.length === 0) return;
    let block: Block | undefined;
    try {
      block = new Block(end - start, this.#count);
      await file.read(start, block.bytes);
      for (const reader of wanting) reader.save(block, start);
    } catch {
      // The write finds out for itself what is wrong with the file; these readers can no longer be right.
      for (const reader of wanting) reader.cut();
    } finally {
      block?.release();
    }
  }
}

function isSame(a: Snapshot['identity'], b: Snapshot['identity']): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

function hullOf(extents: readonly Extent[]): Extent {
  const needed = extents.filter(({ start, end }) => start < end);
  return {
    start: needed.reduce((least, { start }) => Math.min(least, start), Number.POSITIVE_INFINITY),
    end: needed.reduce((most, { end }) => Math.max(most, end), 0),
  };
}
