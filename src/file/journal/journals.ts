/** The journals of a data folder: one per file that is written, made at its first commit and gone after a clean stop. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from '../io.js';
import { inOwnFolder } from '../own-folder.js';
import { Journal, type LiveBytes } from './journal.js';
import { recoverJournal, type ArrayFile, type Recovered } from './recovery.js';

const SUFFIX = '.journal';

/** What the journals of this process have done, for the metrics. */
export interface JournalCounts {
  records: number;
  syncs: number;
  checkpoints: number;
  replayedRecords: number;
}

export class Journals {
  readonly counts: JournalCounts = { records: 0, syncs: 0, checkpoints: 0, replayedRecords: 0 };
  /** What a recovery would have to replay, all files together. */
  readonly live: LiveBytes = { bytes: 0, costBytes: 0 };
  /** Told when a file stops being served because the disk failed it: nobody may be waiting for the answer. */
  onLost: (fileId: string, cause: unknown) => void = () => undefined;
  readonly #folder: string;
  /** Files whose journals an earlier run left and this one has not replayed. */
  readonly #unreplayed = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Looks at the folder at the start. */
  async load(): Promise<void> {
    for (const name of await fs.readdir(this.#folder)) {
      if (name.endsWith(SUFFIX)) this.#unreplayed.add(name.slice(0, -SUFFIX.length));
    }
  }

  /** True while a file must not be read: its journal has to be replayed first. */
  isUnreplayed(fileId: string): boolean {
    return this.#unreplayed.has(fileId);
  }

  /** @throws quarantined, file_changed */
  async recover(file: ArrayFile): Promise<Recovered> {
    const recovered = await recoverJournal(this.#pathOf(file.fileId), file, this.live);
    this.#unreplayed.delete(file.fileId);
    this.counts.replayedRecords += recovered.replayedRecords;
    return recovered;
  }

  /** @throws data_folder_refused, ENOSPC */
  create(fileId: string, ino: bigint): Promise<Journal> {
    return inOwnFolder(() => Journal.create(this.#pathOf(fileId), fileId, ino, this.live));
  }

  /** Drops whatever journal a file has: nobody can reach the file any more. */
  async forget(fileId: string, journal: Journal | undefined): Promise<void> {
    const wasLeft = this.#unreplayed.delete(fileId);
    await inOwnFolder(async () => {
      if (journal) await journal.remove();
      else if (wasLeft) {
        await fs.rm(this.#pathOf(fileId), { force: true });
        await syncFolder(this.#folder);
      }
    });
  }

  #pathOf(fileId: string): string {
    return path.join(this.#folder, `${fileId}${SUFFIX}`);
  }
}
