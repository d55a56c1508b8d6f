/** Files, and standard input, as bodies of requests. */
import { createReadStream } from 'node:fs';
import fs from 'node:fs/promises';
import { Readable } from 'node:stream';
import { formatOfName, formatRow } from './formats.js';
import { Progress } from './progress.js';
import { ToldError } from './told.js';

export interface Upload {
  readonly init: RequestInit & { duplex: 'half' };
  /** To be called when it was answered. */
  readonly end: () => void;
}

/** The format of what is sent: as it is said, or as the suffix says. @throws ToldError */
export function formatOfUpload(file: string, asked: string | undefined): string {
  if (file === '-' && asked === undefined) throw new ToldError('Standard input does not say its format. Say --format.');
  const format = asked ?? formatOfName(file);
  const { isTaken } = formatRow(format);
  if (!isTaken) throw new ToldError(`${format} is not taken by the service; npy, csv, arrow and others are.`);
  return format;
}

/** A whole file, or `-` for standard input, as a body. */
export async function uploadOf(method: 'PUT' | 'POST', file: string, format: string): Promise<Upload> {
  const stats = file === '-' ? undefined : await statOf(file);
  const progress = new Progress(file, stats?.size);
  const source = stats ? createReadStream(file) : process.stdin;
  const body = Readable.toWeb(Readable.from(progress.through(source))) as ReadableStream;
  const headers: Record<string, string> = { 'content-type': formatRow(format).mediaTypes[0]!.split(';')[0]! };
  // A service that knows the length refuses what does not fit before it is sent.
  if (stats) headers['content-length'] = String(stats.size);
  return { init: { method, headers, body, duplex: 'half' }, end: () => progress.end() };
}

async function statOf(file: string): Promise<{ readonly size: number }> {
  const stats = await fs.stat(file).catch(() => undefined);
  if (!stats?.isFile()) throw new ToldError(`${file} is no file that can be read.`);
  return stats;
}
