/** Names of datasets, in the order of their bytes. */
import { fail } from '../errors.js';

const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** @throws bad_name */
export function checkName(name: string): void {
  if (!NAME.test(name)) {
    fail(
      'bad_name',
      'A dataset name has 1 to 128 letters, digits, dots, hyphens and underscores, and starts with a letter, digit or underscore.',
      { name: name.slice(0, 140) },
    );
  }
}

/** A sorted list: ASCII names compare by code units as they do by bytes. */
export class SortedNames {
  readonly #names: string[] = [];

  add(name: string): void {
    const at = this.#lowerBound(name);
    if (this.#names[at] !== name) this.#names.splice(at, 0, name);
  }

  delete(name: string): void {
    const at = this.#lowerBound(name);
    if (this.#names[at] === name) this.#names.splice(at, 1);
  }

  /** Up to `limit` names with a prefix, after `after`. */
  page(prefix: string, after: string | undefined, limit: number): string[] {
    let at = this.#lowerBound(after !== undefined && after > prefix ? after : prefix);
    if (after !== undefined && this.#names[at] === after) at++;
    const page: string[] = [];
    for (; page.length < limit && at < this.#names.length && this.#names[at]!.startsWith(prefix); at++) {
      page.push(this.#names[at]!);
    }
    return page;
  }

  get size(): number {
    return this.#names.length;
  }

  #lowerBound(name: string): number {
    let low = 0;
    let high = this.#names.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#names[middle]! < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
