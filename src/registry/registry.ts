/**
 * Name → dataset. The index lives in memory, manifests make it durable; a change is on disk before it is visible.
 * Hazard: two requests for one name at a time. A name that is being made, changed or removed is held meanwhile.
 * How a dataset comes to be is in entering.ts, how it changes in changing.ts, how it goes in leaving.ts; each goes through
 * the steps of catalog.ts.
 */
import type { Dataset } from '../dataset/dataset.js';
import { fail } from '../errors.js';
import { UNCONDITIONAL } from '../dataset/precondition.js';
import type { DatasetRecord } from '../dataset/record.js';
import type { OpenFile } from '../file/open-file.js';
import { removeTemporaries } from '../file/atomic.js';
import { runTurns } from '../turns.js';
import { Catalog, type CatalogOptions } from './catalog.js';
import { patchDataset, relearn } from './changing.js';
import { CONTENT_CHECK, type Listed, type ListQuery } from './dataset-index.js';
import { lengthen, saveShape } from './lengthening.js';
import { adoptArray, createDataset, type IncomingArray } from './entering.js';
import { Folders } from './folders/folders.js';
import type { FolderStanding } from './folders/tree.js';
import { forgetDataset } from './leaving.js';
import { loadManifests, replayJournals } from './load.js';
import type { Quarantined } from './manifests.js';
import { failFromFolder } from './names.js';
import type { RecordPatch } from './records.js';
import type { AskedDataset } from './request.js';

export type { IncomingArray } from './entering.js';
export type { Listed, ListQuery } from './dataset-index.js';
export type { RecordPatch } from './records.js';

export type RegistryOptions = Omit<CatalogOptions, 'upkeep'> & {
  /** Folders whose arrays are datasets by themselves. */
  readonly folders?: readonly string[];
};

export class Registry {
  readonly #catalog: Catalog;
  readonly folders: Folders;

