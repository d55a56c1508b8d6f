/**
 * Name → dataset. The index lives in memory, manifests make it durable; a change is on disk before it is visible.
 * Hazard: two requests for one name at a time. A name that is being made, changed or removed is held meanwhile.
 * How a dataset comes to be is in entering.ts, how it changes in changing.ts, how it goes in leaving.ts; each goes through
 * the steps of catalog.ts.
 */
import type { Dataset } from '../dataset/dataset.js';
import { UNCONDITIONAL } from '../dataset/precondition.js';
import type { DatasetRecord } from '../dataset/record.js';
import { removeTemporaries } from '../file/atomic.js';
import { runTurns } from '../turns.js';
import { Catalog, type CatalogOptions } from './catalog.js';
import { patchDataset, relearn } from './changing.js';
import type { Listed, ListQuery } from './dataset-index.js';
import { adoptArray, createDataset, type IncomingArray } from './entering.js';
import { forgetDataset } from './leaving.js';
import { loadManifests, replayJournals } from './load.js';
import type { Quarantined } from './manifests.js';
import type { RecordPatch } from './records.js';
import type { CreateRequest } from './request.js';

export type { IncomingArray } from './entering.js';
export type { Listed, ListQuery } from './dataset-index.js';
export type { RecordPatch } from './records.js';

export type RegistryOptions = Omit<CatalogOptions, 'learn'>;

export class Registry {
  readonly #catalog: Catalog;

  constructor(options: RegistryOptions) {
    this.#catalog = new Catalog({ ...options, learn: (dataset, file) => relearn(this.#catalog, dataset, file) });
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
    for (const { record, claim } of admitted) this.#catalog.insert(record, claim);
    await replayJournals(this.#catalog.files, this.#catalog.index.values());
  }

  get size(): number {
    return this.#catalog.index.size;
  }

  /** How many datasets a caller may know of. */
  async count(): Promise<number> {
    return this.size;
  }

  /** Name and reason of every dataset that could not be loaded, or whose journal could not be replayed. */
  get quarantined(): Quarantined[] {
    const damaged = this.#catalog.files.damagedFiles.flatMap(({ fileId, reason }) =>
      this.namesOf([fileId]).map(name => ({ name, reason })),
    );
    return [...this.#catalog.index.unloaded, ...damaged];
  }

  /** @throws unknown_dataset, quarantined */
  get(name: string): Dataset {
    return this.#catalog.index.get(name);
  }

  has(name: string): boolean {
    return this.#catalog.index.find(name) !== undefined;
  }

  /** The datasets on files, by the files' ids. */
  namesOf(fileIds: readonly string[]): string[] {
    return fileIds.flatMap(fileId =>
      this.#catalog.claims.namesOn(fileId).filter(name => this.#catalog.index.find(name)?.record.fileId === fileId),
    );
  }

  /** Datasets and quarantined names, in the order of the names' bytes. */
  list(query: ListQuery): Promise<Listed[]> {
    return runTurns(this.#catalog.index.list(query));
  }

  /** Registers a file or makes an array. */
  create(asked: CreateRequest, precondition = UNCONDITIONAL): Promise<Dataset> {
    return createDataset(this.#catalog, asked, precondition);
  }

  /** Imports an array into a file of ours. `open` is told the path and reads the header. */
  adopt(
    name: string,
    overwrite: boolean,
    open: (target: string) => Promise<IncomingArray>,
    precondition = UNCONDITIONAL,
  ): Promise<{ dataset: Dataset; replaced: boolean }> {
    return adoptArray(this.#catalog, name, overwrite, open, precondition);
  }

  patch(name: string, patch: RecordPatch, precondition = UNCONDITIONAL): Promise<Dataset> {
    return patchDataset(this.#catalog, name, patch, precondition);
  }

  /** Forgets a dataset; with `deleteData` also its file. @throws not_owned, file_in_use, bulk_load */
  forget(name: string, deleteData: boolean, precondition = UNCONDITIONAL): Promise<DatasetRecord | undefined> {
    return forgetDataset(this.#catalog, name, deleteData, precondition);
  }
}
