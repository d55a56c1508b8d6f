/**
 * Preloaded into a server (`--import`), it kills the process with SIGKILL right before its Nth call that changes a
 * disk. HYPERSLAB_TEST_KILL_AT says which; the calls before it are counted on every way that the service takes.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const killAt = Number(process.env['HYPERSLAB_TEST_KILL_AT']);
let steps = 0;

type AnyCall = (...args: unknown[]) => unknown;

function wrap(table: object, name: string): void {
  const calls = table as Record<string, AnyCall>;
  const original = calls[name]!;
  calls[name] = function step(this: unknown, ...args: unknown[]): unknown {
    // Standard output is no disk.
    if (args[0] !== 1 && args[0] !== 2 && ++steps === killAt) process.kill(process.pid, 'SIGKILL');
    return original.apply(this, args);
  };
}

for (const name of ['write', 'writeSync', 'ftruncate', 'ftruncateSync', 'fdatasync', 'fsync']) wrap(fs, name);
for (const name of ['rename', 'link', 'rm', 'writeFile']) wrap(fs.promises, name);
syncBuiltinESMExports();
