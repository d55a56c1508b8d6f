/**
 * The registry as one principal sees it. This is the only way from a request to a dataset, so that no call can forget
 * to ask. Datasets outside the principal's patterns answer as names that were never registered.
 */
import { fail, HyperslabError } from '../errors.js';
import type { Dataset } from '../dataset/dataset.js';
import { failMissing } from '../registry/names.js';
import type { RecordPatch, Registry } from '../registry/registry.js';
import type { CreateRequest } from '../registry/request.js';
import { failForbidden } from './refusals.js';
import type { Patterns } from './patterns.js';
import type { Principal } from './principal.js';
import { rankOf } from './scopes.js';

/** What of the registry a request may use. */
export type Datasets = Pick<
  Registry,
  'size' | 'quarantined' | 'get' | 'has' | 'namesOf' | 'list' | 'create' | 'adopt' | 'patch' | 'forget'
>;

const ADMIN = rankOf(['admin']);
/** Names looked at in one step of a filtered list. */
const PAGE = 1000;

/** The whole registry for who may do everything, and a view of it for all others. */
export function datasetsOf(registry: Registry, principal: Principal): Datasets {
  return principal.rank === ADMIN && principal.patterns === undefined ? registry : new View(registry, principal);
}

class View implements Datasets {
  readonly #registry: Registry;
  readonly #principal: Principal;
  readonly #patterns: Patterns | undefined;

  constructor(registry: Registry, principal: Principal) {
    this.#registry = registry;
    this.#principal = principal;
    this.#patterns = principal.patterns;
  }

  get size(): number {
    return this.#patterns ? this.list('', undefined, this.#registry.size).length : this.#registry.size;
  }

  get quarantined(): { name: string; reason: string }[] {
    return this.#registry.quarantined.filter(({ name }) => this.#reaches(name));
  }

  get(name: string): Dataset {
    return this.#reaches(name) ? this.#registry.get(name) : failMissing(name, undefined);
  }

  has(name: string): boolean {
    return this.#reaches(name) && this.#registry.has(name);
  }

  namesOf(fileIds: readonly string[]): string[] {
    return this.#registry.namesOf(fileIds).filter(name => this.#reaches(name));
  }

  list(prefix: string, after: string | undefined, limit: number): Dataset[] {
    if (!this.#patterns) return this.#registry.list(prefix, after, limit);
    const found = new Map<string, Dataset>();
    for (const own of this.#patterns.prefixes) {
      // The longer of two prefixes, where they agree; else no name has both.
      const both = own.startsWith(prefix) ? own : prefix.startsWith(own) ? prefix : undefined;
      if (both === undefined) continue;
      for (const dataset of this.#matching(both, after, limit)) found.set(dataset.record.name, dataset);
    }
    return [...found.values()].sort((a, b) => (a.record.name < b.record.name ? -1 : 1)).slice(0, limit);
  }

  async create(request: CreateRequest): Promise<Dataset> {
    if (request.path !== undefined) this.#checkPath();
    this.#checkMakes(request.name, request.overwrite ?? false);
    return this.#tellingOwn(() => this.#registry.create(request));
  }

  async adopt(...[name, overwrite, open]: Parameters<Registry['adopt']>): ReturnType<Registry['adopt']> {
    this.#checkMakes(name, overwrite);
    return this.#tellingOwn(() => this.#registry.adopt(name, overwrite, open));
  }

  async patch(name: string, patch: RecordPatch): Promise<Dataset> {
    this.get(name);
    if (patch.mode !== undefined || patch.external !== undefined) this.#needsAdmin('Changing mode or external');
    return this.#tellingOwn(() => this.#registry.patch(name, patch));
  }

  async forget(name: string, deleteData: boolean): Promise<void> {
    if (!this.#reaches(name)) failMissing(name, undefined);
    this.#needsAdmin('Forgetting a dataset');
    return this.#tellingOwn(() => this.#registry.forget(name, deleteData));
  }

  #reaches(name: string): boolean {
    return this.#patterns === undefined || this.#patterns.matches(name);
  }

  /** Up to `limit` datasets of a prefix that the patterns reach. */
  #matching(prefix: string, after: string | undefined, limit: number): Dataset[] {
    const matching: Dataset[] = [];
    for (let last = after; ;) {
      const page = this.#registry.list(prefix, last, PAGE);
      for (const dataset of page) if (this.#reaches(dataset.record.name)) matching.push(dataset);
      if (page.length < PAGE || matching.length >= limit) return matching.slice(0, limit);
      last = page.at(-1)!.record.name;
    }
  }

  /** A path reaches any file under the served folders, those of other datasets included. */
  #checkPath(): void {
    this.#needsAdmin('Registering a file by its path');
    if (this.#patterns) {
      failForbidden('Registering a file by its path needs a key without dataset patterns.', 'admin', this.#principal);
    }
  }

  #checkMakes(name: string, overwrite: boolean): void {
    if (!this.#reaches(name)) {
      const patterns = this.#patterns!.texts;
      failForbidden(
        `The key reaches datasets named ${patterns.join(', ')}; choose such a name.`,
        undefined,
        this.#principal,
        { datasets: patterns },
      );
    }
    // Its file stays, but the name would stand for another one: that is forgetting.
    if (overwrite && this.#registry.has(name) && !this.#registry.get(name).record.made) {
      this.#needsAdmin('Replacing a dataset that was registered by its path');
    }
  }

  #needsAdmin(what: string): void {
    if (this.#principal.rank < ADMIN) failForbidden(`${what} needs the scope admin.`, 'admin', this.#principal);
  }

  /** Errors that name another dataset on the same file name it only to those who reach it. */
  async #tellingOwn<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const other = error instanceof HyperslabError && error.code === 'file_in_use' && error.values['dataset'];
      if (typeof other === 'string' && !this.#reaches(other)) {
        fail('file_in_use', 'The file is in use by another dataset. Choose another name, or ask its owner.');
      }
      throw error;
    }
  }
}
