/**
 * The registry as one principal sees it. This is the only way from a request to a dataset, so that no call can forget
 * to ask. Datasets outside the principal's patterns answer as names that were never registered.
 */
import { fail, HyperslabError } from '../errors.js';
import { shown } from '../shown.js';
import type { Dataset } from '../dataset/dataset.js';
import type { Precondition } from '../dataset/precondition.js';
import { failMissing } from '../registry/names.js';
import type { Listed, ListQuery, RecordPatch, Registry } from '../registry/registry.js';
import { asksParts, type AskedDataset } from '../registry/request.js';
import { failForbidden, failScope } from './refusals.js';
import type { Patterns } from './patterns.js';
import type { Principal } from './principal.js';
import { rankOf } from './scopes.js';

/** What of the registry a request may use. */
export type Datasets = Pick<
  Registry,
  | 'count'
  | 'quarantined'
  | 'folderStandings'
  | 'look'
  | 'get'
  | 'has'
  | 'namesOf'
  | 'list'
  | 'create'
  | 'adopt'
  | 'patch'
  | 'forget'
>;

const ADMIN = rankOf(['admin']);

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

  async count(): Promise<number> {
    if (!this.#patterns) return this.#registry.count();
    const all = await this.list({ prefixes: [''], limit: Number.POSITIVE_INFINITY, asksFiles: false });
    return all.filter(({ dataset }) => dataset !== undefined).length;
  }

  get quarantined(): { name: string; reason: string }[] {
    return this.#registry.quarantined.filter(({ name }) => this.#reaches(name));
  }

  get folderStandings(): Registry['folderStandings'] {
    return this.#registry.folderStandings;
  }

  look(names: Iterable<string>): Promise<void> | undefined {
    return this.#registry.look(Array.from(names).filter(name => this.#reaches(name)));
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

  list(query: ListQuery): Promise<Listed[]> {
    const patterns = this.#patterns;
    if (!patterns) return this.#registry.list(query);
    const { matches } = query;
    return this.#registry.list({
      ...query,
      // The longer of two prefixes, where they agree; else no name has both.
      prefixes: patterns.prefixes.flatMap(own =>
        query.prefixes.flatMap(asked => (own.startsWith(asked) ? [own] : asked.startsWith(own) ? [asked] : [])),
      ),
      matches: name => patterns.matches(name) && (matches === undefined || matches(name)),
    });
  }

  async create(request: AskedDataset, precondition?: Precondition): Promise<Dataset> {
    if (request.path !== undefined || asksParts(request)) this.#checkPath();
    this.#checkMakes(request.name, request.overwrite ?? false);
    return this.#tellingOwn(() => this.#registry.create(request, precondition));
  }

  async adopt(...[name, overwrite, ...rest]: Parameters<Registry['adopt']>): ReturnType<Registry['adopt']> {
    this.#checkMakes(name, overwrite);
    return this.#tellingOwn(() => this.#registry.adopt(name, overwrite, ...rest));
  }

  async patch(name: string, patch: RecordPatch, precondition?: Precondition): Promise<Dataset> {
    this.get(name);
    if (patch.path !== undefined || patch.paths !== undefined) this.#checkPath();
    if (patch.mode !== undefined || patch.external !== undefined) this.#needsAdmin('Changing mode or external');
    return this.#tellingOwn(() => this.#registry.patch(name, patch, precondition));
  }

  async forget(name: string, deleteData: boolean, precondition?: Precondition): ReturnType<Registry['forget']> {
    if (!this.#reaches(name)) failMissing(name, undefined);
    this.#needsAdmin('Forgetting a dataset');
    return this.#tellingOwn(() => this.#registry.forget(name, deleteData, precondition));
  }

  #reaches(name: string): boolean {
    return this.#patterns === undefined || this.#patterns.matches(name);
  }

  /** A path reaches any file under the served folders, those of other datasets included. */
  #checkPath(): void {
    this.#needsAdmin('Registering a file by its path');
    if (this.#patterns) {
      failForbidden(
        `Registering a file by its path needs a key for all datasets; this one is for ${this.#patterns.texts.join(', ')}. Ask for one without patterns.`,
        'admin',
        this.#principal,
      );
    }
  }

  #checkMakes(name: string, overwrite: boolean): void {
    if (!this.#reaches(name)) {
      const patterns = this.#patterns!.texts;
      failForbidden(
        `The key reaches datasets named ${patterns.join(', ')}, and ${shown(name)} is not. Choose such a name, or ask for another key.`,
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
    if (this.#principal.rank < ADMIN) failScope('admin', this.#principal, what);
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
