/**
 * The tree of what is known: folders and files are put in and taken out here. Both go in turns, since a folder may have a
 * hundred thousand files; what is taken out is gone at once all the same (`isGone`), and cleared away behind that.
 */
import path from 'node:path';
import { LIMITS } from '../../limits.js';
import { givingTurns } from '../../turns.js';
import type { FirstLooks } from './first-looks.js';
import type { FolderIndex } from './index.js';
import { isSameIdentity, type Looker } from './looking.js';
import { itemOf } from './reading.js';
import type { ListedDirectory, ListedFile, Listing } from './scanning.js';
import { isOutOfTree, type Directory, type ServedFolder } from './tree.js';
import type { Watches } from './watching.js';

export interface DirectoriesInit {
  readonly looker: Looker;
  readonly index: FolderIndex;
  readonly firstLooks: FirstLooks;
  readonly watches: Watches;
  /** Told once. */
  readonly onFull: (message: string) => void;
}

export class Directories {
  readonly #init: DirectoriesInit;
  readonly #all = new Set<Directory>();
  /** By their real paths: each is entered once, whatever links lead to it. */
  readonly #entered = new Map<string, Directory>();
  readonly #unseen = new Set<Directory>();
  #files = 0;
  #toldFull = false;

  constructor(init: DirectoriesInit) {
    this.#init = init;
  }

  /** In the order in which they were found. */
  all(): Iterable<Directory> {
    return this.#all;
  }

  /** Those that could not be looked at yet, and so may hold anything. */
  unseen(): Directory[] {
    return [...this.#unseen].filter(each => !isOutOfTree(each));
  }

  /** It cannot be looked at now: what is known of it stays known. */
  lose(directory: Directory): void {
    directory.isAway = true;
    if (!directory.stamp) this.#unseen.add(directory);
  }

  close(): void {
    for (const { watcher } of this.#all) watcher?.close();
  }

  addRoot(folder: ServedFolder, real: string): Directory {
    return this.#add(folder, undefined, '', real);
  }

  /** A file was found to be gone. */
  lostFile(): void {
    this.#files--;
  }

  /** Notes what has come and gone in a folder. Answers the folders that are new, and have to be looked through. */
  async take(directory: Directory, { stamp, files, directories }: Listing): Promise<Directory[]> {
    directory.isAway = false;
    this.#unseen.delete(directory);
    // Another folder took its place, and the old one is what is watched.
    if (directory.stamp && !isSameIdentity(directory.stamp, stamp)) this.#init.watches.watch(directory);
    directory.stamp = stamp;
    const turn = givingTurns();
    for (const file of directory.files.values()) {
      const now = files.get(file.name);
      if (!now || now.kind !== file.kind || now.linked !== file.linked) this.#init.looker.remove(file);
      // oxlint-disable-next-line no-await-in-loop
      await turn();
    }
    for (const [name, listed] of files) {
      if (isOutOfTree(directory)) return [];
      this.#takeFile(directory, name, listed);
      // oxlint-disable-next-line no-await-in-loop
      await turn();
    }
    return this.#takeDirectories(directory, directories);
  }

  async #takeDirectories(directory: Directory, found: ReadonlyMap<string, ListedDirectory>): Promise<Directory[]> {
    const turn = givingTurns();
    for (const [name, each] of directory.directories) {
      if (found.get(name)?.real !== each.real) this.remove(each);
      // oxlint-disable-next-line no-await-in-loop
      await turn();
    }
    const fresh: Directory[] = [];
    for (const [name, { real, isLinked }] of found) {
      // oxlint-disable-next-line no-await-in-loop
      await turn();
      if (isOutOfTree(directory)) return [];
      const known = directory.directories.get(name);
      if (known) fresh.push(...(known.stamp ? [] : [known]));
      else if (this.#isFree(real, isLinked) && !this.#isFull()) {
        const below = directory.path === '' ? name : `${directory.path}/${name}`;
        const added = this.#add(directory.folder, directory, below, real);
        directory.directories.set(name, added);
        fresh.push(added);
      }
    }
    return fresh;
  }

  /** Whether a folder may be entered here: one that stands here itself comes before links to it, and roots before both. */
  #isFree(real: string, isLinked: boolean): boolean {
    const other = this.#entered.get(real);
    if (!other || isOutOfTree(other)) return true;
    const isLinkedThere =
      other.parent !== undefined && path.join(other.parent.real, path.basename(other.path)) !== real;
    if (isLinked || !isLinkedThere) return false;
    this.remove(other);
    return true;
  }

  #takeFile(directory: Directory, name: string, { kind, linked, sidecar }: ListedFile): void {
    const { firstLooks, index } = this.#init;
    let file = directory.files.get(name);
    if (file && file.sidecar !== sidecar) {
      file.sidecar = sidecar;
      file.stamp = undefined;
    } else if (!file) {
      if (this.#isFull()) return;
      const unseen = { stamp: undefined, sidecarStamp: undefined, looking: undefined, isGone: false };
      file = { directory, name, kind, linked, sidecar, items: [], ...unseen };
      directory.files.set(name, file);
      this.#files++;
      if (kind === 'npy') {
        file.items = [itemOf(file, undefined)];
        index.add(file.items[0]!);
      }
    }
    if (kind !== 'npy') firstLooks.add(file);
  }

  #add(folder: ServedFolder, parent: Directory | undefined, below: string, real: string): Directory {
    const directory: Directory = {
      folder,
      parent,
      path: below,
      real,
      stamp: undefined,
      isAway: false,
      isGone: false,
      files: new Map(),
      directories: new Map(),
      watcher: undefined,
      scanning: undefined,
      isDirty: true,
    };
    this.#all.add(directory);
    folder.directoryCount++;
    this.#entered.set(real, directory);
    this.#init.watches.watch(directory);
    return directory;
  }

  /** Takes a folder out, with all that stands in it. */
  remove(directory: Directory): void {
    if (directory.isGone) return;
    directory.isGone = true;
    const { parent } = directory;
    const name = path.basename(directory.path);
    if (parent?.directories.get(name) === directory) parent.directories.delete(name);
    void this.#clear(directory);
  }

  async #clear(top: Directory): Promise<void> {
    const turn = givingTurns();
    for (const left = [top]; left.length > 0;) {
      const directory = left.pop()!;
      directory.isGone = true;
      this.#init.watches.unwatch(directory);
      this.#unseen.delete(directory);
      if (this.#all.delete(directory)) directory.folder.directoryCount--;
      if (this.#entered.get(directory.real) === directory) this.#entered.delete(directory.real);
      for (const file of directory.files.values()) {
        this.#init.looker.remove(file);
        // oxlint-disable-next-line no-await-in-loop
        await turn();
      }
      left.push(...directory.directories.values());
      // oxlint-disable-next-line no-await-in-loop
      await turn();
    }
  }

  #isFull(): boolean {
    const isTooMuch = this.#files + this.#all.size >= LIMITS.folderFilesMax;
    if (isTooMuch && !this.#toldFull) {
      this.#toldFull = true;
      this.#init.onFull(`served folders hold more than ${LIMITS.folderFilesMax} files: the rest is left out`);
    }
    return isTooMuch;
  }
}
