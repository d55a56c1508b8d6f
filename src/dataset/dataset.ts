/** A dataset: a layout over a file. Opening checks that the file still is what the record says. */
import { promisify } from 'node:util';
import fs from 'node:fs';
import path from 'node:path';
import { fail, isErrorCode, systemErrorCode } from '../errors.js';
import { withFolder } from '../file/folder.js';
import type { FileReference, FileTable } from '../file/file-table.js';
import { failForgotten } from '../file/refusals.js';
import type { OpenFile } from '../file/open-file.js';
import { LIMITS } from '../limits.js';
import { nextTurn } from '../turns.js';
import { geometryOf, isWritable, type DatasetRecord, type Geometry } from './record.js';

const readSome = promisify(fs.read);

export type DatasetState = 'ready' | 'missing' | 'truncated' | 'bulk_load' | 'durability_unknown' | 'quarantined';

/** Compares the head of a .npy file with the record; the registry provides it, since formats stand above this room. */
export type HeaderCheck = (head: Uint8Array, record: DatasetRecord) => boolean;

/** Whether a registration still stands. It outlives changes of its record; whoever holds an old record sees it too. */
export interface Registration {
  isForgotten: boolean;
}

export class Dataset {
  readonly record: DatasetRecord;
  readonly geometry: Geometry;
  readonly files: FileTable;
  readonly registration: Registration;
  readonly #headerCheck: HeaderCheck;
  /** The open file whose header has been compared. */
  #checked: OpenFile | undefined;

  constructor(
    record: DatasetRecord,
    files: FileTable,
    headerCheck: HeaderCheck,
    registration: Registration = { isForgotten: false },
  ) {
    this.record = record;
    this.registration = registration;
    this.geometry = geometryOf(record);
    this.files = files;
    this.#headerCheck = headerCheck;
  }

  get reference(): FileReference {
    const { fileId, path: realPath } = this.record;
    return { fileId, realPath, writable: isWritable(this.record), registration: this.registration };
  }

  get generation(): number {
    return this.files.generations.current(this.record.fileId);
  }

  /** The file, verified, if it is open; otherwise `open` has to be awaited. @throws file_changed, durability_unknown, bulk_load */
  opened(): OpenFile | undefined {
    if (this.registration.isForgotten) failForgotten();
    const file = this.files.get(this.reference);
    if (!file || file !== this.#checked) return undefined;
    file.state.checkUsable();
    this.#verify(file);
    return file;
  }

  /** Opens the file if need be. @throws file_changed, durability_unknown, bulk_load */
  async open(): Promise<OpenFile> {
    const already = this.opened();
    if (already) return already;
    const file = await this.files.open(this.reference);
    file.state.checkUsable();
    this.#verify(file);
    if (this.record.format === 'npy') await this.#compareHeader(file);
    this.#checked = file;
    return file;
  }

  /** What memory knows against the dataset, and `ready` where that is nothing. Asks no disk. */
  get knownState(): DatasetState {
    if (this.registration.isForgotten) return 'missing';
    const state = this.files.knownStateOf(this.record.fileId);
    if (state?.damage !== undefined) return 'quarantined';
    if (state?.durabilityUnknown) return 'durability_unknown';
    return state?.bulkLoading ? 'bulk_load' : 'ready';
  }

  /** Why the journal of the file cannot be replayed, where it cannot. */
  get damage(): string | undefined {
    return this.files.knownStateOf(this.record.fileId)?.damage;
  }

  /** How the file looks from outside, without opening it. */
  async state(): Promise<DatasetState> {
    const known = this.knownState;
    if (known !== 'ready') return known;
    try {
      const stats = await withFolder(path.dirname(this.record.path), folder =>
        folder.look(path.basename(this.record.path)),
      );
      if (!stats.isFile()) return 'missing';
      return stats.size >= this.geometry.endBytes ? 'ready' : 'truncated';
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      return 'missing';
    }
  }

  /** Pages of the array and how many of them are in memory; null where the file is not mapped. */
  async residency(): Promise<{ pages: number; resident: number } | null> {
    const file = await this.open();
    const release = file.lease();
    try {
      const total = { pages: 0, resident: 0 };
      const { endBytes } = this.geometry;
      const stepBytes = 16 * LIMITS.spanBytesMax;
      for (let start = this.record.offset; start < endBytes; start += stepBytes) {
        const part = file.residency(start, Math.min(endBytes, start + stepBytes));
        if (!part) return null;
        total.pages += part.pages;
        total.resident += part.resident;
        // oxlint-disable-next-line no-await-in-loop
        await nextTurn();
      }
      return total;
    } finally {
      release();
    }
  }

  #verify(file: OpenFile): void {
    try {
      file.verify(this.geometry.endBytes);
    } catch (error) {
      // The next request opens whatever stands at the path by then.
      if (isErrorCode(error, 'file_changed') && error.values['reason'] !== 'truncated') {
        this.files.drop(this.record.fileId);
        this.#checked = undefined;
      }
      throw error;
    }
  }

  async #compareHeader(file: OpenFile): Promise<void> {
    const head = new Uint8Array(Math.min(this.record.offset, LIMITS.npyHeaderBytesMax));
    // The dataset may be forgotten, and its file be closed, while the disk is waited for.
    const release = file.lease();
    const { bytesRead } = await readSome(file.fd, head, 0, head.byteLength, 0).finally(release);
    if (bytesRead < head.byteLength || !this.#headerCheck(head, this.record)) {
      fail(
        'file_changed',
        'The .npy header is not the one that was registered. Forget the dataset and register it anew.',
        {
          reason: 'header',
        },
      );
    }
  }
}
