/**
 * Asks a single file what it is now. Whoever answers about it asks first, so that an answer holds nothing that was read
 * before the call came. What has not moved costs two microseconds; what has is read again, off the event loop.
 */
import fs from 'node:fs';
import { systemErrorCode } from '../../errors.js';
import type { FileTable } from '../../file/file-table.js';
import { bytesOfPath, pathOfBytes } from '../../file/path-bytes.js';
import { stringifyExactJson } from '../../formats/index.js';
import { LIMITS } from '../../limits.js';
import type { FolderIndex } from './index.js';
import { counterIdOf, type Maker } from './making.js';
import { itemsOf } from './reading.js';
import {
  isAway,
  realPathOf,
  type FolderFile,
  type FoundGeometry,
  type Identity,
  type Item,
  type ServedFolder,
  type Stamp,
} from './tree.js';

const GONE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

export class Looker {
  readonly #files: FileTable;
  readonly #index: FolderIndex;
  readonly #maker: Maker;
  readonly #onRemoved: (file: FolderFile) => void;

  constructor(files: FileTable, index: FolderIndex, maker: Maker, onRemoved: (file: FolderFile) => void) {
    this.#files = files;
    this.#index = index;
    this.#maker = maker;
    this.#onRemoved = onRemoved;
  }

  /** Undefined where it is as it was last seen; else a promise of its being read again. Never throws. */
  look(file: FolderFile): Promise<void> | undefined {
    if (file.looking) return file.looking;
    if (file.isGone || (isAway(file) && !cameBack(file.directory.folder))) return undefined;
    const stamp = this.#stampOf(file);
    if (!stamp) return undefined;
    const sidecarStamp = sidecarStampOf(file);
    const { stamp: seen, sidecarStamp: described } = file;
    const isSame = seen && isSameStamp(seen, stamp) && !seen.isYoung && !described?.isYoung;
    if (isSame && (described === sidecarStamp || (described && sidecarStamp && isSameStamp(described, sidecarStamp)))) {
      return undefined;
    }
    file.looking = this.#read(file, stamp, sidecarStamp).finally(() => {
      file.looking = undefined;
    });
    return file.looking;
  }

  /** The file is not there any more. */
  remove(file: FolderFile): void {
    if (file.isGone) return;
    file.isGone = true;
    file.directory.files.delete(file.name);
    this.#drop(file.items);
    file.items = [];
    this.#files.leave(counterIdOf(file));
    this.#onRemoved(file);
  }

  #drop(items: readonly Item[]): void {
    for (const item of items) {
      this.#index.remove(item);
      this.#maker.drop(item);
    }
  }

  /** How it stands there; undefined where it does not, or where its folder cannot be looked at. */
  #stampOf(file: FolderFile): Stamp | undefined {
    try {
      if (file.linked !== undefined && !isStillLinked(file)) {
        this.remove(file);
        file.directory.isDirty = true;
        return undefined;
      }
      const stats = fs.statSync(bytesOfPath(realPathOf(file)), { bigint: true, throwIfNoEntry: false });
      if (stats?.isFile()) return stampOf(stats);
      if (isRootThere(file.directory.folder)) this.remove(file);
      else file.directory.folder.isAway = true;
      return undefined;
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === undefined) throw error;
      if (GONE.has(code) && isRootThere(file.directory.folder)) this.remove(file);
      else file.directory.isAway = true;
      return undefined;
    }
  }

  async #read(file: FolderFile, stamp: Stamp, sidecarStamp: Stamp | undefined): Promise<void> {
    const before = file.stamp;
    const items = await itemsOf(this.#files.roots, file).catch(() => undefined);
    if (file.isGone) return;
    const isPassing = items === undefined || items.some(({ trouble }) => trouble && PASSING.has(trouble.code));
    file.stamp = isPassing ? undefined : stamp;
    file.sidecarStamp = sidecarStamp;
    if (!items) return;
    const isSameFile = before !== undefined && isSameIdentity(before, stamp);
    const merged = mergedItems(file.items, items, isSameFile);
    const kept = new Set(merged);
    const known = new Set(file.items);
    const added = merged.filter(item => !known.has(item));
    const dropped = file.items.filter(item => !kept.has(item));
    this.#files.generations.followed.follow(counterIdOf(file), stamp, before !== undefined && added.length > 0);
    // Before the others go: a name that stays is never without an array.
    for (const item of added) this.#index.add(item);
    file.items = merged;
    this.#drop(dropped);
  }
}

