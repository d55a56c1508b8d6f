/** Somebody else, for tests of what files and folders refuse to whoever runs the service. */
import { spawnSync } from 'node:child_process';
import { SERVER } from '../../src/package-root.js';
import { withoutLoaders } from './server.js';

/** Nobody's account on most systems; any number but ours would do. */
export const OTHER_USER = 65_534;

/** Why no test here can start a service as somebody else, or false where one can. */
export const noOtherUser: string | false = findReason();

function findReason(): string | false {
  if (process.geteuid?.() !== 0) return 'needs root, to start the service as somebody else';
  // Node, or this folder, may lie in a folder that only its owner may enter.
  const look = `fs.accessSync(${JSON.stringify(SERVER)}, fs.constants.R_OK)`;
  const [command, ...args] = withoutLoaders(process.execPath, '--eval', look);
  const { status } = spawnSync(command, args, { uid: OTHER_USER, gid: OTHER_USER, stdio: 'ignore' });
  return status !== 0 && 'needs Node and this folder where another user may read them';
}
