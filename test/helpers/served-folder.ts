/** A service over one served folder, and the files that tests put there. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Test } from 'tap';
import { header, npy } from './npy.js';
import { temporaryFolder, type Service } from './server.js';
import { startHere } from './service-here.js';

export type Json = Record<string, unknown>;

/** A .npy of int32 counting from `first`. */
export function counting(first: number, length: number): Buffer {
  const bytes = npy(header('<i4', `(${length},)`), 4 * length);
  for (let i = 0; i < length; i++) bytes.writeInt32LE(first + i, bytes.byteLength - 4 * (length - i));
  return bytes;
}

export interface Served {
  readonly folder: string;
  readonly server: Service;
  readonly put: (name: string, bytes: Uint8Array | string) => void;
  readonly ask: (where: string, init?: RequestInit) => Promise<[number, Json]>;
  readonly names: (query?: string) => Promise<string[]>;
}

interface Options {
  readonly env?: Readonly<Record<string, string>>;
  readonly folder?: string;
  readonly begin?: (t: Test, options: { env: Record<string, string> }) => Promise<Service>;
}

/** Serves a new folder, in the process of the test unless it is to `begin` otherwise. */
export async function serveFolder(
  t: Test,
  { env = {}, folder = temporaryFolder(), begin = startHere }: Options = {},
): Promise<Served> {
  t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }));
  const server = await begin(t, { env: { HYPERSLAB_FOLDERS: folder, ...env } });
  const ask = async (where: string, init?: RequestInit): Promise<[number, Json]> => {
    const answer = await server.fetch(where, init);
    const text = await answer.text();
    return [answer.status, (text === '' ? {} : JSON.parse(text)) as Json];
  };
  return {
    folder,
    server,
    ask,
    put: (name, bytes) => {
      fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      fs.writeFileSync(path.join(folder, name), bytes);
    },
    names: async (query = 'limit=1000') => {
      const [, { datasets }] = await ask(`/v1/datasets?${query}`);
      return (datasets as { name: string }[]).map(({ name }) => name);
    },
  };
}

export async function eventually(work: () => Promise<boolean>, ms = 15_000): Promise<boolean> {
  for (const end = Date.now() + ms; Date.now() < end;) {
    // oxlint-disable-next-line no-await-in-loop
    if (await work()) return true;
    // oxlint-disable-next-line no-await-in-loop
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  return false;
}

/** When a file was changed last, in microseconds. */
export function microsOf(file: string): number {
  return Number(fs.statSync(file, { bigint: true }).ctimeNs / 1000n);
}

/** The digits behind a name that could not stay as it was. */
export function digitsOf(source: string | Buffer): string {
  return createHash('sha256').update(source).digest('hex').slice(0, 8);
}
