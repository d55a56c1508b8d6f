/**
 * Copying a data folder as a tree: arrays where they have moved, manifests and counters always, and what is gone goes from
 * the copy, too. Each file is compared with what it was copied from.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { systemErrorCode } from '../errors.js';
import { TEMPORARY_PREFIX } from '../file/atomic.js';
import { copyFile, isSameFile } from './copy-file.js';
import { checkInterrupted } from './interrupted.js';
import { Progress } from './progress.js';

/** What was copied. */
export interface Summary {
  files: number;
  bytes: number;
  reflinks: number;
  rounds: number;
}

/** What is copied: arrays only where they are `stale`, if that is said; these journals. */
export interface Round {
  readonly stale?: ReadonlySet<string> | undefined;
  readonly journals: ReadonlySet<string>;
}

/**
 * Copies the tree; arrays only where they are `stale`, all else always. What is gone goes from the copy, too.
 * Returns the files that changed while they were copied.
 */
export async function copyAll(
  from: string,
  to: string,
  summary: Summary,
  { stale, journals }: Round,
): Promise<string[]> {
  summary.rounds++;
  const progress = new Progress('Copying', stale ? undefined : await bytesIn(from, journals));
  const present = new Set<string>();
  const differing: string[] = [];
  for await (const relative of filesIn(from, journals)) {
    checkInterrupted();
    const [source, target] = [path.join(from, relative), path.join(to, relative)];
    const before = await sizeOf(target);
    const isSmall = relative.startsWith('catalog/') || relative.startsWith('journal/');
    present.add(relative);
    if (stale && !isSmall && !stale.has(source) && before !== undefined) continue;
    try {
      if ((await copyFile(source, target)) === 'reflink') summary.reflinks++;
      if (!(await isSameFile(source, target))) differing.push(source);
      if (before === undefined) summary.files++;
      const bytes = (await sizeOf(target)) ?? 0;
      summary.bytes += bytes - (before ?? 0);
      progress.count(bytes);
    } catch (error) {
      // It went away while the folder was read.
      if (systemErrorCode(error) !== 'ENOENT') throw error;
      present.delete(relative);
    }
  }
  progress.end();
  for await (const relative of filesIn(to, journals)) {
    if (!present.has(relative)) await fs.rm(path.join(to, relative), { force: true });
  }
  return differing;
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await fs.stat(file).catch(() => undefined))?.size;
}

async function bytesIn(folder: string, journals: ReadonlySet<string>): Promise<number> {
  let bytes = 0;
  for await (const relative of filesIn(folder, journals)) bytes += (await sizeOf(path.join(folder, relative))) ?? 0;
  return bytes;
}

/** Regular files below a folder, relative to it, without what belongs to one process alone; of journals those named. */
async function* filesIn(folder: string, journals: ReadonlySet<string>, below = ''): AsyncGenerator<string> {
  for (const entry of await fs.readdir(path.join(folder, below), { withFileTypes: true })) {
    const relative = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.name.startsWith(TEMPORARY_PREFIX) || relative === 'lock') continue;
    if (below === 'journal' && entry.name.endsWith('.journal') && !journals.has(relative)) continue;
    if (entry.isDirectory()) yield* filesIn(folder, journals, relative);
    else if (entry.isFile()) yield relative;
  }
}
