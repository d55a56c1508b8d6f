/** Starts that should fail, as whoever starts the service sees them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { SERVER } from '../../src/package-root.js';
import { withoutLoaders } from './server.js';

const REFUSED_MS_MAX = 60_000;

export interface RefusedStart {
  /** Null when it listened, or did not end in time, and was killed. */
  readonly status: number | null;
  readonly stderr: string;
}

/** Starts a service that is expected to end by itself, in an environment of these settings alone. */
export async function startRefused(
  dataDir: string,
  settings: Readonly<Record<string, string>> = {},
  uid?: number,
  { nodeArgs = [], flags = [] }: { readonly nodeArgs?: readonly string[]; readonly flags?: readonly string[] } = {},
): Promise<RefusedStart> {
  const [command, ...args] = withoutLoaders(process.execPath, ...nodeArgs, SERVER, ...flags);
  const child = spawn(command, args, {
    env: { PATH: process.env['PATH'], HYPERSLAB_PORT: '0', HYPERSLAB_DATA_DIR: dataDir, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: REFUSED_MS_MAX,
    killSignal: 'SIGKILL',
    ...(uid !== undefined && { uid, gid: uid }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    if (stdout.includes('hyperslab listens at')) child.kill('SIGKILL');
  });
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stderr };
}
