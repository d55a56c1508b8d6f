/** `npm run keys -- add --name me --scope read`: builds what is needed, then runs `hyperslab keys`. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, ROOT } from './bootstrap.mjs';

ensureInstalled();
ensureBuilt();
const args = [join(ROOT, 'dist', 'src', 'hyperslab.js'), 'keys', ...process.argv.slice(2)];
process.exit(spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' }).status ?? 1);
