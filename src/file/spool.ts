/**
 * A file without a name: it is gone with its descriptor, whatever happens to the process. For bodies that are too large for
 * memory and are read more than once.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { TEMPORARY_PREFIX } from './atomic.js';
import { openDescriptor } from './io.js';
import { inOwnFolder } from './own-folder.js';
import { translated } from './system-errors.js';

/** The descriptor of a new, empty file in a folder of the service's own; whoever has it must close it. */
export function openSpool(folder: string): Promise<number> {
  return translated(() =>
    inOwnFolder(async () => {
      // What a crash leaves between these two steps has the prefix of what is removed at the next start.
      const file = path.join(folder, `${TEMPORARY_PREFIX}${randomBytes(8).toString('hex')}.tmp`);
      const fd = await openDescriptor(file, 'wx+', 0o600);
      await fs.rm(file, { force: true });
      return fd;
    }),
  );
}
