/** A real server process on a real socket, over a data folder of its own, for tests that talk HTTP. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { SERVER } from '../../src/package-root.js';

/** What answers, wherever it runs. */
export interface Service {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly dataDir: string;
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

export interface TestServer extends Service {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Everything the process logged so far. */
  readonly log: string[];
  /** Ends the process gracefully (or by another signal) and waits; the folder stays. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface ServerOptions {
  /** Default: a new temporary folder. */
  readonly dataDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments for node, before the script. */
  readonly nodeArgs?: readonly string[];
  /** What the process may have open. */
  readonly descriptorsMax?: number;
  /** Who it runs as; only root can become somebody else. */
  readonly uid?: number;
}

/** A folder below the system's temporary one; the caller removes it. */
export function temporaryFolder(): string {
  return fs.realpathSync(fs.mkdtempSync(path.join(tmpdir(), 'hyperslab-test-')));
}

/** Starts a server and waits until it listens. The caller stops it. */
export async function startServer({
  dataDir = temporaryFolder(),
  env = {},
  nodeArgs = [],
  descriptorsMax,
  uid,
}: ServerOptions = {}): Promise<TestServer> {
  const limited = descriptorsMax === undefined ? [] : ['sh', '-c', `ulimit -n ${descriptorsMax}; exec "$0" "$@"`];
  const [command, ...args] = withoutLoaders(...limited, process.execPath, ...nodeArgs, SERVER);
  const child = spawn(command, args, {
    env: {
      ...withoutSettings(process.env),
      HYPERSLAB_PORT: '0',
      HYPERSLAB_DATA_DIR: dataDir,
      HYPERSLAB_WORKERS: '2',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  const log: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => log.push(chunk.toString()));
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', code =>
      reject(new Error(`the server ended with ${code} before it listened:\n${log.join('\n')}`)),
    );
    createInterface({ input: child.stdout }).on('line', line => {
      log.push(line);
      const listening = /hyperslab listens at (\S+?)"/.exec(line);
      if (listening) resolve(listening[1]!);
    });
  });
  child.removeAllListeners('exit');
  return {
    url,
    dataDir,
    child,
    pid: child.pid!,
    log,
    fetch: (where, init) => fetch(`${url}${where}`, init),
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await once(child, 'exit');
      if (signal === 'SIGTERM' && child.exitCode !== 0) {
        throw new Error(
          `the server ended with ${child.exitCode ?? child.signalCode} when it was stopped:\n${log.join('\n')}`,
        );
      }
    },
  };
}

/** A server that ends, with its folder, when the test does. */
export async function start(t: Test, options: ServerOptions = {}): Promise<TestServer> {
  const server = await startServer(options);
  t.teardown(async () => {
    await server.stop();
    fs.rmSync(server.dataDir, { recursive: true, force: true });
  });
  return server;
}

/**
 * A command that runs another one as users do: without what NODE_OPTIONS preloads into tests. The shell drops that and is
 * replaced, so that the process id is that of the command.
 */
export function withoutLoaders(...command: string[]): [string, ...string[]] {
  return ['sh', '-c', 'unset NODE_OPTIONS; exec "$0" "$@"', ...command];
}

function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('HYPERSLAB_')));
}
