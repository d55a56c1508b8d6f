/**
 * Goes through served folders: all of them at the start and every few seconds, and those of which something was heard as soon
 * as that has settled. What has not moved costs a look at its times.
 */
import { systemErrorCode } from '../../errors.js';
import { Turnstile } from '../../file/turnstile.js';
import { LIMITS } from '../../limits.js';
import { givingTurns } from '../../turns.js';
import type { Directories } from './directories.js';
import type { FirstLooks } from './first-looks.js';
import { findRoot, hasMoved, isWithin, listDirectory, type Bounds } from './scanning.js';
import type { Directory, ServedFolder } from './tree.js';
import type { Watches } from './watching.js';

export interface WalkerInit {
  readonly folders: readonly ServedFolder[];
  readonly directories: Directories;
  readonly firstLooks: FirstLooks;
  readonly watches: Watches;
  /** Real path of the service's own folder, which is left out. */
  readonly dataDir: string;
  readonly tell: (folder: ServedFolder, message: string) => void;
}

export class Walker {
  readonly #init: WalkerInit;
  readonly #scans = new Turnstile(LIMITS.foldersScannedMax);
  readonly #dirty = new Set<Directory>();
  readonly #toldOwn = new Set<ServedFolder>();
  #scanning: Promise<void> = Promise.resolve();
  #isClosed = false;
  #settling: NodeJS.Timeout | undefined;
  #sweeping: NodeJS.Timeout | undefined;

  constructor(init: WalkerInit) {
    this.#init = init;
  }

