/**
 * Looks through folders: which files and folders stand in one, and what has come and gone since. Files are not opened.
 * Hazard: folders are of any size, and change while they are read. They are read in parts, and once more where their times are
 * too young to tell.
 */
import fs from 'node:fs/promises';
import type { Dirent } from 'node:fs';
import path from 'node:path';
import { containersNamed } from '../../formats/index.js';
import { bytesOfPath, pathOfBytes } from '../../file/path-bytes.js';
import { givingTurns } from '../../turns.js';
import { isSameIdentity, isSameStamp, stampOf } from './looking.js';
import { withoutSuffix } from './names.js';
import type { Directory, FileKind, Identity, ServedFolder, Stamp } from './tree.js';

/** What stands in a folder, as far as it is of any use. */
export interface Listing {
  readonly stamp: Stamp;
  readonly files: ReadonlyMap<string, ListedFile>;
  readonly directories: ReadonlyMap<string, ListedDirectory>;
}

export interface ListedDirectory {
  readonly real: string;
  readonly isLinked: boolean;
}

export interface ListedFile {
  readonly kind: FileKind;
  readonly linked: string | undefined;
  readonly sidecar: string | undefined;
}

/** Where links may lead, and what is left out. */
export interface Bounds {
  /** Real paths. */
  readonly inside: readonly string[];
  readonly leftOut: string;
}

/** @throws what the file system says */
export async function listDirectory(directory: Directory, bounds: Bounds): Promise<Listing> {
  const at = bytesOfPath(directory.real);
  // Before it is read: what changes meanwhile moves the times again.
  const stamp = stampOf(await fs.stat(at, { bigint: true }));
  const names = new Map<string, string | undefined>();
  const directories = new Map<string, ListedDirectory>();
  const turn = givingTurns();
  const entries = await fs.opendir(at, { bufferSize: ENTRIES_AT_A_TIME, encoding: 'buffer' as BufferEncoding });
  for await (const entry of entries) {
    await turn();
    const name = pathOfBytes(entry.name as unknown as Buffer);
    if (name.startsWith('.')) continue;
    const found = await kindOfEntry(path.join(directory.real, name), entry, bounds);
    if (!found) continue;
    if (found.isDirectory) directories.set(name, { real: found.real, isLinked: found.isLinked });
    else names.set(name, found.isLinked ? found.real : undefined);
  }
  return { stamp, files: await filesAmong(names, turn), directories };
}

const ENTRIES_AT_A_TIME = 256;

interface Found {
  readonly isDirectory: boolean;
  readonly isLinked: boolean;
  readonly real: string;
}

async function kindOfEntry(at: string, entry: Dirent, bounds: Bounds): Promise<Found | undefined> {
  if (at === bounds.leftOut) return undefined;
  if (entry.isFile()) return { isDirectory: false, isLinked: false, real: at };
  if (entry.isDirectory()) return { isDirectory: true, isLinked: false, real: at };
  // Some file systems do not say what an entry is.
  const isUnknown = !entry.isSymbolicLink() && !(entry.isFIFO() || entry.isSocket() || isDevice(entry));
  if (!entry.isSymbolicLink() && !isUnknown) return undefined;
  try {
    const real = await realPathOf(at);
    const root = bounds.inside.find(each => isWithin(real, each));
    if (root === undefined || isWithin(real, bounds.leftOut)) return undefined;
    const stats = await fs.stat(bytesOfPath(real));
    if (!stats.isFile() && !stats.isDirectory()) return undefined;
    const isLinked = real !== at;
    // It is entered where it stands, unless it is hidden there.
    if (stats.isDirectory() && isLinked && !path.relative(root, real).split('/').some(isHidden)) return undefined;
    return { isDirectory: stats.isDirectory(), isLinked, real };
  } catch {
    return undefined;
  }
}

function isHidden(component: string): boolean {
  return component.startsWith('.');
}

/** Links resolved. */
async function realPathOf(at: string): Promise<string> {
  return pathOfBytes(await fs.realpath(bytesOfPath(at), { encoding: 'buffer' }));
}

/** Whether a real path is a folder, or stands in it. */
export function isWithin(real: string, folder: string): boolean {
  return real === folder || real.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

function isDevice(entry: Dirent): boolean {
  return entry.isBlockDevice() || entry.isCharacterDevice();
}

const JSON_SUFFIX = '.json';

/** Arrays, containers, and what stands beside a description of its own name. */
async function filesAmong(
  names: ReadonlyMap<string, string | undefined>,
  turn: () => Promise<void> | undefined,
): Promise<Map<string, ListedFile>> {
  const files = new Map<string, ListedFile>();
  for (const [name, linked] of names) {
    await turn();
    const sidecarName = `${withoutSuffix(name)}${JSON_SUFFIX}`;
    const sidecar = sidecarName !== name && names.has(sidecarName) ? sidecarName : undefined;
    const kind = kindOfName(name, sidecar);
    if (kind) files.set(name, { kind, linked, sidecar });
  }
  return files;
}

function kindOfName(name: string, sidecar: string | undefined): FileKind | undefined {
  const suffix = /\.(npy|npz|safetensors)$/i.exec(name)?.[1]?.toLowerCase();
  if (suffix !== undefined) return suffix as FileKind;
  const isRaw =
    sidecar !== undefined && !name.toLowerCase().endsWith(JSON_SUFFIX) && containersNamed(name).length === 0;
  return isRaw ? 'raw' : undefined;
}

/** Whether a folder has to be looked through again. @throws what the file system says */
export async function hasMoved({ stamp, real }: Directory): Promise<boolean> {
  const found = stampOf(await fs.stat(bytesOfPath(real), { bigint: true }));
  return !stamp || stamp.isYoung || !isSameStamp(stamp, found);
}

/** Where a folder is now: real path and identity; undefined where it cannot be looked at. */
export async function findRoot(folder: ServedFolder): Promise<{ real: string; identity: Identity } | undefined> {
  try {
    const real = await realPathOf(folder.configured);
    const stats = await fs.stat(bytesOfPath(real), { bigint: true });
    await fs.access(bytesOfPath(real), fs.constants.R_OK | fs.constants.X_OK);
    if (!stats.isDirectory()) return undefined;
    const identity = { dev: stats.dev, ino: stats.ino };
    // Where a file system was taken off, the empty folder below it shows.
    const isOther = folder.identity && !isSameIdentity(folder.identity, identity);
    if (isOther && folder.identity!.dev !== identity.dev && (await isEmpty(real))) return undefined;
    return { real, identity };
  } catch {
    return undefined;
  }
}

async function isEmpty(real: string): Promise<boolean> {
  const entries = await fs.opendir(bytesOfPath(real));
  try {
    return (await entries.read()) === null;
  } finally {
    await entries.close();
  }
}
