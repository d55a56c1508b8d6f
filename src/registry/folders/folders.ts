/**
 * Served folders (HYPERSLAB_FOLDERS): every array under them is a dataset as long as its file stands there. README.md says how
 * a file becomes one. Hazard: everything here may vanish at any time, and nothing of it is worth more than a reason.
 */
import path from 'node:path';
import { setImmediate as nextLoop } from 'node:timers/promises';
import type { Dataset } from '../../dataset/dataset.js';
import type { ContentCheck } from '../../dataset/registration.js';
import { fail, HyperslabError } from '../../errors.js';
import type { FileTable } from '../../file/file-table.js';
import { LIMITS } from '../../limits.js';
import { givingTurns } from '../../turns.js';
import type { Listed, ListQuery } from '../dataset-index.js';
import { distinctPrefixes } from '../names.js';
import { Directories } from './directories.js';
import { FirstLooks } from './first-looks.js';
import { FolderIndex } from './index.js';
import { Looker } from './looking.js';
import { mayStandIn } from './names.js';
import { Maker, type MakerInit } from './making.js';
import type { FolderStanding, ServedFolder } from './tree.js';
import { arraysAmong, failAway, listedTrouble, troubleIn } from './troubles.js';
import { Walker } from './walking.js';
import { Watches } from './watching.js';

export interface FoldersOptions {
  readonly folders: readonly string[];
  readonly files: FileTable;
  readonly check: ContentCheck;
  readonly catalogFileId: MakerInit['catalogFileId'];
  /** Real path of the service's own folder, which is left out. */
  readonly dataDir: string;
}

const NAMES_AT_A_TIME = 256;

export class Folders {
  readonly #folders: readonly ServedFolder[];
  readonly #index = new FolderIndex();
  readonly #maker: Maker;
  readonly #looker: Looker;
  readonly #firstLooks: FirstLooks;
  readonly #watches: Watches;
  readonly #directories: Directories;
  readonly #walker: Walker;
  #ready: Promise<void> = Promise.resolve();
  /** Told once of each folder that is away, is not watched, or holds too much. */
  onTrouble: (trouble: { readonly folder: string }, message: string) => void = () => {};

