/** The data folder: one process owns it, and finds its rooms made and tidy. */
import { constants } from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from './config.js';
import { isErrorCode, systemErrorCode } from './errors.js';
import { removeTemporaries } from './file/atomic.js';
import { lockFolder } from './file/folder-lock.js';
import type { KernelLock } from './file/kernel-lock.js';
import { OWN_ROOMS } from './file/own-folder.js';

/** What the kernel may say about the folder → what is wrong, and what to do about it. */
const FAULTS: Readonly<Record<string, (uid: number | undefined, folder: string) => string>> = {
  EACCES: (uid, folder) =>
    `cannot be written by user ${uid} (EACCES). Make that user its owner (chown -R ${uid} ${folder})`,
  EPERM: (uid, folder) =>
    `cannot be written by user ${uid} (EPERM). Make that user its owner (chown -R ${uid} ${folder})`,
  EROFS: uid => `cannot be written by user ${uid} (EROFS): it is mounted read-only. Mount it writable`,
  ENOSPC: () => 'cannot be used: its disk is full (ENOSPC). Free some space',
  EDQUOT: () => 'cannot be used: the disk quota is used up (EDQUOT). Free some space',
  ENOTDIR: () => 'cannot be used: something on its path is no folder (ENOTDIR). Move that away',
  EEXIST: () => 'cannot be used: something else has its name (EEXIST). Move that away',
  ENOENT: () => 'cannot be used: a link on its path leads nowhere (ENOENT). Mend the link',
  EMFILE: () => 'cannot be used: too many files are open (EMFILE). Raise the limit (ulimit -n)',
};

/** Takes the data folder for this process. @throws ConfigError where it cannot be used, FolderInUse */
export async function ownDataDir(asked: string): Promise<{ dataDir: string; lock: KernelLock }> {
  return inFolder(asked, async () => {
    await fsp.mkdir(asked, { recursive: true });
    const dataDir = await fsp.realpath(asked);
    const lock = await lockFolder(dataDir);
    await prepareDataDir(dataDir);
    return { dataDir, lock };
  });
}

/** Does a step of the start that reads and writes the data folder. @throws ConfigError for what the kernel refuses */
export async function inFolder<T>(asked: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const error = isErrorCode(thrown, 'data_folder_refused') ? thrown.cause : thrown;
    const code = systemErrorCode(error);
    if (code === undefined || !(error instanceof Error && 'syscall' in error)) throw error;
    const folder = path.resolve(asked);
    const fault = FAULTS[code]?.(process.getuid?.(), folder) ?? `cannot be used (${code}: ${error.message}). Mend that`;
    throw new ConfigError(
      `The data folder ${folder} ${fault}, or choose another folder with HYPERSLAB_DATA_DIR or --data-dir.`,
      { cause: error },
    );
  }
}

/** Makes the rooms of the data folder, and removes what an interrupted start or write left there. */
async function prepareDataDir(dataDir: string): Promise<void> {
  await fsp.access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  for (const room of OWN_ROOMS) {
    // oxlint-disable-next-line no-await-in-loop
    await fsp.mkdir(path.join(dataDir, room), { recursive: true });
    // oxlint-disable-next-line no-await-in-loop
    await fsp.access(path.join(dataDir, room), constants.R_OK | constants.W_OK | constants.X_OK);
    // oxlint-disable-next-line no-await-in-loop
    await removeTemporaries(path.join(dataDir, room));
  }
}
