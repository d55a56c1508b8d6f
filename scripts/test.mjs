/**
 * `npm test`: installs and builds what is needed, then runs tap on the compiled tests (.taprc says how). Arguments are
 * passed on: `npm test -- dist/test/dtype.test.js` runs one file.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, INSTALL_STAMP, ROOT } from './bootstrap.mjs';

const TAP_STAMP = join(ROOT, 'node_modules/.hyperslab-tap-built');

ensureInstalled();
ensureBuilt();
ensureTapBuilt();
process.exit(tap(process.argv.slice(2)));

/**
 * tap generates its test class from its list of plugins, and would notice ours only during the first run, which then
 * fails. Once per installation is enough.
 */
function ensureTapBuilt() {
  const wanted = readFileSync(join(ROOT, INSTALL_STAMP), 'utf8') + readFileSync(join(ROOT, '.taprc'), 'utf8');
  if (existsSync(TAP_STAMP) && readFileSync(TAP_STAMP, 'utf8') === wanted) return;
  const status = tap(['build']);
  if (status !== 0) process.exit(status);
  writeFileSync(TAP_STAMP, wanted);
}

function tap(args) {
  const cli = join('node_modules', 'tap', 'dist', 'esm', 'run.mjs');
  // Without a terminal, tap's reporters redraw their progress into the log unless told that nobody watches.
  const env = process.stdout.isTTY ? process.env : { CI: 'true', ...process.env };
  return spawnSync(process.execPath, [cli, ...args], { cwd: ROOT, env, stdio: 'inherit' }).status ?? 1;
}
