/**
 * A folder held by its descriptor, and ways to a file on which no link is followed. What is done to `at(name)` happens
 * in this folder, whatever another program puts on the path meanwhile; a path as text is only safe to open here.
 * Hazard: `at` is good until `close`. Without /proc (not Linux) it is a path as text again.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { constants, existsSync, type Stats } from 'node:fs';
import { systemErrorCode } from '../errors.js';
import { closeDescriptor, openDescriptor, syncFolder } from './io.js';
import { libc, O_PATH } from './libc.js';
import { bytesOfPath } from './path-bytes.js';
import { Turnstile } from './turnstile.js';

const DESCRIPTORS = '/proc/self/fd';
const hasDescriptorPaths = process.platform === 'linux' && existsSync(DESCRIPTORS);

const OPEN_FOLDER = constants.O_DIRECTORY | constants.O_NOFOLLOW | (hasDescriptorPaths ? O_PATH : constants.O_RDONLY);

/** A path that leads to what a descriptor is open on. */
export function pathOfDescriptor(fd: number, otherwise: string): string {
  return hasDescriptorPaths ? `${DESCRIPTORS}/${fd}` : otherwise;
}

export class Folder {
  readonly #fd: number;
  /** Where it was when it was opened; absolute and without links. */
  readonly realPath: string;
  #isClosed = false;

  private constructor(fd: number, realPath: string) {
    this.#fd = fd;
    this.realPath = realPath;
  }

  /** Opens a folder by an absolute path on which no link may stand. @throws system errors, ELOOP or ENOTDIR at a link */
  static async open(realPath: string): Promise<Folder> {
    return new Folder(await openWithoutLinks(realPath, OPEN_FOLDER), realPath);
  }

  static async root(): Promise<Folder> {
    return new Folder(await openDescriptor('/', OPEN_FOLDER), '/');
  }

  /** A path to a name in this folder. The last step may be a link: the caller says O_NOFOLLOW, or means the link. */
  at(name: string): string {
    // Not path.join, which would leave `.` out and so name the descriptor's own link.
    return `${pathOfDescriptor(this.#fd, this.realPath)}/${name}`;
  }

  /** What stands there, links not followed. */
  look(name: string): Promise<Stats> {
    return fs.lstat(bytesOfPath(this.at(name)));
  }

  /** The folder of this name, which must be one. */
  async enter(name: string): Promise<Folder> {
    return new Folder(await openDescriptor(bytesOfPath(this.at(name)), OPEN_FOLDER), path.join(this.realPath, name));
  }

  /** Opens a file by its name; a link is refused (ELOOP). */
  openFile(name: string, flags: number): Promise<number> {
    return openDescriptor(bytesOfPath(this.at(name)), flags | constants.O_NOFOLLOW);
  }

  /** Makes new names and renames durable. */
  sync(): Promise<void> {
    return syncFolder(this.at('.'));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await closeDescriptor(this.#fd);
  }
}

/** Folders that are held for a moment at a time, so that a long list of datasets does not use up all descriptors. */
const held = new Turnstile(16);

/** Holds a folder while `work` runs, which must not wait for another one that is held this way. */
export function withFolder<T>(realPath: string, work: (folder: Folder) => Promise<T>): Promise<T> {
  return held.run(async () => {
    const folder = await Folder.open(realPath);
    try {
      return await work(folder);
    } finally {
      await folder.close();
    }
  });
}

/**
 * Opens an absolute path on which no link may stand: in one call where the kernel has it, else folder by folder. The
 * walk also comes after a call that failed, because it knows why.
 */
export async function openWithoutLinks(realPath: string, flags: number): Promise<number> {
  const isText = typeof bytesOfPath(realPath) === 'string';
  const fd = isText ? await libc()?.openWithoutLinks?.(realPath, flags | constants.O_NOFOLLOW) : undefined;
  return fd !== undefined && fd >= 0 ? fd : walkTo(realPath, flags);
}

/** Deletes a file by its absolute path, on which no link may stand; nothing where there is none. */
export async function removeFile(realPath: string): Promise<void> {
  try {
    await withFolder(path.dirname(realPath), folder => fs.rm(folder.at(path.basename(realPath)), { force: true }));
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}

async function walkTo(realPath: string, flags: number): Promise<number> {
  const names = realPath.split('/').filter(Boolean);
  const last = names.pop() ?? '.';
  let folder = await Folder.root();
  try {
    for (const name of names) {
      const next = await folder.enter(name);
      await folder.close();
      folder = next;
    }
    return await folder.openFile(last, flags);
  } finally {
    await folder.close();
  }
}
