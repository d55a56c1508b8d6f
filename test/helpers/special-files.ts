/** Files that are not regular, for tests of what may be registered. */
import { spawnSync } from 'node:child_process';
import net from 'node:net';

/** A named pipe; where mkfifo is missing, a socket, which is no regular file either. */
export function makePipe(at: string): void {
  if (spawnSync('mkfifo', [at]).status !== 0) net.createServer().listen(at).unref();
}
