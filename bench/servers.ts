/** Servers as child processes, each on a port of its own; stopped by their own handles. Ours first. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SERVER } from '../src/package-root.js';

export interface Server {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface Place {
  /** Temporary; holds the data file, logs and configurations. */
  readonly folder: string;
  readonly dataFile: string;
}

const START_MS_MAX = 20_000;
export const compiled = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/**
 * The service with its defaults, on a data folder of its own.
 * @param within puts a command where it has to run: into a control group, for example
 */
export function startService(
  folder: string,
  env: Readonly<Record<string, string>> = {},
  within: (command: string, args: readonly string[]) => readonly [string, ...string[]] = (...all) =>
    all.flat() as [string],
): Promise<Server> {
  const [command, ...args] = within(process.execPath, [SERVER]);
  return startChild(folder, 'ours', port => ({
    command,
    args,
    env: { HYPERSLAB_PORT: String(port), HYPERSLAB_DATA_DIR: path.join(folder, 'ours'), ...env },
  }));
}

/** Registers a file, or makes an array: the body of POST /v1/datasets. */
export async function register(
  { url }: Server,
  dataset: { readonly name: string; readonly [member: string]: unknown },
): Promise<void> {
  const response = await fetch(`${url}/v1/datasets`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(dataset),
  });
  if (response.status !== 201) throw new Error(`registering ${dataset.name}: ${await response.text()}`);
}

interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts a process that listens on a port that was free a moment ago, and waits until it accepts connections.
 * @param folder for its log
 */
export async function startChild(folder: string, name: string, commandFor: (port: number) => Command): Promise<Server> {
  const port = await freePort();
  const { command, args, env } = commandFor(port);
  const logFile = path.join(folder, `${name}.log`);
  const log = fs.openSync(logFile, 'w');
  const child = spawn(command, args, { env: { ...withoutSettings(process.env), ...env }, stdio: ['ignore', log, log] });
  fs.closeSync(log);
  for (const deadline = Date.now() + START_MS_MAX; !(await accepts(port)); await sleep(50)) {
    if (child.exitCode === null && Date.now() < deadline) continue;
    await stop(child);
    throw new Error(`${name} did not start:\n${fs.readFileSync(logFile, 'utf8')}`);
  }
  return { url: `http://127.0.0.1:${port}`, pid: child.pid!, stop: () => stop(child) };
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

/** Settings of the caller's shell would change what is measured. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('HYPERSLAB_')));
}

async function freePort(): Promise<number> {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as net.AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = net.connect(port, '127.0.0.1');
    const settle = (value: boolean): void => {
      socket.destroy();
      resolve(value);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}
