/**
 * What the registry keeps: the index in memory, the manifests on disk, the files' claims and the names that are held. What
 * enters, changes or leaves goes through the steps here. Hazard: their order is the promise; a change is on disk before it
 * is visible, and a file is spoken for before anything is awaited.
 */
import path from 'node:path';
import { fail } from '../errors.js';
import type { Dataset, Upkeep } from '../dataset/dataset.js';
import { standingOf, type Standing } from '../dataset/precondition.js';
import { isCopyOnWrite, type DatasetRecord } from '../dataset/record.js';
import type { FileTable } from '../file/file-table.js';
import { translated } from '../file/system-errors.js';
import { sameShape } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { Claims, type Claim } from './claims.js';
import { DatasetIndex } from './dataset-index.js';
import type { RemoteWrites } from './inspect.js';
import { Manifests } from './manifests.js';
import { HeldNames } from './names.js';

export interface CatalogOptions {
  readonly dataDir: string;
  readonly files: FileTable;
  readonly remoteWrites: RemoteWrites;
  /** Told of datasets whose files say another thing than their records. */
  readonly upkeep: Upkeep;
}

export class Catalog {
  readonly arraysDir: string;
  readonly files: FileTable;
  readonly manifests: Manifests;
  readonly remoteWrites: RemoteWrites;
  readonly index: DatasetIndex;
  readonly claims = new Claims();
  readonly held = new HeldNames();

  constructor({ dataDir, files, remoteWrites, upkeep }: CatalogOptions) {
    this.arraysDir = path.join(dataDir, 'arrays');
    this.files = files;
    this.index = new DatasetIndex(files, upkeep);
    this.remoteWrites = remoteWrites;
    this.manifests = new Manifests(dataDir);
  }

  /** Does work on a name that nobody else works on meanwhile. @throws too_large where no more datasets are held */
  async holding<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (this.index.size >= LIMITS.datasetsMax && this.index.find(name) === undefined) {
      fail(
        'too_large',
        `The service holds ${this.index.size} datasets; ${LIMITS.datasetsMax} are possible. Forget some first.`,
        {
          limit: LIMITS.datasetsMax,
        },
      );
    }
    return this.held.hold(name, work);
  }

  /** What a precondition is asked about. A name whose dataset cannot be served is taken, too. */
  standing(name: string): Standing {
    const dataset = this.index.find(name);
    if (dataset) return standingOf(dataset);
    return this.index.reasonOf(name) === undefined ? undefined : 'untagged';
  }

  /** With the generation that it begins at: above that of what had its name, whatever that was. */
  async begun(record: DatasetRecord, previous: Dataset | undefined): Promise<DatasetRecord> {
    const firstGeneration = previous
      ? previous.generation + 1
      : await translated(() => this.files.begin(record.fileId));
    return { ...record, firstGeneration };
  }

  /**
   * `endsExternal`: until now other programs might write the file, and what is known of its bytes may be out of date. It
   * is called when it is the change's turn, and throws to refuse it.
   */
  async save(record: DatasetRecord, claim: Claim | readonly Claim[], endsExternal?: () => void): Promise<Dataset> {
    if (endsExternal) await translated(() => this.files.countUnseenChange(record.fileId, endsExternal));
    await translated(() => this.manifests.save(record));
    const present = this.index.find(record.name)?.record;
    // Parts that were looked for again are a change of the record itself.
    const isIts = present?.id !== record.id || record.parts !== undefined || sameShape(present.shape, record.shape);
    if (isIts) return this.insert(record, claim);
    // The array has changed its length meanwhile; of a .npy its header says so, too.
    return this.save({ ...record, shape: present.shape }, claim);
  }

  /** The file is spoken for while a manifest is written, so that nobody becomes its second writer meanwhile. */
  async claiming(claim: Claim, work: (claim: Claim) => Promise<Dataset>): Promise<Dataset> {
    this.claims.add(claim);
    try {
      return await work(claim);
    } catch (error) {
      this.claims.drop(claim);
      if (!this.claims.isUsed(claim.fileId)) await this.files.generations.abandon(claim.fileId);
      throw error;
    }
  }

  /** Makes a dataset visible. Its claims take the place of whatever the name claimed before. */
  insert(record: DatasetRecord, claim: Claim | readonly Claim[]): Dataset {
    const dataset = this.index.insert(record);
    this.claims.dropAll(record.name, new Set<Claim>([claim].flat()));
    return dataset;
  }

  /** Closes a file that no dataset stands on any more. */
  async letGoOf(fileId: string): Promise<void> {
    if (!this.claims.isUsed(fileId)) await translated(() => this.files.forget(fileId));
  }

  /** Drops the counter of what was written in memory, whose dataset is gone. */
  async dropCounter(record: DatasetRecord): Promise<void> {
    if (isCopyOnWrite(record)) await translated(() => this.files.generations.abandon(record.id));
  }

  /** Whether the service made the file, where it keeps its own. */
  isOwned(record: DatasetRecord): boolean {
    return record.made && record.path.startsWith(`${this.arraysDir}/`);
  }
}
