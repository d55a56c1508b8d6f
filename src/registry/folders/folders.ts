/**
 * Served folders (HYPERSLAB_FOLDERS): every array under them is a dataset as long as its file stands there. Folders are
 * watched where the kernel can tell, and those that changed are looked through again every few seconds in any case; each
 * call asks its own file besides. Hazard: everything here may vanish at any time, and nothing of it is worth more than a reason.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Dataset } from '../../dataset/dataset.js';
import type { ContentCheck } from '../../dataset/registration.js';
import { fail, HyperslabError, systemErrorCode } from '../../errors.js';
import { kindOfFileSystem } from '../../file/file-system.js';
import type { FileTable } from '../../file/file-table.js';
import { Turnstile } from '../../file/turnstile.js';
import { LIMITS } from '../../limits.js';
import { givingTurns } from '../../turns.js';
import type { Listed, ListQuery } from '../dataset-index.js';
import { distinctPrefixes } from '../names.js';
import { FolderIndex } from './index.js';
import { isSameIdentity, Looker } from './looking.js';
import { itemOf } from './reading.js';
import { findRoot, hasMoved, isFull, listDirectory, type Bounds, type ListedFile, type Listing } from './scanning.js';
import {
  isAway,
  pathOfFile,
  type Directory,
  type FolderFile,
  type Item,
  type ServedFolder,
  type Trouble,
} from './tree.js';

export interface FoldersOptions {
  readonly folders: readonly string[];
  readonly files: FileTable;
  readonly check: ContentCheck;
  /** Real path of the service's own folder, which is left out. */
  readonly dataDir: string;
}

/** What is told of a served folder. */
export interface FolderStanding {
  readonly folder: number;
  readonly state: 'ready' | 'away';
  /** The kernel tells of changes; else they are found by looking, every few seconds. */
  readonly watched: boolean;
  readonly directories: number;
}

export class Folders {
  readonly #folders: readonly ServedFolder[];
  readonly #index = new FolderIndex();
  readonly #looker: Looker;
  readonly #dataDir: string;
  readonly #scans = new Turnstile(LIMITS.foldersScannedMax);
  readonly #reads = new Turnstile(LIMITS.folderFilesReadMax);
  readonly #directories = new Set<Directory>();
  /** Their real paths. */
  readonly #entered = new Set<string>();
  /** Files whose arrays, or names, are not known before they are looked at. */
  readonly #pending = new Set<FolderFile>();
  readonly #unwatched = new Set<ServedFolder>();
  #files = 0;
  #isClosed = false;
  #ready: Promise<void> = Promise.resolve();
  #settling: NodeJS.Timeout | undefined;
  #sweeping: NodeJS.Timeout | undefined;
  readonly #dirty = new Set<Directory>();
  /** Told once of each folder that is away, is not watched, or holds too much. */
  onTrouble: (trouble: { readonly folder: string }, message: string) => void = () => {};

  set onChanged(tell: (name: string, isGone: boolean) => void) {
    this.#index.onChanged = tell;
  }

