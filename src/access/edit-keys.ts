/**
 * Changing the key file: under a lock, so that two commands at a time do not undo one another, and whole or not at all. Hazard: the new file must be as private as the old one, and belong to the owner of the folder when root makes it.
 */
import { fchmodSync, fchownSync, openSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemErrorCode } from '../errors.js';
import { publishNow, stageFile } from '../file/atomic.js';
import { writeFully } from '../file/io.js';
import { tryKernelLock } from '../file/kernel-lock.js';
import { keysToText, parseKeys, type KeyRecord } from './keys.js';

const LOCK_WAIT_MS = 50;
/** An edit takes milliseconds: whoever has the lock for so long was stopped, and may be told to go on or to end. */
const LOCK_WAIT_MS_MAX = 10_000;
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
  return withLock(target, async () => {
    const before = await readKeys(target);
    const text = keysToText(edit(before ?? []));
    const owner = await ownerOf(target);
    const staging = stageFile(target, async fd => {
      fchmodSync(fd, PRIVATE);
      if (owner) fchownSync(fd, owner.uid, owner.gid);
      await writeFully(fd, Buffer.from(text), 0);
    });
    await publishNow(staging);
    return before;
  });
}

/** Whom the file belongs to when root edits it: its owner, or that of its folder, as which the service runs. */
async function ownerOf(file: string): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  return fs.stat(file).catch(() => fs.stat(path.dirname(file)));
}

/** Of the folder: the file is replaced by every edit. */
async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const folder = path.dirname(file);
  const deadline = performance.now() + LOCK_WAIT_MS_MAX;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop
    const lock = await tryKernelLock({ folder, purpose: 'keys', fd: openSync(folder, 'r') });
    if (lock) return work().finally(() => lock.release());
    if (performance.now() > deadline)
      throw new Error(`another command has been editing ${file} for long; end it first`);
    // oxlint-disable-next-line no-await-in-loop
    await delay(LOCK_WAIT_MS);
  }
}
