/**
 * What the kernel tells of folders (inotify and the like). It is a hint and never the only source: watches are few, get lost,
 * and say nothing of what other hosts do on a network. Where there are none, a folder is looked through every few seconds.
 */
import fs from 'node:fs';
import { systemErrorCode } from '../../errors.js';
import { kindOfFileSystem } from '../../file/file-system.js';
import { bytesOfPath, pathOfBytes } from '../../file/path-bytes.js';
import type { Directory, ServedFolder } from './tree.js';

/** Something has happened to a name in a folder; undefined where the kernel does not say to which. */
type Notice = (directory: Directory, event: string, name: string | undefined) => void;

export class Watches {
  readonly #unwatched = new Set<ServedFolder>();
  readonly #notice: Notice;
  readonly #tell: (folder: ServedFolder, message: string) => void;

  constructor(notice: Notice, tell: (folder: ServedFolder, message: string) => void) {
    this.#notice = notice;
    this.#tell = tell;
  }

  isWatched(folder: ServedFolder): boolean {
    return !this.#unwatched.has(folder);
  }

  watch(directory: Directory): void {
    this.unwatch(directory);
    const { folder } = directory;
    if (!this.isWatched(folder)) return;
    try {
      const options = { persistent: false, encoding: 'buffer' } as const;
      const watcher = fs.watch(bytesOfPath(directory.real), options, (event, name) => {
        if (!directory.isGone) this.#notice(directory, event, name === null ? undefined : pathOfBytes(name));
      });
      watcher.on('error', () => {
        watcher.close();
        if (directory.watcher === watcher) directory.watcher = undefined;
      });
      directory.watcher = watcher;
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === undefined) throw error;
      // Whether it can be looked at is found out, and told, by whoever looks through it.
      if (!PASSING.has(code)) this.#giveUp(folder, code);
      return;
    }
    if (!directory.parent) void this.#checkFileSystem(folder, directory.real);
  }

  unwatch(directory: Directory): void {
    directory.watcher?.close();
    directory.watcher = undefined;
  }

  /** A network file system tells nothing of what other hosts do. */
  async #checkFileSystem(folder: ServedFolder, real: string): Promise<void> {
    const kind = await kindOfFileSystem(real).catch(() => undefined);
    if (kind && !kind.mappable) this.#giveUp(folder, kind.name);
  }

  #giveUp(folder: ServedFolder, why: string): void {
    if (!this.isWatched(folder)) return;
    this.#unwatched.add(folder);
    this.#tell(folder, `a served folder is not watched (${why}): it is looked through every few seconds`);
  }
}

const PASSING = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP']);
