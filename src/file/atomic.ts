/**
 * Files that appear whole or not at all: written under a temporary name in the same folder, synced, then renamed and
 * the folder synced. What a crash leaves behind has the temporary prefix and is removed at the next start.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { fail, systemErrorCode } from '../errors.js';
import { closeDescriptor, openDescriptor, syncAll, syncFolder, writeFully } from './io.js';

export const TEMPORARY_PREFIX = '.hyperslab-';

export interface AtomicOptions {
  /** False refuses to replace a file that is there: `exists`. */
  readonly overwrite: boolean;
}

/** Creates `target` from what `fill` writes to the descriptor it is given. */
export async function createAtomically(
  target: string,
  { overwrite }: AtomicOptions,
  fill: (fd: number) => Promise<void>,
): Promise<void> {
  const folder = path.dirname(target);
  const temporary = path.join(folder, `${TEMPORARY_PREFIX}${randomBytes(8).toString('hex')}.tmp`);
  const fd = await openDescriptor(temporary, 'wx+', 0o644);
  try {
    try {
      await fill(fd);
      await syncAll(fd);
    } finally {
      await closeDescriptor(fd);
    }
    if (overwrite) await fs.rename(temporary, target);
    else {
      // link() refuses an existing name, which rename() would replace.
      await fs.link(temporary, target);
      await fs.unlink(temporary);
    }
  } catch (error) {
    await fs.rm(temporary, { force: true });
    if (systemErrorCode(error) === 'EEXIST') {
      fail(
        'exists',
        'A file of this name exists. Register it with `path`, or replace it with mode w+ and overwrite true.',
      );
    }
    throw error;
  }
  await syncFolder(folder);
}

export function writeTextAtomically(target: string, text: string): Promise<void> {
  return createAtomically(target, { overwrite: true }, fd => writeFully(fd, Buffer.from(text), 0));
}

/** Deletes what an interrupted service left behind. */
export async function removeTemporaries(folder: string): Promise<void> {
  for (const name of await fs.readdir(folder)) {
    if (name.startsWith(TEMPORARY_PREFIX)) await fs.rm(path.join(folder, name), { force: true });
  }
}
