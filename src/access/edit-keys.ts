/**
 * Changing the key file: under a lock file, so that two commands at a time do not undo one another, and whole or not at
 * all. Hazard: the new file must be as private as the old one, and belong to the owner of the folder when root makes it.
 */
import { fchmodSync, fchownSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemErrorCode } from '../errors.js';
import { stageFile } from '../file/atomic.js';
import { writeFully } from '../file/io.js';
import { keysToText, parseKeys, type KeyRecord } from './keys.js';

/** A lock as old as this was left behind by a command that was killed. */
const LOCK_STALE_MS = 10_000;
const LOCK_WAIT_MS = 50;
const PRIVATE = 0o600;

/** The keys of a file; undefined where there is none. Throws a sentence for a file that is broken. */
export async function readKeys(file: string): Promise<KeyRecord[] | undefined> {
  let text: string;
  try {
    text = await fs.readFile(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return parseKeys(text);
  } catch (error) {
    throw new Error(`${file} cannot be used: ${(error as Error).message}`, { cause: error });
  }
}

/** Replaces the keys by what `edit` makes of them; returns those before, undefined where there was no file. */
export async function editKeys(
  file: string,
  edit: (keys: readonly KeyRecord[]) => readonly KeyRecord[],
): Promise<readonly KeyRecord[] | undefined> {
  await fs.mkdir(path.dirname(file), { recursive: true });
  // A link is kept, and the file behind it replaced.
  const target = await fs.realpath(file).catch(() => file);
  return withLock(`${target}.lock`, async () => {
    const before = await readKeys(target);
    const text = keysToText(edit(before ?? []));
    const owner = await ownerOf(target);
    const staged = await stageFile(target, async fd => {
      fchmodSync(fd, PRIVATE);
      if (owner) fchownSync(fd, owner.uid, owner.gid);
      await writeFully(fd, Buffer.from(text), 0);
    });
    try {
      await staged.publish({ overwrite: true });
    } finally {
      await staged.discard();
    }
    return before;
  });
}

/** Whom the file belongs to when root edits it: its owner, or that of its folder, as which the service runs. */
async function ownerOf(file: string): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  return fs.stat(file).catch(() => fs.stat(path.dirname(file)));
}

async function withLock<T>(lock: string, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const handle = await fs.open(lock, 'wx', PRIVATE);
      await handle.close();
      break;
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
      const stats = await fs.stat(lock).catch(() => undefined);
      if (stats && Date.now() - stats.mtimeMs > LOCK_STALE_MS) await fs.rm(lock, { force: true });
      else await delay(LOCK_WAIT_MS);
    }
  }
  try {
    return await work();
  } finally {
    await fs.rm(lock, { force: true });
  }
}
