/** One process per data folder, by a lock of the kernel. A file in the folder names the process for whoever is refused. */
import fs from 'node:fs';
import path from 'node:path';
import { tryKernelLock, type KernelLock } from './kernel-lock.js';

const LOCK_FILE = 'lock';

/** Thrown with a sentence for whoever starts the service. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';
}

/** Takes the folder for this process. @throws FolderInUse */
export async function lockFolder(folder: string): Promise<KernelLock> {
  const file = path.join(folder, LOCK_FILE);
  const fd = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o644);
  const lock = await tryKernelLock({ folder, purpose: 'data', fd });
  if (!lock) failInUse(folder, file);
  notePid(fd);
  return lock;
}

/** For the message that another process will give. A full disk is no reason not to start. */
function notePid(fd: number): void {
  try {
    fs.ftruncateSync(fd);
    fs.writeSync(fd, `${process.pid}\n`, 0);
  } catch {
    // The message will name no process.
  }
}

function failInUse(folder: string, file: string): never {
  const owner = /^\d+/.exec(fs.readFileSync(file, 'latin1'))?.[0];
  throw new FolderInUse(
    `The data folder ${folder} is in use by another Hyperslab${owner ? ` (process ${owner})` : ''}. ` +
      'Stop that one first, or choose another folder with HYPERSLAB_DATA_DIR or --data-dir.',
  );
}
