/**
 * The bytes of a file that a statistic may read, held at one generation meanwhile. Nothing is locked: writers save what
 * they overwrite of them (file/pre-images.ts), and whoever read a stretch while its bytes were being saved reads it
 * again, with the old bytes in place of the new ones. Hazard: `close` must be called, or writers go on saving.
 */
import type { Dataset } from '../dataset/dataset.js';
import type { SourceDescriptor } from '../descriptor.js';
import { fail, invariant } from '../errors.js';
import type { FileState } from '../file/file-state.js';
import type { Waiting } from '../file/lock.js';
import { packPatches } from '../file/packed-patches.js';
import { sameIdentity, type OpenFile } from '../file/open-file.js';
import type { Snapshot } from '../file/snapshot.js';
import type { Extent } from '../layout/runs.js';

/** A dataset, and which bytes of its file may be read. */
export interface Need {
  readonly dataset: Dataset;
  readonly extent: Extent;
}

interface Leased extends Need {
  readonly file: OpenFile;
  readonly release: () => void;
}

export class Claim {
  readonly dataset: Dataset;
  readonly file: OpenFile;
  readonly generation: number;
  /** Writes that are in the file at this generation (FileState.writesStarted). */
  readonly version: number;
  readonly #extent: Extent;
  /** When the file was changed last, and the writes of ours that had begun by then. */
  readonly #changedMs: number;
  readonly #ownWrites: number;
  readonly #snapshot: Snapshot;
  readonly #release: () => void;
  #isClosed = false;

  /** Of a file whose writers are kept off. @throws file_changed, bulk_load, durability_unknown */
  constructor({ dataset, extent, file, release }: Leased) {
    file.state.checkUsable();
    dataset.checkLength();
    this.dataset = dataset;
    this.generation = dataset.generation;
    this.version = file.state.writesStarted;
    this.#extent = extent;
    this.#changedMs = file.stamp.ctimeMs;
    this.#ownWrites = file.state.ownWritesStarted;
    this.#snapshot = file.state.preImages.open(file.identity, extent);
    const frozen = file.frozen(() => this.#snapshot.cut());
    this.file = frozen.file;
    this.#release = () => {
      frozen.release();
      release();
    };
  }

  /** True when more was overwritten than is saved: what is read from now on may be of a later generation. */
  get isCut(): boolean {
    return this.#snapshot.isCut;
  }

  /** Calls back when it is cut. */
  onCut(callback: () => void): void {
    this.#snapshot.onCut(callback);
  }

  /** What a worker needs to read bytes of `[start, end)` as they were. */
  describe({ start, end }: Extent): SourceDescriptor {
    const { start: from, end: to } = this.#extent;
    invariant(start >= end || (start >= from && end <= to), 'a claim holds what is read');
    const patches = packPatches(this.#snapshot.patches({ start, end }));
    const descriptor = this.file.describe(start, end, !this.dataset.record.external);
    return patches.length > 0 ? { ...descriptor, patches } : descriptor;
  }

  /** Which bytes may be read. */
  get extent(): Extent {
    return this.#extent;
  }

  /** Grows, in shared memory, when a writer saves anything (Snapshot.saves). */
  get saves(): Int32Array {
    return this.#snapshot.saves;
  }

  /** Ranges that were saved of a stretch. */
  savedIn(extent: Extent): number {
    return this.#snapshot.patchCount(extent);
  }

  /** Whether a write has touched a stretch since `saves` was a number: what was read of it since may be mixed. */
  isSavedSince(extent: Extent, number: number): boolean {
    return this.#snapshot.isSavedSince(extent, number);
  }

  /** @throws file_changed when another file has taken the place of the one being read, bulk_load, durability_unknown */
  check(): void {
    this.file.state.checkUsable();
    const isOwnDoing = this.file.state.ownWritesStarted !== this.#ownWrites;
    this.dataset.recheck(this.file, isOwnDoing ? undefined : this.#changedMs);
    const current = this.dataset.files.get(this.dataset.reference);
    if (current && !sameIdentity(current.identity, this.file.identity)) {
      fail('file_changed', 'Another file took the place of this one. Repeat the request to read the new file.', {
        reason: 'replaced',
      });
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#snapshot.close();
    this.#release();
  }
}

/**
 * Claims the present generation of each dataset, as soon as no write of its file is half done; those on one file get
 * the same one. @throws file_changed, bulk_load, busy, cancelled
 */
export function claimAll(needs: readonly Need[], waiting?: Waiting): Promise<Claim[]> {
  return claimEach(needs, (state, claim) => state.lock.withRead(claim, waiting));
}

/** The same for a caller who holds the locks of all files. */
export function claimUnderLocks(needs: readonly Need[]): Promise<Claim[]> {
  return claimEach(needs, (_, claim) => claim());
}

async function claimEach(
  needs: readonly Need[],
  keepingWritersOff: (state: FileState, claim: () => void) => Promise<void> | void,
): Promise<Claim[]> {
  const leased: Leased[] = [];
  const claims = new Map<Leased, Claim>();
  try {
    for (const { dataset, extent } of needs) {
      // oxlint-disable-next-line no-await-in-loop
      const file = await dataset.open(extent);
      leased.push({ dataset, extent, file, release: file.lease() });
    }
    for (const state of new Set(leased.map(({ file }) => file.state))) {
      // Together: a write between two claims of a file would part their generations.
      // oxlint-disable-next-line no-await-in-loop
      await keepingWritersOff(state, () => {
        for (const each of leased) if (each.file.state === state) claims.set(each, new Claim(each));
      });
    }
    return leased.map(each => claims.get(each)!);
  } catch (error) {
    for (const claim of claims.values()) claim.close();
    for (const { release } of leased) release();
    throw error;
  }
}
