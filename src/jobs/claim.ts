/**
 * A file held at one generation while a statistic reads it. Nothing is locked: writers save what they overwrite
 * (file/pre-images.ts), and whoever read a stretch while its bytes were being saved reads it again, with the old bytes
 * in place of the new ones. Hazard: `close` must be called, or writers go on saving.
 */
import type { Dataset } from '../dataset/dataset.js';
import type { SourceDescriptor } from '../descriptor.js';
import { fail } from '../errors.js';
import { sameIdentity, type OpenFile } from '../file/open-file.js';
import type { Snapshot } from '../file/snapshot.js';
import type { Extent } from '../layout/runs.js';

export class Claim {
  readonly dataset: Dataset;
  readonly file: OpenFile;
  readonly generation: number;
  /** Writes that are in the file at this generation (FileState.writesStarted). */
  readonly version: number;
  readonly #snapshot: Snapshot;
  readonly #release: () => void;

  private constructor(dataset: Dataset, file: OpenFile, snapshot: Snapshot, release: () => void) {
    this.dataset = dataset;
    this.file = file;
    this.generation = dataset.generation;
    this.version = file.state.writesStarted;
    this.#snapshot = snapshot;
    this.#release = release;
  }

  /** Claims the present generation, as soon as no write is half done. @throws file_changed, bulk_load, busy */
  static async of(dataset: Dataset): Promise<Claim> {
    const file = await dataset.open();
    const release = file.lease();
    try {
      return await file.state.lock.withRead(() => Claim.#make(dataset, file, release));
    } catch (error) {
      release();
      throw error;
    }
  }

  /** The same for a caller who holds the file's lock. */
  static async underLock(dataset: Dataset): Promise<Claim> {
    const file = await dataset.open();
    const release = file.lease();
    try {
      return Claim.#make(dataset, file, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  static #make(dataset: Dataset, file: OpenFile, release: () => void): Claim {
    file.state.checkUsable();
    const { record, geometry } = dataset;
    const need = { start: Math.min(record.offset, geometry.endBytes), end: geometry.endBytes };
    return new Claim(dataset, file, file.state.preImages.open(file.identity, need), release);
  }

  /** True when more was overwritten than is saved: what is read from now on may be of a later generation. */
  get isCut(): boolean {
    return this.#snapshot.isCut;
  }

  /** What a worker needs to read bytes of `[start, end)` as they were. */
  describe({ start, end }: Extent): SourceDescriptor {
    const patches = this.#snapshot.patches({ start, end });
    const descriptor = this.file.describe(start, end, !this.dataset.record.external);
    return patches.length > 0 ? { ...descriptor, patches } : descriptor;
  }

  /** Whether a write has touched the stretch since it was described: what was read of it meanwhile may be mixed. */
  hasMoved({ start, end }: Extent, { patches = [] }: SourceDescriptor): boolean {
    return this.#snapshot.patches({ start, end }).length !== patches.length;
  }

  /** @throws file_changed when another file has taken the place of the one being read, bulk_load, durability_unknown */
  check(): void {
    this.file.state.checkUsable();
    const current = this.dataset.files.get(this.dataset.reference);
    if (current && !sameIdentity(current.identity, this.file.identity)) {
      fail('file_changed', 'Another file took the place of this one. Repeat the request to read the new file.', {
        reason: 'replaced',
      });
    }
  }

  close(): void {
    this.#snapshot.close();
    this.#release();
  }
}
