/** Name → the arrays in served folders that have it: one, or several, of which then none is served. */
import { SortedNames } from '../names.js';
import { isOutOfTree, type Item } from './tree.js';

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
    if (found === undefined) return [];
    // Folders that have gone are cleared away in turns: their files do not stand in the way of those that came.
    if (Array.isArray(found)) return found.filter(isInTree);
    return isInTree(found) ? [found] : [];
  }

  add(item: Item): void {
    const others = this.of(item.name);
    this.#items.set(item.name, others.length === 0 ? item : [...others, item]);
    this.names.add(item.name);
    this.onChanged(item.name, false);
  }

  remove(item: Item): void {
    const found = this.#items.get(item.name);
    if (found === undefined) return;
    const all = Array.isArray(found) ? found : [found];
    // Another one has taken its place.
    if (!all.includes(item)) return;
    const others = all.filter(each => each !== item && isInTree(each));
    if (others.length > 0) this.#items.set(item.name, others.length === 1 ? others[0]! : others);
    else if (this.#items.delete(item.name)) this.names.delete(item.name);
    this.onChanged(item.name, others.length === 0);
  }
}

function isInTree({ file }: Item): boolean {
  return !isOutOfTree(file.directory);
}
