/** Name → dataset, in memory: those that are served, in the order of their names, and why others are not. */
import { Dataset, type Upkeep } from '../dataset/dataset.js';
import type { ContentCheck } from '../dataset/registration.js';
import { JoinedDataset } from '../dataset/joined.js';
import type { DatasetRecord } from '../dataset/record.js';
import type { ErrorCode } from '../errors.js';
import type { FileTable } from '../file/file-table.js';
import { shapeInHeader, isStillMember, partMatches } from './inspect.js';
import type { Quarantined } from './manifests.js';
import { distinctPrefixes, failMissing, SortedNames } from './names.js';

/** Which names a list has, and how many of them. */
export interface ListQuery {
  /** A name has one of them. */
  readonly prefixes: readonly string[];
  /** The list begins behind this name. */
  readonly after?: string | undefined;
  readonly limit: number;
  /** As memory knows it. */
  readonly state?: 'ready' | 'quarantined' | undefined;
  readonly matches?: ((name: string) => boolean) | undefined;
  /** False leaves files of served folders as they were last seen; else each is asked. */
  readonly asksFiles?: boolean;
}

/** A name of a list: its dataset, or why there is none; both where the journal of its file is damaged. */
export interface Listed {
  readonly name: string;
  readonly dataset: Dataset | undefined;
  readonly reason: string | undefined;
  /** Of a file in a served folder that is not served: what calls on it are answered with, and where it is. */
  readonly code?: ErrorCode;
  readonly path?: string;
}

/** How datasets compare their files with what is known of them. */
export const CONTENT_CHECK: ContentCheck = { head: shapeInHeader, member: isStillMember };

/** Of a part: one that has grown is still the one that it was. */
const PART_CHECK: ContentCheck = {
  head: (head, record) => (partMatches(head, record) ? record.shape : undefined),
  member: isStillMember,
};

/** Names that are looked at in one turn: less than a millisecond, and a few where many patterns are matched. */
const NAMES_PER_TURN = 512;

export class DatasetIndex {
  readonly #files: FileTable;
  readonly #upkeep: Upkeep;
  readonly #datasets = new Map<string, Dataset>();
  readonly #unloaded = new Map<string, Quarantined>();
  /** Told of each dataset that has come, changed or gone; its generation moves by itself. */
  onChanged: (name: string, isGone: boolean) => void = () => {};
  /** Of both. */
  readonly #names = new SortedNames();

  constructor(files: FileTable, upkeep: Upkeep) {
    this.#files = files;
    this.#upkeep = upkeep;
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

  /** A list in the order of the names' bytes, in turns: a filter may pass over all names. Nothing on disk is looked at. */
  *list({ prefixes, after, limit, state, matches }: ListQuery): Generator<void, Listed[]> {
    const found: Listed[] = [];
    for (const prefix of distinctPrefixes(prefixes)) {
      for (let last = after; ;) {
        const names = this.#names.page(prefix, last, NAMES_PER_TURN);
        for (const name of names) {
          if (found.length === limit) return found;
          if (matches && !matches(name)) continue;
          const listed = this.#listed(name);
          if (state === undefined || stateOf(listed) === state) found.push(listed);
        }
        if (names.length < NAMES_PER_TURN) break;
        last = names.at(-1);
        yield;
      }
    }
    return found;
  }

  /** Makes a dataset visible, in the place of whatever had the name. One that is only changed keeps its registration. */
  insert(record: DatasetRecord): Dataset {
    const previous = this.#datasets.get(record.name);
    const isSame = previous?.record.id === record.id;
    if (previous && !isSame) end(previous);
    const registration = isSame ? previous.registration : undefined;
    const dataset = record.parts
      ? new JoinedDataset(record, this.#files, PART_CHECK, registration)
      : new Dataset(record, this.#files, CONTENT_CHECK, registration, this.#upkeep);
    this.#datasets.set(record.name, dataset);
    this.#unloaded.delete(record.name);
    this.#names.add(record.name);
    this.onChanged(record.name, false);
    return dataset;
  }

  delete(dataset: Dataset): void {
    end(dataset);
    this.#datasets.delete(dataset.record.name);
    this.#names.delete(dataset.record.name);
    this.onChanged(dataset.record.name, true);
  }

  quarantine(quarantined: Quarantined): void {
    this.#unloaded.set(quarantined.name, quarantined);
    this.#names.add(quarantined.name);
  }

  /** Why a dataset of this name was not loaded, if there is a manifest of one. */
  reasonOf(name: string): string | undefined {
    return this.#unloaded.get(name)?.reason;
  }

  release(name: string): void {
    this.#unloaded.delete(name);
    this.#names.delete(name);
  }

  /** Every dataset that could not be loaded. */
  get unloaded(): Quarantined[] {
    return [...this.#unloaded.values()];
  }

  #listed(name: string): Listed {
    const dataset = this.#datasets.get(name);
    return { name, dataset, reason: dataset ? dataset.damage : this.reasonOf(name) };
  }
}

/** The registration does not stand any more: who still waits must not go on, and what is in memory is given back. */
function end({ registration }: Dataset): void {
  registration.isForgotten = true;
  registration.pages?.clear();
}

function stateOf({ dataset }: Listed): string {
  return dataset?.knownState ?? 'quarantined';
}
