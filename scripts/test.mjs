/**
 * `npm test`: installs and builds what is needed, then runs the compiled tests. Arguments are files or folders of dist:
 * `npm test -- dist/test/dtype.test.js dist/test/layout`.
 */
import { ensureBuilt, ensureInstalled } from './bootstrap.mjs';

ensureInstalled();
ensureBuilt();
await import('./run-tests.mjs');