  /** Looks through everything once, and goes on doing so. Resolves when the first time is over. */
  start(): Promise<void> {
    const first = this.#sweep();
    first.catch(() => undefined).finally(() => this.#sweepLater());
    return first;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#settling);
    clearTimeout(this.#sweeping);
  }

  /** Something has happened in a folder, or to one of its files. */
  notice(directory: Directory, event: string, name: string | undefined): void {
    if (this.#isClosed) return;
    if (event === 'change' && name !== undefined) {
      const file = directory.files.get(name);
      // Whoever asks for a file looks at it; new names are what nobody asks for.
      if (file && file.kind !== 'npy') this.#init.firstLooks.add(file);
      else if (!name.endsWith('.json')) return;
      else this.#dirty.add(directory);
    } else this.#dirty.add(directory);
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      void this.catchUp().catch(() => undefined);
    }, LIMITS.folderSettleMs);
    this.#settling.unref();
  }

  /** Looks through the folders of which something was heard. */
  async catchUp(): Promise<void> {
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    const rescan = async (directory: Directory): Promise<void> => {
      directory.isDirty = true;
      if (!directory.isGone) await this.#scan(directory);
    };
    const earlier = this.#scanning;
    const scans = Promise.all(dirty.map(directory => this.#scans.run(() => rescan(directory))));
    // Whoever comes meanwhile waits for these, too.
    this.#scanning = Promise.all([earlier, scans]).then(
      () => undefined,
      () => undefined,
    );
    await this.#scanning;
    if (!this.#init.firstLooks.isEmpty) await this.#init.firstLooks.read();
  }

  #sweepLater(): void {
    if (this.#isClosed) return;
    this.#sweeping = setTimeout(() => {
      void this.#sweep()
        .catch(() => undefined)
        .finally(() => this.#sweepLater());
    }, LIMITS.folderSweepMs);
    this.#sweeping.unref();
  }

  /** Every folder is asked whether it is there, and everything in it whether it has changed. */
  async #sweep(): Promise<void> {
    // Before any of them is entered by a link.
    const found = await Promise.all(this.#init.folders.map(folder => findRoot(folder)));
    for (const [i, folder] of this.#init.folders.entries()) {
      if (this.#isClosed) return;
      this.#placeRoot(folder, found[i]);
    }
    for (const folder of this.#init.folders) if (!folder.isAway) await this.#sweepFolder(folder);
    await this.#init.firstLooks.read();
  }

  /** Notes where a folder is now, or that it is away. */
  #placeRoot(folder: ServedFolder, found: Awaited<ReturnType<typeof findRoot>>): void {
    const { dataDir, directories, tell } = this.#init;
    if (!found) {
      if (!folder.isAway || !folder.isToldAway) tell(folder, 'a served folder is away');
      folder.isToldAway = true;
      folder.isAway = true;
      return;
    }
    const wasAway = folder.isAway;
    folder.isAway = false;
    folder.isToldAway = false;
    if (isWithin(found.real, dataDir)) {
      if (!this.#toldOwn.has(folder)) tell(folder, 'a served folder lies in the data folder, and is left out');
      this.#toldOwn.add(folder);
      return;
    }
    if (folder.root && folder.real !== found.real) {
      directories.remove(folder.root);
      folder.root = undefined;
    }
    folder.real = found.real;
    folder.identity = found.identity;
    folder.root ??= directories.addRoot(folder, found.real);
    if (wasAway) folder.root.isDirty = true;
  }

  async #sweepFolder(folder: ServedFolder): Promise<void> {
    const turn = givingTurns();
    const waits: Promise<void>[] = [];
    // Those that scans find meanwhile are looked through by these scans.
    const known = Array.from(this.#init.directories.all());
    for (const directory of known) {
      if (directory.folder !== folder || directory.isGone) continue;
      if (!this.#init.watches.isWatched(folder)) this.#lookAtContainers(directory);
      waits.push(this.#scans.run(() => this.#scanIfMoved(directory)));
      // oxlint-disable-next-line no-await-in-loop
      await turn();
    }
    await Promise.all(waits);
  }

  /** Nobody tells that a container has got arrays which no call knows of. */
  #lookAtContainers(directory: Directory): void {
    for (const file of directory.files.values()) if (file.kind !== 'npy') this.#init.firstLooks.add(file);
  }

  async #scanIfMoved(directory: Directory): Promise<void> {
    if (directory.isGone || this.#isClosed) return;
    try {
      if (!directory.isDirty && !directory.isAway && !(await hasMoved(directory))) return;
    } catch {
      // Found out, and told apart, by the scan.
    }
    await this.#scan(directory);
  }

  /** Looks a folder through, and those that are found in it. */
  async #scan(directory: Directory): Promise<void> {
    const begun = directory.scanning;
    if (begun) {
      directory.isDirty = true;
      return begun;
    }
    directory.scanning = this.#scanNow(directory).finally(() => {
      directory.scanning = undefined;
    });
    return directory.scanning;
  }

  async #scanNow(directory: Directory): Promise<void> {
    do {
      directory.isDirty = false;
      let fresh: Directory[] = [];
      try {
        // oxlint-disable-next-line no-await-in-loop
        const listing = await listDirectory(directory, this.#bounds());
        if (directory.isGone) return;
        // oxlint-disable-next-line no-await-in-loop
        fresh = await this.#init.directories.take(directory, listing);
      } catch (error) {
        const code = systemErrorCode(error);
        if (code === undefined) throw error;
        this.#lose(directory, code);
        return;
      }
      for (const each of fresh) {
        // oxlint-disable-next-line no-await-in-loop
        if (!each.isGone) await this.#scan(each);
      }
    } while (directory.isDirty && !directory.isGone && !this.#isClosed);
  }

  #bounds(): Bounds {
    return { inside: this.#init.folders.flatMap(({ real }) => real ?? []), leftOut: this.#init.dataDir };
  }

  /** A folder that is gone has nothing; one that cannot be read is away with all that is known of it. */
  #lose(directory: Directory, code: string): void {
    const isGone = (code === 'ENOENT' || code === 'ENOTDIR') && directory.parent !== undefined;
    if (isGone) {
      this.#init.directories.remove(directory);
      return;
    }
    const isNews = directory.parent ? !directory.isAway : !directory.folder.isAway;
    if (directory.parent) this.#init.directories.lose(directory);
    else directory.folder.isAway = true;
    if (!isNews) return;
    this.#init.tell(directory.folder, `a served folder, or one inside it, cannot be looked at (${code})`);
  }
}
