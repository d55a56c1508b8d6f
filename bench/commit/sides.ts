/** Who writes: ours, and what it is compared with, on one disk. Each measurement is a process of its own. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { PACKAGE_ROOT } from '../../src/package-root.js';
import { hasPython, PYTHON } from '../python-child.js';
import { compiled, register, startChild, startService, type Server } from '../servers.js';
import { BLOCK_BYTES, COLUMNS, ROWS } from './blocks.js';

const run = promisify(execFile);
const child = (name: string): string => compiled(`commit/${name}`);

export interface Counted {
  readonly acks: number;
  readonly seconds: number;
  /** Milliseconds from the first byte of a request to the last of its answer, where there are requests. */
  readonly p50?: number;
  readonly p99?: number;
}

export interface Side {
  readonly name: 'ours' | 'fastify' | 'loop' | 'sqlite';
  readonly title: string;
  measure(writers: number, seconds: number): Promise<Counted>;
  stop(): Promise<void>;
}

export interface Ours extends Side {
  /** Syncs of journals so far, where the service counts them. */
  syncs(): Promise<number | undefined>;
}

export async function startOurs(folder: string, logs: string): Promise<Ours> {
  const server = await startService(logs, { HYPERSLAB_DATA_DIR: path.join(folder, 'ours') });
  await register(server, { name: 'blocks', dtype: 'float32', shape: [ROWS, COLUMNS] });
  return {
    name: 'ours',
    title: 'ours',
    ...overHttp(server, '/v1/datasets/blocks/data?slice='),
    async syncs() {
      const text = await (await fetch(`${server.url}/metrics`)).text();
      const found = /^hyperslab_journal_syncs_total (\d+)/m.exec(text)?.[1];
      return found === undefined ? undefined : Number(found);
    },
  };
}

export async function startOthers(folder: string, logs: string): Promise<Side[]> {
  const file = path.join(folder, 'blocks');
  fs.writeFileSync(file, Buffer.alloc(ROWS * BLOCK_BYTES), { flush: true });
  const bare = await startChild(logs, 'bare', port => ({
    command: process.execPath,
    args: [child('bare-fastify.js'), file, String(port)],
  }));
  const others: Side[] = [
    { name: 'fastify', title: 'pwrite + fdatasync behind Fastify', ...overHttp(bare, '/data?slice=') },
    {
      name: 'loop',
      title: 'pwrite + fdatasync, no service',
      ...asProcess(process.execPath, child('pwrite-loop.js'), file),
    },
  ];
  if (hasPython('sqlite3')) {
    const script = path.join(PACKAGE_ROOT, 'bench/commit/sqlite_commits.py');
    others.push({ name: 'sqlite', title: 'SQLite in process', ...asProcess(PYTHON, script, folder) });
  }
  return others;
}

function overHttp(server: Server, where: string): Pick<Side, 'measure' | 'stop'> {
  return { ...asProcess(process.execPath, child('writers-child.js'), server.url + where), stop: () => server.stop() };
}

function asProcess(command: string, script: string, target: string): Pick<Side, 'measure' | 'stop'> {
  return {
    async measure(writers, seconds) {
      const { stdout } = await run(command, [script, target, String(writers), String(seconds)]);
      return JSON.parse(stdout) as Counted;
    },
    stop: () => Promise.resolve(),
  };
}
