/** Servers as child processes, each on a port of its own; stopped by their own handles. Ours first. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

export interface Place {
  /** Temporary; holds the data file, logs and configurations. */
  readonly folder: string;
  readonly dataFile: string;
}

const START_MS_MAX = 20_000;
export const compiled = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The service with its defaults, the file registered in place, read-only. */
export async function startOurs(place: Place, shape: readonly number[]): Promise<Server> {
  const server = await startChild(place, 'ours', port => ({
    command: process.execPath,
    args: [compiled('../src/server.js')],
    env: {
      HYPERSLAB_PORT: String(port),
      HYPERSLAB_DATA_DIR: path.join(place.folder, 'ours'),
      HYPERSLAB_ROOTS: place.folder,
    },
  }));
  const response = await fetch(`${server.url}/v1/datasets`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'big', path: place.dataFile, format: 'raw', dtype: 'float32', shape, mode: 'r' }),
  });
  if (response.status !== 201) throw new Error(`registering the data file: ${await response.text()}`);
  return server;
}

interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a process that listens on a port that was free a moment ago, and waits until it accepts connections. */
export async function startChild(place: Place, name: string, commandFor: (port: number) => Command): Promise<Server> {
  const port = await freePort();
  const { command, args, env } = commandFor(port);
  const logFile = path.join(place.folder, `${name}.log`);
  const log = fs.openSync(logFile, 'w');
  const child = spawn(command, args, { env: { ...withoutSettings(process.env), ...env }, stdio: ['ignore', log, log] });
  fs.closeSync(log);
  for (const deadline = Date.now() + START_MS_MAX; !(await accepts(port)); await sleep(50)) {
    if (child.exitCode === null && Date.now() < deadline) continue;
    await stop(child);
    throw new Error(`${name} did not start:\n${fs.readFileSync(logFile, 'utf8')}`);
  }
  return { url: `http://127.0.0.1:${port}`, stop: () => stop(child) };
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
