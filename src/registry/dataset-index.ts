/** Name → dataset, in memory: those that are served, in the order of their names, and why others are not. */
import { Dataset } from '../dataset/dataset.js';
import type { DatasetRecord } from '../dataset/record.js';
import type { FileTable } from '../file/file-table.js';
import { headerMatches } from './inspect.js';
import type { Quarantined } from './manifests.js';
import { failMissing, SortedNames } from './names.js';

export class DatasetIndex {
  readonly #files: FileTable;
  readonly #datasets = new Map<string, Dataset>();
  readonly #names = new SortedNames();
  readonly #reasons = new Map<string, string>();

  constructor(files: FileTable) {
    this.#files = files;
  }

  get size(): number {
    return this.#datasets.size;
  }

  /** In no particular order. */
  values(): Iterable<Dataset> {
    return this.#datasets.values();
  }

  find(name: string): Dataset | undefined {
    return this.#datasets.get(name);
  }

  /** @throws unknown_dataset, quarantined */
  get(name: string): Dataset {
    return this.#datasets.get(name) ?? failMissing(name, this.reasonOf(name));
  }

  /** Up to `limit` datasets with a prefix, after `after`, in the order of their names' bytes. */
  page(prefix: string, after: string | undefined, limit: number): Dataset[] {
    return this.#names.page(prefix, after, limit).map(name => this.#datasets.get(name)!);
  }

  /** The datasets on files, by the files' ids. */
  namesOf(fileIds: readonly string[]): string[] {
    return [...this.#datasets.values()]
      .filter(({ record }) => fileIds.includes(record.fileId))
      .map(({ record }) => record.name);
  }

  /** Makes a dataset visible, in the place of whatever had the name. One that is only changed keeps its registration. */
  insert(record: DatasetRecord): Dataset {
    const previous = this.#datasets.get(record.name);
    const isSame = previous?.record.id === record.id;
    if (previous && !isSame) previous.registration.isForgotten = true;
    const dataset = new Dataset(record, this.#files, headerMatches, isSame ? previous.registration : undefined);
    this.#datasets.set(record.name, dataset);
    this.#names.add(record.name);
    this.#reasons.delete(record.name);
    return dataset;
  }

  delete(dataset: Dataset): void {
    dataset.registration.isForgotten = true;
    this.#datasets.delete(dataset.record.name);
    this.#names.delete(dataset.record.name);
  }

  quarantine({ name, reason }: Quarantined): void {
    this.#reasons.set(name, reason);
  }

  /** Why a dataset of this name was not loaded, if there is a manifest of one. */
  reasonOf(name: string): string | undefined {
    return this.#reasons.get(name);
  }

  release(name: string): void {
    this.#reasons.delete(name);
  }

  /** Every dataset that could not be loaded, or whose journal could not be replayed. */
  get quarantined(): Quarantined[] {
    const damaged = this.#files.damagedFiles.flatMap(({ fileId, reason }) =>
      this.namesOf([fileId]).map(name => ({ name, reason })),
    );
    return [...this.#reasons].map(([name, reason]) => ({ name, reason })).concat(damaged);
  }
}
