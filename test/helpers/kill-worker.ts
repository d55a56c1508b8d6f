/**
 * Preloaded into a server (`--import`), which hands it on to its worker threads: a thread ends in the middle of a task,
 * at its next positional read, for each file task-… in the folder HYPERSLAB_TEST_KILL_WORKERS, or before it is ready
 * for a task, for each file start-… The file is gone afterwards. Works where files are read positionally (HYPERSLAB_MAPPING=positional).
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';

const folder = process.env['HYPERSLAB_TEST_KILL_WORKERS']!;

/** True for one thread per file. */
function isDoomed(when: 'start' | 'task'): boolean {
  for (const name of fs.readdirSync(folder)) {
    if (!name.startsWith(when)) continue;
    try {
      fs.unlinkSync(path.join(folder, name));
      return true;
    } catch {
      // Another thread was faster.
    }
  }
  return false;
}

if (!isMainThread) {
  // This ends the thread, not the process.
  if (isDoomed('start')) process.exit(70);
  const { readSync } = fs;
  fs.readSync = ((...args: Parameters<typeof fs.readSync>) => {
    // Modules are loaded without a position.
    if (typeof args.at(4) === 'number' && isDoomed('task')) process.exit(70);
    return readSync(...args);
  }) as typeof fs.readSync;
  syncBuiltinESMExports();
}
