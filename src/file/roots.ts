/**
 * Which files may be opened. A path is walked component by component below one of the roots; `..` is refused, links
 * are followed only while they stay inside a root. What was opened is then compared with what was checked, so that a
 * swap between the two is refused. Hazard: messages must not tell what exists outside, nor where the roots are.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { fail, systemErrorCode } from '../errors.js';
import { closeDescriptor, openDescriptor } from './io.js';
import { fromSystemError } from './system-errors.js';
import { constants, fstatSync, readlinkSync, type Stats } from 'node:fs';

const LINKS_MAX = 40;
const PATH_LENGTH_MAX = 4096;

export interface Root {
  /** The absolute path as it was configured, which clients may use: a link, or the same as `real`. */
  readonly configured: string;
  readonly real: string;
}

/** A place to look for a file: a root's real path, and what follows it. */
interface Candidate {
  readonly root: string;
  readonly components: readonly string[];
}

export class Roots {
  readonly #roots: readonly Root[];
  readonly #reserved: readonly string[];

  /** `reserved` are real paths of the service's own folders, which nobody may register from. */
  constructor(roots: readonly Root[], reserved: readonly string[]) {
    this.#roots = roots;
    this.#reserved = reserved;
  }

  /** The real path of an existing file. @throws path_forbidden, file_not_found */
  async find(asked: string): Promise<string> {
    for (const candidate of this.#candidates(asked)) {
      // One root after the other: the first that has the file wins.
      // oxlint-disable-next-line no-await-in-loop
      const found = await this.#walk(candidate.root, candidate.components);
      if (found) return found;
    }
    return fail('file_not_found', `No file ${shown(asked)} stands under the served folders.`, { path: asked });
  }

  /**
   * The real path for a file that is to be made, or replaced: in the first root that has it, else in the first that has
   * its folder. What stands there is not looked into: it may be a folder or a link.
   * @throws path_forbidden, file_not_found
   */
  async place(asked: string): Promise<string> {
    let place: string | undefined;
    for (const { root, components } of this.#candidates(asked)) {
      const name = components.at(-1);
      if (name === undefined) continue;
      // oxlint-disable-next-line no-await-in-loop
      const folder = await this.#walk(root, components.slice(0, -1));
      if (folder === undefined) continue;
      const target = this.#allowed(path.join(folder, name));
      // oxlint-disable-next-line no-await-in-loop
      if (await look(target)) return target;
      // oxlint-disable-next-line no-await-in-loop
      if ((await look(folder))?.isDirectory()) place ??= target;
    }
    return (
      place ?? fail('file_not_found', `No folder for ${shown(asked)} stands under the served folders.`, { path: asked })
    );
  }

  /** Opens a path that `find` returned, and makes sure that it is still that file: regular, and inside the roots. */
  async open(realPath: string, writable: boolean): Promise<number> {
    // O_NONBLOCK: opening a pipe must not wait for its other end.
    const flags = (writable ? constants.O_RDWR : constants.O_RDONLY) | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    let fd: number;
    try {
      fd = await openDescriptor(realPath, flags);
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === 'ELOOP') return fail('path_forbidden', 'The path became a link while it was opened.');
      if (code === 'EISDIR' || code === 'ENXIO') return failNotRegular();
      throw fromSystemError(error);
    }
    try {
      if (!fstatSync(fd).isFile()) failNotRegular();
      if (process.platform === 'linux' && readlinkSync(`/proc/self/fd/${fd}`) !== realPath) {
        fail('path_forbidden', 'The path changed while it was opened. Repeat the request.');
      }
      return fd;
    } catch (error) {
      await closeDescriptor(fd);
      throw fromSystemError(error);
    }
  }

  /** True for paths below a root that are not the service's own. */
  has(realPath: string): boolean {
    return this.#roots.some(({ real }) => isInside(realPath, real)) && !this.#isReserved(realPath);
  }

  #candidates(asked: string): Candidate[] {
    if (asked === '' || asked.length > PATH_LENGTH_MAX || asked.includes('\0')) return failForbidden();
    const components = asked.split('/').filter(component => component !== '' && component !== '.');
    if (components.includes('..')) return failForbidden();
    if (!asked.startsWith('/')) return this.#roots.map(({ real }) => ({ root: real, components }));
    const inside = this.#holding(`/${components.join('/')}`);
    return inside.length > 0 ? inside : failForbidden();
  }

  /** The roots that an absolute path lies in, by either of their names. */
  #holding(absolute: string): Candidate[] {
    return this.#roots.flatMap(({ configured, real }) => {
      const base = [real, configured].find(each => isInside(absolute, each));
      return base === undefined
        ? []
        : [{ root: real, components: path.relative(base, absolute).split('/').filter(Boolean) }];
    });
  }

  async #walk(root: string, components: readonly string[]): Promise<string | undefined> {
    let current = root;
    let links = 0;
    const rest = [...components];
    while (rest.length > 0) {
      const next = path.join(current, rest.shift()!);
      // oxlint-disable-next-line no-await-in-loop
      const stats = await look(next);
      if (!stats) return undefined;
      if (!stats.isSymbolicLink()) {
        current = next;
        continue;
      }
      if (++links > LINKS_MAX) return failForbidden();
      // oxlint-disable-next-line no-await-in-loop
      const target = path.resolve(current, await fs.readlink(next));
      const [home] = this.#holding(target);
      if (home === undefined) return failForbidden();
      rest.unshift(...home.components);
      current = home.root;
    }
    return this.#allowed(current);
  }

  #allowed(realPath: string): string {
    return this.#isReserved(realPath) ? failForbidden() : realPath;
  }

  #isReserved(realPath: string): boolean {
    return this.#reserved.some(folder => isInside(realPath, folder));
  }
}

/** What stands at a path, links not followed; undefined for nothing. @throws path_forbidden */
async function look(realPath: string): Promise<Stats | undefined> {
  try {
    return await fs.lstat(realPath);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'EACCES' || code === 'ENAMETOOLONG') return failForbidden();
    throw fromSystemError(error);
  }
}

function isInside(candidate: string, folder: string): boolean {
  return candidate === folder || candidate.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

function shown(asked: string): string {
  return JSON.stringify(asked.length > 200 ? `${asked.slice(0, 200)}…` : asked);
}

function failForbidden(): never {
  return fail(
    'path_forbidden',
    'The path does not lead to a file under the served folders (HYPERSLAB_ROOTS and the data folder). Give a path relative to one of them, without "..".',
  );
}

export function failNotRegular(): never {
  return fail('not_a_regular_file', 'The path is not a regular file. Only regular files can be mapped.');
}