  constructor({ folders, files, check, dataDir }: FoldersOptions) {
    this.#looker = new Looker(files, this.#index, check, file => {
      this.#files--;
      this.#pending.delete(file);
    });
    this.#dataDir = dataDir;
    this.#folders = folders.map((each, i) => ({
      number: i + 1,
      configured: path.resolve(each),
      real: undefined,
      identity: undefined,
      isAway: true,
      root: undefined,
    }));
  }

  get isEmpty(): boolean {
    return this.#folders.length === 0;
  }

  /** Names of its arrays, those that cannot be served included. */
  get size(): number {
    return this.#index.size;
  }

  get standings(): FolderStanding[] {
    return this.#folders.map(folder => ({
      folder: folder.number,
      state: folder.isAway ? 'away' : 'ready',
      watched: !this.#unwatched.has(folder),
      directories: [...this.#directories].filter(each => each.folder === folder).length,
    }));
  }

  /** Begins to look through the folders, and goes on doing so. */
  start(): void {
    if (this.isEmpty) return;
    this.#ready = this.#sweep().then(() => this.#readPending());
    this.#ready.catch(() => undefined).finally(() => this.#sweepLater());
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#settling);
    clearTimeout(this.#sweeping);
    for (const { watcher } of this.#directories) watcher?.close();
  }

  /** Waits until everything was looked through once. @throws busy where that takes long */
  async settled(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const error = new HyperslabError('busy', 'The served folders are being looked through. Repeat in a moment.');
      timer = setTimeout(() => reject(error), LIMITS.folderWaitMsMax);
    });
    try {
      await Promise.race([this.#ready, late]);
      if (this.#pending.size > 0) await Promise.race([this.#readPending(), late]);
    } finally {
      clearTimeout(timer);
      late.catch(() => undefined);
    }
  }

  /** Asks the files of some names. Undefined where nothing has to be waited for. */
  look(names: Iterable<string>): Promise<void> | undefined {
    if (this.isEmpty) return undefined;
    const waits: Promise<void>[] = [];
    for (const name of names) {
      const items = this.#index.of(name);
      if (items.length === 0) waits.push(this.#lookForNew());
      for (const { file } of items) {
        const looking = this.#looker.look(file);
        if (looking) waits.push(looking);
      }
    }
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
  }

  /** A name that is not known may be that of a file that has come, where the folders were not looked through yet. */
  async #lookForNew(): Promise<void> {
    await this.settled();
    if (this.#dirty.size > 0) await this.#scanDirty();
    if (this.#pending.size > 0) await this.#readPending();
  }

  /** Whether a file has the name, served or not. */
  knows(name: string): boolean {
    return this.#index.of(name).length > 0;
  }

  /** The dataset of a name; undefined where there is no file of it. @throws name_clash, folder_away, or what is wrong with it */
  find(name: string): Dataset | undefined {
    const items = this.#index.of(name);
    if (items.length === 0) {
      if (this.#folders.some(({ isAway: away, root }) => away && !root)) failAway(name);
      return undefined;
    }
    const trouble = troubleIn(items);
    if (trouble) fail(trouble.code, trouble.detail, { dataset: name, ...trouble.values });
    return this.#looker.datasetOf(items[0]!);
  }

  has(name: string): boolean {
    const items = this.#index.of(name);
    return items.length > 0 && !troubleIn(items);
  }

  /** How many names are served, as far as is known, without those that are `hidden`. */
  async count(isHidden: (name: string) => boolean): Promise<number> {
    let count = 0;
    const turn = givingTurns();
    for (const name of this.#index.names.all()) {
      if (!isHidden(name) && !troubleIn(this.#index.of(name), true)) count++;
      // oxlint-disable-next-line no-await-in-loop
      await turn();
    }
    return count;
  }

  /** A part of the names in their order, their files asked; those that are `hidden` have a dataset of the catalog. */
  async list(query: ListQuery, isHidden: (name: string) => boolean): Promise<Listed[]> {
    if (this.isEmpty) return [];
    await this.settled();
    const found: Listed[] = [];
    const turn = givingTurns();
    for (const prefix of distinctPrefixes(query.prefixes)) {
      for (let after = query.after; ;) {
        const names = this.#index.names.page(prefix, after, NAMES_AT_A_TIME);
        const wanted = names.filter(name => !isHidden(name) && (!query.matches || query.matches(name)));
        // oxlint-disable-next-line no-await-in-loop
        if (query.asksFiles !== false) await this.#askFiles(wanted, turn);
        for (const name of wanted) {
          const listed = this.#listed(name);
          const state = listed?.dataset ? 'ready' : 'quarantined';
          if (!listed || state !== (query.state ?? 'ready')) continue;
          found.push(listed);
          if (found.length >= query.limit) return found;
        }
        if (names.length < NAMES_AT_A_TIME) break;
        after = names.at(-1);
        // oxlint-disable-next-line no-await-in-loop
        await turn();
      }
    }
    return found;
  }

  async #askFiles(names: readonly string[], turn: () => Promise<void> | undefined): Promise<void> {
    const waits: Promise<void>[] = [];
    for (const name of names) {
      for (const { file } of this.#index.of(name)) waits.push(this.#reads.run(async () => this.#looker.look(file)));
      // oxlint-disable-next-line no-await-in-loop
      await turn();
    }
    await Promise.all(waits);
  }

  #listed(name: string): Listed | undefined {
    const items = this.#index.of(name);
    if (items.length === 0) return undefined;
    const trouble = troubleIn(items);
    if (!trouble) return { name, dataset: this.#looker.datasetOf(items[0]!), reason: undefined };
    return { name, dataset: undefined, reason: trouble.detail, code: trouble.code, path: pathOfFile(items[0]!.file) };
  }

  // Looking through.

  #sweepLater(): void {
    if (this.#isClosed) return;
    this.#sweeping = setTimeout(() => {
      void this.#sweep()
        .then(() => this.#readPending())
        .catch(() => undefined)
        .finally(() => this.#sweepLater());
    }, LIMITS.folderSweepMs);
    this.#sweeping.unref();
  }

  /** Every folder is asked whether it is there, and everything in it whether it has changed. */
  async #sweep(): Promise<void> {
    for (const folder of this.#folders) {
      if (this.#isClosed) return;
      await this.#sweepFolder(folder);
    }
  }

  async #sweepFolder(folder: ServedFolder): Promise<void> {
    const found = await findRoot(folder);
    if (!found) {
      if (!folder.isAway || folder.root === undefined) this.#tell(folder, 'a served folder is away');
      folder.isAway = true;
      return;
    }
    const wasAway = folder.isAway;
    folder.isAway = false;
    if (folder.real !== undefined && folder.real !== found.real && folder.root) {
      this.#removeDirectory(folder.root);
      folder.root = undefined;
    }
    folder.real = found.real;
    folder.identity = found.identity;
    folder.root ??= this.#addDirectory(folder, undefined, '', found.real);
    if (wasAway) folder.root.isDirty = true;
    const turn = givingTurns();
    const waits: Promise<void>[] = [];
    // Those that scans find meanwhile are looked through by these scans.
    const known = Array.from(this.#directories);
    for (const directory of known) {
      if (directory.folder !== folder || directory.isGone) continue;
      waits.push(this.#scans.run(() => this.#scanIfMoved(directory)));
      // oxlint-disable-next-line no-await-in-loop
      await turn();
    }
    await Promise.all(waits);
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
    const fresh: Directory[] = [];
    do {
      directory.isDirty = false;
      try {
        // oxlint-disable-next-line no-await-in-loop
        const listing = await listDirectory(directory, this.#bounds());
        if (directory.isGone) return;
        fresh.push(...this.#take(directory, listing));
      } catch (error) {
        const code = systemErrorCode(error);
        if (code === undefined) throw error;
        this.#lose(directory, code);
        return;
      }
    } while (directory.isDirty && !this.#isClosed);
    for (const each of fresh) {
      // oxlint-disable-next-line no-await-in-loop
      if (!each.isGone) await this.#scan(each);
    }
  }

  #bounds(): Bounds {
    return { inside: this.#folders.flatMap(({ real }) => real ?? []), leftOut: this.#dataDir };
  }

  /** A folder that is gone has nothing; one that cannot be read is away with all that is known of it. */
  #lose(directory: Directory, code: string): void {
    const isGone = (code === 'ENOENT' || code === 'ENOTDIR') && directory.parent !== undefined;
    if (isGone) {
      this.#removeDirectory(directory);
      return;
    }
    if (directory.parent) directory.isAway = true;
    else directory.folder.isAway = true;
    this.#tell(directory.folder, `a served folder, or one inside it, cannot be looked at (${code})`);
  }

  /** Notes what has come and gone. Answers the folders that are new. */
  #take(directory: Directory, { stamp, files, directories }: Listing): Directory[] {
    directory.isAway = false;
    // Another folder took its place, and the old one is what is watched.
    if (directory.stamp && !isSameIdentity(directory.stamp, stamp)) {
      directory.watcher?.close();
      this.#watch(directory);
    }
    directory.stamp = stamp;
    for (const file of directory.files.values()) {
      const now = files.get(file.name);
      if (!now || now.kind !== file.kind || now.linked !== file.linked) this.#looker.remove(file);
    }
    for (const [name, listed] of files) this.#takeFile(directory, name, listed);
    for (const [name, each] of directory.directories) {
      const now = directories.get(name);
      if (!now || now.real !== each.real) this.#removeDirectory(each);
    }
    const fresh: Directory[] = [];
    // Links last: a folder has the name under which it stands itself.
    const inOrder = [...directories].sort(([, a], [, b]) => Number(a.isLinked) - Number(b.isLinked));
    for (const [name, { real }] of inOrder) {
      const known = directory.directories.get(name);
      if (known) fresh.push(...(known.stamp ? [] : [known]));
      // Each folder is entered once, whatever links lead to it.
      else if (!this.#entered.has(real) && !this.#isFull()) {
        const below = directory.path === '' ? name : `${directory.path}/${name}`;
        fresh.push(this.#addDirectory(directory.folder, directory, below, real));
        directory.directories.set(name, fresh.at(-1)!);
      }
    }
    return fresh;
  }

  #takeFile(directory: Directory, name: string, { kind, linked, sidecar }: ListedFile): void {
    let file = directory.files.get(name);
    if (file) {
      if (file.sidecar !== sidecar) {
        file.sidecar = sidecar;
        file.stamp = undefined;
      }
    } else if (!this.#isFull()) {
      file = {
        directory,
        name,
        kind,
        linked,
        sidecar,
        stamp: undefined,
        sidecarStamp: undefined,
        items: [],
        looking: undefined,
        isGone: false,
      };
      directory.files.set(name, file);
      this.#files++;
      if (kind === 'npy') {
        file.items = [itemOf(file, undefined)];
        this.#index.add(file.items[0]!);
      }
    }
    if (file && file.kind !== 'npy') this.#pending.add(file);
  }

  #addDirectory(folder: ServedFolder, parent: Directory | undefined, below: string, real: string): Directory {
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
    this.#directories.add(directory);
    this.#entered.add(real);
    this.#watch(directory);
    return directory;
  }

  #removeDirectory(directory: Directory): void {
    directory.isGone = true;
    directory.watcher?.close();
    directory.watcher = undefined;
    this.#directories.delete(directory);
    this.#entered.delete(directory.real);
    this.#dirty.delete(directory);
    directory.parent?.directories.delete(path.basename(directory.path));
    for (const file of directory.files.values()) this.#looker.remove(file);
    for (const each of directory.directories.values()) this.#removeDirectory(each);
  }

  #isFull(): boolean {
    const isTooMuch = isFull(this.#files + this.#directories.size);
    if (isTooMuch && !this.#toldFull) {
      this.#toldFull = true;
      this.onTrouble(
        { folder: 'all' },
        `served folders hold more than ${LIMITS.folderFilesMax} files: the rest is left out`,
      );
    }
    return isTooMuch;
  }

  #toldFull = false;

  async #readPending(): Promise<void> {
    const files = [...this.#pending];
    const read = async (file: FolderFile): Promise<void> => {
      this.#pending.delete(file);
      await this.#looker.look(file);
    };
    await Promise.all(files.map(file => this.#reads.run(() => read(file))));
  }

  // Watching.

  #watch(directory: Directory): void {
    const { folder } = directory;
    if (this.#unwatched.has(folder)) return;
    try {
      const watcher = fs.watch(directory.real, { persistent: false }, (event, name) => {
        this.#noticed(directory, event, name);
      });
      watcher.on('error', () => {
        watcher.close();
        if (directory.watcher === watcher) directory.watcher = undefined;
      });
      directory.watcher = watcher;
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === undefined) throw error;
      if (code !== 'ENOENT') this.#giveUpWatching(folder, code);
      return;
    }
    if (!directory.parent) void this.#checkFileSystem(folder, directory.real);
  }

  /** A network file system tells nothing of what other hosts do. */
  async #checkFileSystem(folder: ServedFolder, real: string): Promise<void> {
    const kind = await kindOfFileSystem(real).catch(() => undefined);
    if (kind && !kind.mappable) this.#giveUpWatching(folder, kind.name);
  }

  #giveUpWatching(folder: ServedFolder, why: string): void {
    if (this.#unwatched.has(folder)) return;
    this.#unwatched.add(folder);
    this.#tell(folder, `a served folder is not watched (${why}): it is looked through every few seconds`);
  }

  #noticed(directory: Directory, event: string, name: string | null): void {
    if (this.#isClosed || directory.isGone) return;
    const file = name === null ? undefined : directory.files.get(name);
    if (event === 'change' && file) {
      if (file.kind !== 'npy') this.#pending.add(file);
      else return;
    } else if (event === 'change' && name !== null && !name.endsWith('.json')) return;
    else this.#dirty.add(directory);
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      void this.#scanDirty()
        .then(() => this.#readPending())
        .catch(() => undefined);
    }, LIMITS.folderSettleMs);
    this.#settling.unref();
  }

  async #scanDirty(): Promise<void> {
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    await Promise.all(
      dirty.map(directory =>
        this.#scans.run(async () => {
          directory.isDirty = true;
          if (!directory.isGone) await this.#scan(directory);
        }),
      ),
    );
  }

  #tell({ configured }: ServedFolder, message: string): void {
    this.onTrouble({ folder: configured }, message);
  }
}

const NAMES_AT_A_TIME = 256;

/** What keeps the arrays of one name from being served. */
function troubleIn(
  items: readonly Item[],
  isUnseenGood = false,
): (Trouble & { readonly values?: Record<string, unknown> }) | undefined {
  const away = items.find(({ file }) => isAway(file));
  if (away) return { code: 'folder_away', detail: AWAY };
  if (items.length > 1) {
    const paths = items.map(({ file, member }) =>
      member === undefined ? pathOfFile(file) : `${pathOfFile(file)}:${member}`,
    );
    const detail = `The name is that of ${paths
      .slice(0, 8)
      .map(each => JSON.stringify(each))
      .join(' and ')}, and none of them is served. Rename one of the files.`;
    return { code: 'name_clash', detail, values: { paths } };
  }
  const [item] = items;
  if (item!.trouble) return item!.trouble;
  // It is being looked at for the first time, and could not be.
  return item!.found || isUnseenGood
    ? undefined
    : { code: 'busy', detail: 'The file is being looked at. Repeat in a moment.' };
}

const AWAY =
  'The folder of the file cannot be looked at now. Let whoever runs the service see whether it is mounted and may be read; the dataset comes back with it.';

function failAway(name: string): never {
  return fail(
    'folder_away',
    `No dataset is named ${JSON.stringify(name.slice(0, 140))} in what can be seen, and a served folder is away. ${AWAY}`,
    {
      dataset: name.slice(0, 140),
    },
  );
}
