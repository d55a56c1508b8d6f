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
import { constants, fstatSync, readlinkSync } from 'node:fs';

const LINKS_MAX = 40;
const PATH_LENGTH_MAX = 4096;

export class Roots {
  readonly #roots: readonly string[];
  readonly #reserved: readonly string[];

  /** All folders are real paths. `reserved` are the service's own, which nobody may register from. */
  constructor(roots: readonly string[], reserved: readonly string[]) {
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

  /** The real path for a file that is to be created: its folder exists. @throws path_forbidden, file_not_found */
  async place(asked: string): Promise<string> {
    for (const { root, components } of this.#candidates(asked)) {
      const name = components.at(-1);
      if (name === undefined) continue;
      // oxlint-disable-next-line no-await-in-loop
      const folder = await this.#walk(root, components.slice(0, -1));
      if (folder) return this.#allowed(path.join(folder, name));
    }
    return fail('file_not_found', `No folder for ${shown(asked)} stands under the served folders.`, { path: asked });
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
    return this.#roots.some(root => isInside(realPath, root)) && !this.#isReserved(realPath);
  }

  #candidates(asked: string): { root: string; components: string[] }[] {
    if (asked === '' || asked.length > PATH_LENGTH_MAX || asked.includes('\0')) return failForbidden();
    const components = asked.split('/').filter(component => component !== '' && component !== '.');
    if (components.includes('..')) return failForbidden();
    if (!asked.startsWith('/')) return this.#roots.map(root => ({ root, components }));
    const normal = `/${components.join('/')}`;
    const inside = this.#roots.filter(root => isInside(normal, root));
    if (inside.length === 0) return failForbidden();
    return inside.map(root => ({ root, components: path.relative(root, normal).split('/').filter(Boolean) }));
  }

  async #walk(root: string, components: readonly string[]): Promise<string | undefined> {
    let current = root;
    let links = 0;
    const rest = [...components];
    while (rest.length > 0) {
      const next = path.join(current, rest.shift()!);
      let stats;
      try {
        // oxlint-disable-next-line no-await-in-loop
        stats = await fs.lstat(next);
      } catch (error) {
        const code = systemErrorCode(error);
        if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
        if (code === 'EACCES' || code === 'ENAMETOOLONG') return failForbidden();
        throw fromSystemError(error);
      }
      if (!stats.isSymbolicLink()) {
        current = next;
        continue;
      }
      if (++links > LINKS_MAX) return failForbidden();
      // oxlint-disable-next-line no-await-in-loop
      const target = path.resolve(current, await fs.readlink(next));
      const home = this.#roots.find(each => isInside(target, each));
      if (home === undefined) return failForbidden();
      rest.unshift(...path.relative(home, target).split('/').filter(Boolean));
      current = home;
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

function failNotRegular(): never {
  return fail('not_a_regular_file', 'The path is not a regular file. Only regular files can be mapped.');
}
