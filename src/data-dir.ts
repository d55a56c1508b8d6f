/** The data folder: one process owns it, and finds its rooms made and tidy. */
import fsp from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from './config.js';
import { systemErrorCode } from './errors.js';
import { removeTemporaries } from './file/atomic.js';
import { lockFolder } from './file/folder-lock.js';
import type { KernelLock } from './file/kernel-lock.js';

/** Takes the data folder for this process. @throws ConfigError where it cannot be written, FolderInUse */
export async function ownDataDir(asked: string): Promise<{ dataDir: string; lock: KernelLock }> {
  try {
    await fsp.mkdir(asked, { recursive: true });
    const dataDir = await fsp.realpath(asked);
    const lock = await lockFolder(dataDir);
    await prepareDataDir(dataDir);
    return { dataDir, lock };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') throw error;
    throw new ConfigError(
      `The data folder ${path.resolve(asked)} cannot be written by user ${process.getuid?.()} (${code}). ` +
        'Make that user its owner, mount it writable, or set HYPERSLAB_DATA_DIR to another folder.',
    );
  }
}

/** Makes the rooms of the data folder, and removes what an interrupted start or write left there. */
async function prepareDataDir(dataDir: string): Promise<void> {
  for (const room of ['arrays', 'catalog', 'journal']) {
    // oxlint-disable-next-line no-await-in-loop
    await fsp.mkdir(path.join(dataDir, room), { recursive: true });
    // oxlint-disable-next-line no-await-in-loop
    await removeTemporaries(path.join(dataDir, room));
  }
}