  constructor({ folders, files, check, catalogFileId, dataDir }: FoldersOptions) {
    const index = this.#index;
    this.#folders = folders.map((each, i) => ({
      number: i + 1,
      configured: path.resolve(each),
      real: undefined,
      identity: undefined,
      isAway: true,
      isToldAway: false,
      root: undefined,
      directoryCount: 0,
    }));
    const tell = ({ configured }: ServedFolder, message: string): void =>
      this.onTrouble({ folder: configured }, message);
    this.#maker = new Maker({ files, check, catalogFileId });
    const looker = new Looker(files, index, this.#maker, file => {
      this.#directories.lostFile();
      this.#firstLooks.delete(file);
    });
    this.#looker = looker;
    const firstLooks = (this.#firstLooks = new FirstLooks(looker));
    const watches = (this.#watches = new Watches((...notice) => this.#walker.notice(...notice), tell));
    const onFull = (message: string): void => this.onTrouble({ folder: 'all' }, message);
    const directories = (this.#directories = new Directories({ looker, index, firstLooks, watches, onFull }));
    this.#walker = new Walker({ folders: this.#folders, directories, firstLooks, watches, dataDir, tell });
  }

  set onChanged(tell: (name: string, isGone: boolean) => void) {
    this.#index.onChanged = tell;
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
      watched: this.#watches.isWatched(folder),
      directories: folder.directoryCount,
    }));
  }

  /** Begins to look through the folders, and goes on doing so. */
  start(): void {
    if (this.isEmpty) return;
    this.#ready = this.#walker.start();
    this.#ready.catch(() => undefined);
  }

  close(): void {
    this.#walker.close();
    this.#directories.close();
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
      if (!this.#firstLooks.isEmpty) await Promise.race([this.#firstLooks.read(), late]);
    } finally {
      clearTimeout(timer);
      late.catch(() => undefined);
    }
  }

  /** Asks the files of some names. Undefined where nothing has to be waited for. */
  look(names: Iterable<string>): Promise<void> | undefined {
    if (this.isEmpty) return undefined;
    const waits: Promise<void>[] = [];
    const unknown: string[] = [];
    for (const name of names) {
      if (!this.knows(name)) unknown.push(name);
      else this.#lookAt(name, waits);
    }
    if (unknown.length > 0) waits.push(this.#lookForNew(unknown));
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
  }

  #lookAt(name: string, waits: Promise<void>[]): void {
    for (const { file } of this.#index.of(name)) {
      const looking = this.#looker.look(file);
      if (looking) waits.push(looking);
    }
  }

  /** Names that are not known may be those of files that have come, where the folders were not looked through yet. */
  async #lookForNew(names: readonly string[]): Promise<void> {
    await this.settled();
    // What the kernel has told by now is heard first.
    await nextLoop();
    await this.#walker.catchUp();
    const waits: Promise<void>[] = [];
    for (const name of names) this.#lookAt(name, waits);
    await Promise.all(waits);
  }

  /** Whether a file has the name, served or not. */
  knows(name: string): boolean {
    return this.#index.of(name).length > 0;
  }

  /** The dataset of a name; undefined where there is no file of it. @throws name_clash, folder_away, or what is wrong with it */
  find(name: string): Dataset | undefined {
    const items = arraysAmong(this.#index.of(name));
    if (items.length === 0) {
      if (this.#mayBeAway(name)) failAway(name);
      return undefined;
    }
    const trouble = troubleIn(items);
    if (trouble) fail(trouble.code, trouble.detail, { dataset: name, ...trouble.values });
    return this.#maker.datasetOf(items[0]!);
  }

  /** Whether it may be the name of a file in a folder that nobody has been able to look at. */
  #mayBeAway(name: string): boolean {
    const isUnseen = this.#folders.some(({ isAway, root }) => isAway && !root);
    return isUnseen || this.#directories.unseen().some(({ path: below }) => mayStandIn(name, below));
  }

  has(name: string): boolean {
    const items = arraysAmong(this.#index.of(name));
    return items.length > 0 && !troubleIn(items);
  }

  /** How many names are served, as far as is known, without those that are `hidden`. */
  async count(isHidden: (name: string) => boolean): Promise<number> {
    let count = 0;
    const turn = givingTurns();
    for (const name of this.#index.names.all()) {
      const items = arraysAmong(this.#index.of(name));
      if (items.length > 0 && !isHidden(name) && !troubleIn(items, true)) count++;
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
          const listed = this.#listed(name, query.state ?? 'ready');
          if (listed) found.push(listed);
          if (found.length >= query.limit) return found;
          // oxlint-disable-next-line no-await-in-loop
          await turn();
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
      for (const { file } of this.#index.of(name)) waits.push(this.#firstLooks.look(file));
      // oxlint-disable-next-line no-await-in-loop
      await turn();
    }
    await Promise.all(waits);
  }

  /** What a list of this state has of a name. */
  #listed(name: string, state: 'ready' | 'quarantined'): Listed | undefined {
    const all = this.#index.of(name);
    if (all.length === 0) return undefined;
    const items = arraysAmong(all);
    const trouble = troubleIn(items);
    if (state === 'ready') {
      return trouble ? undefined : { name, dataset: this.#maker.datasetOf(items[0]!), reason: undefined };
    }
    if (trouble) return listedTrouble(items[0]!, trouble);
    // Beside an array that is served there may be a file of its name whose arrays could not be told.
    const other = all.find(({ isPlaceholder }) => isPlaceholder);
    return other?.trouble && listedTrouble(other, other.trouble);
  }
}