/** What says nothing of the file itself: it is asked again. */
const PASSING = new Set(['busy', 'io_error', 'file_changed', 'path_forbidden']);

/** Items that say what they said before stay, with their datasets; but not those of another file at the path. */
function mergedItems(before: readonly Item[], now: readonly Item[], isSameFile: boolean): Item[] {
  const byMember = new Map(before.map(item => [item.member, item]));
  const isSameFound = foundComparison();
  return now.map(item => {
    const old = byMember.get(item.member);
    if (!old) return item;
    const isSame = isSameFile && old.name === item.name && isSameFound(old.found, item.found);
    // Whoever has its dataset is told.
    if (!isSame && old.dataset !== undefined) return item;
    old.found = item.found;
    old.trouble = item.trouble;
    return old;
  });
}

/** Compares what was found. Items of one reading share their attrs, which may be long: those are compared once. */
function foundComparison(): (a: FoundGeometry | undefined, b: FoundGeometry | undefined) => boolean {
  let last: { readonly a: unknown; readonly b: unknown; readonly isSame: boolean } = {
    a: undefined,
    b: undefined,
    isSame: true,
  };
  const isSameAttrs = (a: unknown, b: unknown): boolean => {
    if (last.a === a && last.b === b) return last.isSame;
    const isSame = stringifyExactJson(a) === stringifyExactJson(b);
    last = { a, b, isSame };
    return isSame;
  };
  return (a, b) => {
    if (!a || !b) return a === b;
    const { attrs, ...form } = a;
    const { attrs: otherAttrs, ...otherForm } = b;
    return JSON.stringify(form) === JSON.stringify(otherForm) && isSameAttrs(attrs, otherAttrs);
  };
}

export function stampOf(stats: fs.BigIntStats): Stamp {
  const { dev, ino, ctimeNs, mtimeNs, size } = stats;
  const isYoung = Date.now() - Number(ctimeNs / 1_000_000n) <= LIMITS.youngFileMs;
  return { dev, ino, ctimeNs, mtimeNs, size, isYoung };
}

export function isSameStamp(a: Stamp, b: Stamp): boolean {
  return a.ctimeNs === b.ctimeNs && a.size === b.size && a.ino === b.ino && a.dev === b.dev && a.mtimeNs === b.mtimeNs;
}

function sidecarStampOf(file: FolderFile): Stamp | undefined {
  if (file.sidecar === undefined) return undefined;
  try {
    const real = realPathOf({ ...file, name: file.sidecar, linked: undefined });
    const stats = fs.statSync(bytesOfPath(real), { bigint: true, throwIfNoEntry: false });
    return stats && stampOf(stats);
  } catch {
    return undefined;
  }
}

function isStillLinked(file: FolderFile): boolean {
  try {
    const path = bytesOfPath(realPathOf({ ...file, linked: undefined }));
    return pathOfBytes(fs.realpathSync.native(path, { encoding: 'buffer' })) === file.linked;
  } catch {
    return false;
  }
}

/** Whether the folder itself can be looked at, as the folder that it was. */
function isRootThere({ real, identity }: ServedFolder): boolean {
  if (real === undefined || identity === undefined) return false;
  try {
    const stats = fs.statSync(bytesOfPath(real), { bigint: true });
    fs.accessSync(bytesOfPath(real), fs.constants.R_OK | fs.constants.X_OK);
    return stats.isDirectory() && isSameIdentity(stats, identity);
  } catch {
    return false;
  }
}

/** A folder that was away is asked by the calls, too: it is there for them as soon as it is back. */
function cameBack(folder: ServedFolder): boolean {
  if (!folder.isAway || !isRootThere(folder)) return false;
  folder.isAway = false;
  if (folder.root) folder.root.isDirty = true;
  return true;
}

export function isSameIdentity(a: Identity, b: Identity): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}
