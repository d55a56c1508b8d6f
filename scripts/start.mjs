/**
 * `npm start`: installs and builds what is needed, then does what `hyperslab` does. Arguments are passed on:
 * `npm start -- --port 9000`.
 */
import { ensureBuilt, ensureInstalled, ROOT } from './bootstrap.mjs';

/** Taken before the installation, which takes long enough for somebody to kill npm. */
const parent = process.ppid;

ensureInstalled();
ensureBuilt();
process.chdir(ROOT);
const { supervise } = await import('../dist/src/process/supervisor.js');
process.exit(
  await supervise({
    args: process.argv.slice(2),
    env: { HYPERSLAB_DEMO: 'auto', ...process.env },
    parent,
  }),
);
