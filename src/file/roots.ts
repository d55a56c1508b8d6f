/**
 * Which files may be opened. A path is walked component by component below one of the roots, each looked up in the open
 * folder before it; `..` is refused, links are followed only while they stay inside a root. What comes out is a path
 * without links, and it is opened without following any, so that a swap between the two leads nowhere.
 * Hazard: messages must not tell what exists outside, nor where the roots are.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { fail, systemErrorCode } from '../errors.js';
import { Folder, openWithoutLinks, withFolder } from './folder.js';
import { closeDescriptor } from './io.js';
import { givingTurns } from '../turns.js';
import { fromSystemError, translated } from './system-errors.js';
import { constants, fstatSync, type Stats } from 'node:fs';

const LINKS_MAX = 40;
const PATH_LENGTH_MAX = 4096;

export interface Root {
  /** The absolute path as it was configured, which clients may use: a link, or the same as `real`. */
  readonly configured: string;
  readonly real: string;
}

/** What a path leads to, links not followed any more. */
interface Found {
  readonly realPath: string;
  readonly stats: Stats;
}

export interface FittingFile {
  /** Its own name. */
  readonly file: string;
  /** With the folders that were asked for. */
  readonly name: string;
  readonly realPath: string;
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

  /** The real path of an existing file. @throws path_forbidden, file_not_found, file_denied */
  async find(asked: string): Promise<string> {
    for (const candidate of this.#candidates(asked)) {
      // One root after the other: the first that has the file wins.
      // oxlint-disable-next-line no-await-in-loop
      const found = await this.#walk(candidate.root, candidate.components, asked);
      if (found) return found.realPath;
    }
    return fail('file_not_found', `No file ${shown(asked)} stands under the served folders. ${RELATIVE}`, {
      path: asked,
    });
  }

  /**
   * The files of a folder whose names `fits` takes for the last component, in the first root that has some: what clients
   * may call each, and its real path. Links are followed while they stay inside.
   * @throws path_forbidden, file_not_found, file_denied
   */
  async matching(
    asked: string,
    fits: (pattern: string, file: string) => boolean,
  ): Promise<{ readonly path: string; readonly files: readonly FittingFile[] }> {
    for (const { root, components } of this.#candidates(asked)) {
      const pattern = components.at(-1)!;
      // oxlint-disable-next-line no-await-in-loop
      const folder = await this.#walk(root, components.slice(0, -1), asked);
      if (!folder?.stats.isDirectory()) continue;
      // oxlint-disable-next-line no-await-in-loop
      const entries = await translated(() => fs.readdir(folder.realPath, { withFileTypes: true }));
      const files: FittingFile[] = [];
      const prefix = path.join(path.dirname(asked), '/');
      const turn = givingTurns();
      for (const entry of entries) {
        // oxlint-disable-next-line no-await-in-loop
        await turn();
        if (!fits(pattern, entry.name)) continue;
        const realPath = `${folder.realPath}/${entry.name}`;
        // oxlint-disable-next-line no-await-in-loop
        const target = entry.isSymbolicLink()
          ? await this.#walk(root, [...components.slice(0, -1), entry.name], asked)
          : undefined;
        if (entry.isFile() || target?.stats.isFile()) {
          const name = prefix === './' ? entry.name : `${prefix}${entry.name}`;
          files.push({ file: entry.name, name, realPath: target?.realPath ?? realPath });
        }
      }
      if (files.length > 0) return { path: path.join(folder.realPath, pattern), files };
    }
    return fail('file_not_found', `No file fits ${shown(asked)} under the served folders. ${RELATIVE}`, {
      path: asked,
    });
  }

  /**
   * The real path for a file that is to be made, or replaced: in the first root that has it, else in the first that has
   * its folder. What stands there is not looked into: it may be a folder or a link.
   * @throws path_forbidden, file_not_found, file_denied
   */
  async place(asked: string): Promise<string> {
    let place: string | undefined;
    for (const { root, components } of this.#candidates(asked)) {
      const name = components.at(-1);
      if (name === undefined) continue;
      // oxlint-disable-next-line no-await-in-loop
      const folder = await this.#walk(root, components.slice(0, -1), asked);
      if (!folder?.stats.isDirectory()) continue;
      const target = this.#allowed(path.join(folder.realPath, name), asked);
      // oxlint-disable-next-line no-await-in-loop
      if (await look(target)) return target;
      place ??= target;
    }
    return (
      place ??
      fail(
        'file_not_found',
        `No folder for ${shown(asked)} stands under the served folders. Make it first. ${RELATIVE}`,
        { path: asked },
      )
    );
  }

