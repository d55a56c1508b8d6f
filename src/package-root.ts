/** Where things of the package are. This file, compiled, is two folders below that of package.json, bundled or not. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** The server's program: in few files, as it is shipped; else, in a build that was changed afterwards, as it was compiled. */
export const SERVER = ['dist/bundle/server.js', 'dist/src/server.js']
  .map(each => path.join(PACKAGE_ROOT, each))
  .find(each => existsSync(each))!;
