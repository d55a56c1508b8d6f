/** Names of datasets, in the order of their bytes. */
import { fail } from '../errors.js';
import { shown } from '../shown.js';
import { lowerBound } from '../lower-bound.js';

const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

export function isName(text: string): boolean {
  return NAME.test(text);
}

/** @throws bad_name */
export function checkName(name: string): void {
  if (!isName(name)) {
    fail(
      'bad_name',
      `${shown(name)} is no name of a dataset. A name has 1 to 128 letters, digits, dots, hyphens and underscores, and starts with a letter, digit or underscore; letters are those of ASCII.`,
      { name: name.slice(0, 140) },
    );
  }
}

/** A sorted list: ASCII names compare by code units as they do by bytes. */
export class SortedNames {
  readonly #names: string[] = [];

  add(name: string): void {
    const at = this.#indexOf(name);
    if (this.#names[at] !== name) this.#names.splice(at, 0, name);
  }

  delete(name: string): void {
    const at = this.#indexOf(name);
    if (this.#names[at] === name) this.#names.splice(at, 1);
  }

  /** Up to `limit` names with a prefix, after `after`. */
  page(prefix: string, after: string | undefined, limit: number): string[] {
    let at = this.#indexOf(after !== undefined && after > prefix ? after : prefix);
    if (after !== undefined && this.#names[at] === after) at++;
    const page: string[] = [];
    for (; page.length < limit && at < this.#names.length && this.#names[at]!.startsWith(prefix); at++) {
      page.push(this.#names[at]!);
    }
    return page;
  }

  /** All of them; those that come meanwhile may be missed. */
  *all(): Generator<string> {
    for (let after: string | undefined; ;) {
      const page = this.page('', after, 256);
      yield* page;
      if (page.length < 256) return;
      after = page.at(-1);
    }
  }

  get size(): number {
    return this.#names.length;
  }

  #indexOf(name: string): number {
    return lowerBound(this.#names.length, i => this.#names[i]! >= name);
  }
}

/** Prefixes in the order of their bytes, without those whose names another one has already. */
export function distinctPrefixes(prefixes: readonly string[]): string[] {
  const distinct: string[] = [];
  for (const prefix of [...prefixes].sort()) {
    const last = distinct.at(-1);
    if (last === undefined || !prefix.startsWith(last)) distinct.push(prefix);
  }
  return distinct;
}

/** Names that are being made, changed or removed: one request at a time has each. */
export class HeldNames {
  readonly #held = new Set<string>();

  /** @throws busy */
  async hold<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (this.#held.has(name)) {
      fail('busy', `The dataset ${name} is being made, changed or removed by another request. Repeat in a moment.`, {
        dataset: name,
      });
    }
    this.#held.add(name);
    try {
      return await work();
    } finally {
      this.#held.delete(name);
    }
  }
}

export function failTaken(name: string, remedy: string): never {
  return fail('exists', `A dataset named ${name} exists. ${remedy}`, { dataset: name });
}

/** Says why there is no dataset of a name; `reason` is that of its quarantine. @throws unknown_dataset, quarantined */
export function failMissing(name: string, reason: string | undefined): never {
  if (reason !== undefined) {
    fail(
      'quarantined',
      `The dataset could not be loaded: ${reason}. Mend that, or restore it from a backup, and restart the service; or forget the dataset with DELETE, which keeps its file.`,
      {
        dataset: name,
        reason,
      },
    );
  }
  const asked = name.slice(0, 140);
  return fail('unknown_dataset', `No dataset is named ${JSON.stringify(asked)}. GET /v1/datasets lists them.`, {
    dataset: asked,
  });
}

/** What a file of a served folder is answered with where it is to be changed. @throws from_folder, not_owned */
export function failFromFolder(name: string, deletesData: boolean): never {
  if (deletesData) {
    fail(
      'not_owned',
      `The file of ${name} was not made by the service, and only such files are deleted. Delete the file itself; the dataset goes with it.`,
      { dataset: name },
    );
  }
  return fail(
    'from_folder',
    `The dataset ${name} is a file of a served folder, and follows it. Change, rename or delete the file; attrs and dims stand in a .json beside it.`,
    { dataset: name },
  );
}
