/** Name → the arrays in served folders that have it: one, or several, of which then none is served. */
import { SortedNames } from '../names.js';
import type { Item } from './tree.js';

export class FolderIndex {
  readonly #items = new Map<string, Item | Item[]>();
  readonly names = new SortedNames();
  /** Told of each name whose arrays have become others. */
  onChanged: (name: string, isGone: boolean) => void = () => {};

  get size(): number {
    return this.#items.size;
  }

  of(name: string): readonly Item[] {
    const found = this.#items.get(name);
    return found === undefined ? [] : Array.isArray(found) ? found : [found];
  }

  add(item: Item): void {
    const others = this.of(item.name);
    this.#items.set(item.name, others.length === 0 ? item : [...others, item]);
    if (others.length === 0) this.names.add(item.name);
    this.onChanged(item.name, false);
  }

  remove(item: Item): void {
    const others = this.of(item.name).filter(each => each !== item);
    if (others.length > 0) this.#items.set(item.name, others.length === 1 ? others[0]! : others);
    else if (this.#items.delete(item.name)) this.names.delete(item.name);
    this.onChanged(item.name, others.length === 0);
  }
}
