/** The service as `npm start` runs it, under its supervisor and on a fixed port, so that it comes back at its address. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../src/package-root.js';
import { temporaryFolder, withoutLoaders, type TestServer } from '../helpers/server.js';
import { eventually } from '../system/calls.js';

export interface SupervisedServer extends TestServer {
  /** How often the service died of a signal and was started again. */
  deaths(): number;
  /** Resolves when it answers; false when it does not come back. */
  isUp(timeoutMs?: number): Promise<boolean>;
}

const START_MS_MAX = 60_000;

export async function startSupervised(env: Readonly<Record<string, string>> = {}): Promise<SupervisedServer> {
  const dataDir = temporaryFolder();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const [command, ...args] = withoutLoaders(process.execPath, path.join(PACKAGE_ROOT, 'scripts', 'start.mjs'));
  const child = spawn(command, args, {
    env: {
      ...process.env,
      HYPERSLAB_PORT: String(port),
      HYPERSLAB_DATA_DIR: dataDir,
      HYPERSLAB_DEMO: 'off',
      HYPERSLAB_WORKERS: '2',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => log.push(chunk.toString()));
  const answers = async (): Promise<boolean> => {
    try {
      const response = await fetch(`${url}/healthz`);
      await response.text();
      return response.status === 200;
    } catch {
      return false;
    }
  };
  const server: SupervisedServer = {
    url,
    dataDir,
    child,
    log,
    get pid() {
      const children = fs.readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
      return Number(children.trim().split(' ')[0]);
    },
    fetch: (where, init) => fetch(`${url}${where}`, init),
    deaths: () => log.join('').split('the server died of').length - 1,
    isUp: (timeoutMs = START_MS_MAX) => eventually(answers, timeoutMs),
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await once(child, 'exit');
    },
  };
  if (!(await server.isUp())) throw new Error(`the service did not start:\n${log.join('')}`);
  return server;
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