  /** Opens a path that `find` returned: still without links, and a regular file. @throws path_forbidden, file_denied, file_changed */
  async open(realPath: string, writable: boolean): Promise<number> {
    // O_NONBLOCK: opening a pipe must not wait for its other end.
    const flags = (writable ? constants.O_RDWR : constants.O_RDONLY) | constants.O_NONBLOCK;
    let fd: number;
    try {
      fd = await openWithoutLinks(realPath, flags);
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === 'ELOOP' || code === 'ENOTDIR') {
        return fail(
          'path_forbidden',
          'Another thing took the place of the file or of a folder on its path. Put back what was there, and repeat the request.',
          {
            reason: 'replaced',
          },
        );
      }
      if (code === 'EISDIR' || code === 'ENXIO') return failNotRegular();
      throw fromSystemError(error);
    }
    try {
      if (!fstatSync(fd).isFile()) failNotRegular();
      return fd;
    } catch (error) {
      await closeDescriptor(fd);
      throw fromSystemError(error);
    }
  }

  /**
   * Where a real path stands, as clients may know it: the number of the first root that holds it (0 is the data folder)
   * and the path below that root. Undefined outside of all.
   */
  locate(realPath: string): { readonly root: number; readonly path: string } | undefined {
    const root = this.#roots.findIndex(({ real }) => isInside(realPath, real));
    return root < 0 ? undefined : { root, path: path.relative(this.#roots[root]!.real, realPath) };
  }

  /** True for paths below a root that are not the service's own. */
  has(realPath: string): boolean {
    return this.#roots.some(({ real }) => isInside(realPath, real)) && !this.#isReserved(realPath);
  }

  #candidates(asked: string): Candidate[] {
    if (asked === '' || asked.length > PATH_LENGTH_MAX || asked.includes('\0')) return failForbidden(asked);
    const components = asked.split('/').filter(component => component !== '' && component !== '.');
    if (components.includes('..')) return failForbidden(asked);
    if (!asked.startsWith('/')) return this.#roots.map(({ real }) => ({ root: real, components }));
    const inside = this.#holding(`/${components.join('/')}`);
    return inside.length > 0 ? inside : failForbidden(asked);
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

  /** What stands at the end of a path below a root; undefined for nothing. @throws path_forbidden, file_denied */
  async #walk(root: string, components: readonly string[], asked: string): Promise<Found | undefined> {
    let links = 0;
    let start = root;
    let rest = components;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop
      const step = await orAbsent(() => walkToLink(start, rest));
      if (!step) return undefined;
      if (!('target' in step)) return { ...step, realPath: this.#allowed(step.realPath, asked) };
      if (++links > LINKS_MAX) return failForbidden(asked);
      const [home] = this.#holding(step.target);
      if (home === undefined) return failForbidden(asked);
      start = home.root;
      rest = [...home.components, ...step.rest];
    }
  }

  #allowed(realPath: string, asked: string): string {
    return this.#isReserved(realPath) ? failForbidden(asked) : realPath;
  }

  #isReserved(realPath: string): boolean {
    return this.#reserved.some(folder => isInside(realPath, folder));
  }
}

/** A link on the way, and what follows it. */
interface LinkMet {
  /** Absolute. */
  readonly target: string;
  readonly rest: readonly string[];
}

/** Goes down from a folder, each step in the open folder before it, to the end or to the first link. */
async function walkToLink(start: string, components: readonly string[]): Promise<Found | LinkMet> {
  let folder = await Folder.open(start);
  try {
    for (const [i, name] of components.entries()) {
      const stats = await folder.look(name);
      const realPath = path.join(folder.realPath, name);
      if (stats.isSymbolicLink()) {
        const target = path.resolve(folder.realPath, await fs.readlink(folder.at(name)));
        return { target, rest: components.slice(i + 1) };
      }
      if (i === components.length - 1) return { realPath, stats };
      const next = await folder.enter(name);
      await folder.close();
      folder = next;
    }
    return { realPath: folder.realPath, stats: await folder.look('.') };
  } finally {
    await folder.close();
  }
}

/** What stands at a path without links; undefined for nothing. @throws path_forbidden */
function look(realPath: string): Promise<Stats | undefined> {
  return orAbsent(() => withFolder(path.dirname(realPath), folder => folder.look(path.basename(realPath))));
}

/** Undefined where there is nothing. What changed under the walk is told apart from it by nobody. */
async function orAbsent<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    // EINVAL: a link that is none any more.
    if (code === 'ENAMETOOLONG' || code === 'ELOOP' || code === 'EINVAL') return failForbidden();
    throw fromSystemError(error);
  }
}

function isInside(candidate: string, folder: string): boolean {
  return candidate === folder || candidate.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

const RELATIVE = 'Give a path relative to one of them, without "..", or an absolute one inside.';

function shown(asked: string): string {
  return JSON.stringify(asked.length > 200 ? `${asked.slice(0, 200)}…` : asked);
}

/** An absolute path is not repeated: it may be that of a folder of the service's own. */
function failForbidden(asked?: string): never {
  return fail(
    'path_forbidden',
    `The path${asked?.startsWith('/') === false ? ` ${shown(asked)}` : ''} does not lead to a file under the served folders (HYPERSLAB_ROOTS and the data folder). ${RELATIVE}`,
  );
}

export function failNotRegular(): never {
  return fail(
    'not_a_regular_file',
    'The path is not a regular file, and only those can be mapped. Give the path of a file.',
  );
}