  constructor(options: RegistryOptions) {
    const { folders = [], files, dataDir } = options;
    this.folders = new Folders({
      folders,
      files,
      dataDir,
      check: CONTENT_CHECK,
      catalogFileId: (identity, realPath) => this.#catalog.claims.first(identity, realPath)?.fileId,
    });
    const upkeep = {
      learn: (dataset: Dataset, file: OpenFile) => relearn(this.#catalog, dataset, file),
      lengthen: (dataset: Dataset, shape: readonly number[]) => lengthen(this.#catalog, dataset, shape),
      saveShape: (dataset: Dataset, shape: readonly number[]) => saveShape(this.#catalog, dataset, shape),
    };
    this.#catalog = new Catalog({ ...options, upkeep });
  }

  get arraysDir(): string {
    return this.#catalog.arraysDir;
  }

  /** Loads every manifest. @throws what the folders' file system says */
  async load(): Promise<void> {
    await removeTemporaries(this.arraysDir);
    const { admitted, quarantined } = await loadManifests(
      this.#catalog.manifests,
      this.#catalog.files,
      this.#catalog.claims,
    );
    for (const each of quarantined) this.#catalog.index.quarantine(each);
    for (const { record, claims } of admitted) this.#catalog.insert(record, claims);
    await replayJournals(this.#catalog.files, this.#catalog.index.values());
  }

  /** The data folder goes with the process: what was made there would be lost. */
  isPassing = false;

  /** Who is told of each dataset that has come, changed or gone. */
  set onChanged(tell: (name: string, isGone: boolean) => void) {
    this.#catalog.index.onChanged = tell;
    this.folders.onChanged = (name, isGone) => {
      if (!this.#isInCatalog(name)) tell(name, isGone);
    };
  }

  get size(): number {
    return this.#catalog.index.size;
  }

  /** How many datasets a caller may know of. */
  async count(): Promise<number> {
    return this.size + (this.folders.isEmpty ? 0 : await this.folders.count(name => this.#isInCatalog(name)));
  }

  /** Name and reason of every dataset that could not be loaded, or whose journal could not be replayed. */
  get quarantined(): Quarantined[] {
    const damaged = this.#catalog.files.damagedFiles.flatMap(({ fileId, reason }) =>
      this.namesOf([fileId]).map(name => ({ name, reason })),
    );
    return [...this.#catalog.index.unloaded, ...damaged];
  }

  /** How each served folder is. */
  get folderStandings(): readonly FolderStanding[] {
    return this.folders.standings;
  }

  /**
   * Asks the files of served folders that some names are of: what `get` answers then holds nothing older. Undefined where
   * nothing has to be waited for.
   */
  look(names: Iterable<string>): Promise<void> | undefined {
    if (this.folders.isEmpty) return undefined;
    return this.folders.look(Array.from(names).filter(name => !this.#isInCatalog(name)));
  }

  /** One of the catalog, or of the served folders, whose file was asked before. @throws unknown_dataset, quarantined, name_clash, folder_away */
  get(name: string): Dataset {
    if (this.folders.isEmpty || this.#isInCatalog(name)) return this.#catalog.index.get(name);
    return this.folders.find(name) ?? this.#catalog.index.get(name);
  }

  /** The same where there is one that can be served. */
  find(name: string): Dataset | undefined {
    return this.has(name) ? this.get(name) : undefined;
  }

  /** Whether there is something of the name, which may be one that cannot be served now. */
  knows(name: string): boolean {
    return this.#isInCatalog(name) || this.folders.knows(name);
  }

  has(name: string): boolean {
    return this.#catalog.index.find(name) !== undefined || (!this.#isInCatalog(name) && this.folders.has(name));
  }

  /** A dataset of the catalog hides a file of its name, even where it could not be loaded. */
  #isInCatalog(name: string): boolean {
    const { index } = this.#catalog;
    return index.find(name) !== undefined || index.reasonOf(name) !== undefined;
  }

  #isFile(name: string): boolean {
    return !this.folders.isEmpty && !this.#isInCatalog(name) && this.folders.knows(name);
  }

  /** The datasets on files, by the files' ids. */
  namesOf(fileIds: readonly string[]): string[] {
    return fileIds.flatMap(fileId =>
      this.#catalog.claims.namesOn(fileId).filter(name => standsOn(this.#catalog.index.find(name), fileId)),
    );
  }

  /** Datasets and quarantined names, in the order of the names' bytes. */
  async list(query: ListQuery): Promise<Listed[]> {
    const own = runTurns(this.#catalog.index.list(query));
    if (this.folders.isEmpty) return own;
    const files = await this.folders.list(query, name => this.#isInCatalog(name));
    // Each of them has the first that there are, in order.
    const all = [...(await own), ...files].sort((a, b) => (a.name < b.name ? -1 : 1));
    return all.slice(0, query.limit);
  }

  /** Registers a file or makes an array. */
  async create(asked: AskedDataset, precondition = UNCONDITIONAL): Promise<Dataset> {
    this.#checkLasts();
    return createDataset(this.#catalog, asked, precondition);
  }

  /** Imports an array into a file of ours. `open` is told the path and reads the header. */
  async adopt(
    name: string,
    overwrite: boolean,
    open: (target: string) => Promise<IncomingArray>,
    precondition = UNCONDITIONAL,
  ): Promise<{ dataset: Dataset; replaced: boolean }> {
    this.#checkLasts();
    return adoptArray(this.#catalog, name, overwrite, open, precondition);
  }

  async patch(name: string, patch: RecordPatch, precondition = UNCONDITIONAL): Promise<Dataset> {
    if (this.#isFile(name)) failFromFolder(name, false);
    return patchDataset(this.#catalog, name, patch, precondition);
  }

  /** Forgets a dataset; with `deleteData` also its file. @throws not_owned, file_in_use, bulk_load */
  async forget(name: string, deleteData: boolean, precondition = UNCONDITIONAL): Promise<DatasetRecord | undefined> {
    if (this.#isFile(name)) failFromFolder(name, deleteData);
    return forgetDataset(this.#catalog, name, deleteData, precondition);
  }

  /** @throws forbidden */
  #checkLasts(): void {
    if (!this.isPassing) return;
    fail(
      'forbidden',
      'The service was started on folders alone, and keeps nothing: no array can be made or registered. Start it with a data folder (hyperslab serve FOLDER --data-dir DATA).',
    );
  }
}

function standsOn(dataset: Dataset | undefined, fileId: string): boolean {
  if (!dataset) return false;
  const { parts, fileId: own } = dataset.record;
  return own === fileId || parts?.some(part => part.fileId === fileId) === true;
}
