/** Load on one URL over keep-alive connections: wrk where it is installed, else a node process of ours. */
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Ask } from './cases.js';

const run = promisify(execFile);

export const GENERATOR: 'wrk' | 'node' = spawnSync('wrk', ['--version']).error ? 'node' : 'wrk';

/** Requests per second. Throws when an answer was not 2xx, or a connection failed. */
export async function load(url: string, { headers = {} }: Ask, connections: number, seconds: number): Promise<number> {
  if (GENERATOR === 'node') {
    const child = fileURLToPath(new URL('load-child.js', import.meta.url));
    const { stdout } = await run(process.execPath, [child, JSON.stringify({ url, headers, connections, seconds })]);
    return Number(stdout);
  }
  const headerArgs = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const { stdout } = await run('wrk', [
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '--timeout=30s',
    ...headerArgs,
    url,
  ]);
  const perSecond = /Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1];
  if (perSecond === undefined || /Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk ${url}:\n${stdout}`);
  return Number(perSecond);
}
