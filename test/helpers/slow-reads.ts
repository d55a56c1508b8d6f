/**
 * Preloaded into a server (`--import`), which hands it on to its worker threads: each positional read of a worker takes
 * HYPERSLAB_TEST_READ_MS, and adds a byte to the file HYPERSLAB_TEST_READS. Statistics of small arrays take as long as
 * those of large ones then, and their reads can be counted.
 * Works where files are read positionally (HYPERSLAB_MAPPING=positional).
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const ms = Number(process.env['HYPERSLAB_TEST_READ_MS']);
const file = process.env['HYPERSLAB_TEST_READS']!;
const never = new Int32Array(new SharedArrayBuffer(4));

if (!isMainThread) {
  const { readSync } = fs;
  fs.readSync = ((...args: Parameters<typeof fs.readSync>) => {
    // Modules are loaded without a position.
    if (typeof args.at(4) === 'number') {
      fs.appendFileSync(file, '.');
      Atomics.wait(never, 0, 0, ms);
    }
    return readSync(...args);
  }) as typeof fs.readSync;
  syncBuiltinESMExports();
}
