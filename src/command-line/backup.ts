/**
 * `hyperslab backup FOLDER`: a copy of a data folder that can be served elsewhere, also while a service has it. Files are
 * brought up to date and copied; those whose datasets moved meanwhile are copied again. Journals stay behind: they belong
 * to the files that they were written for. Hard links are never made: arrays are written in place, and a link would be.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { readConfig, SETTINGS } from '../config.js';
import { systemErrorCode } from '../errors.js';
import { TEMPORARY_PREFIX } from '../file/atomic.js';
import { FolderInUse, lockFolder } from '../file/folder-lock.js';
import type { KernelLock } from '../file/kernel-lock.js';
import { Manifests } from '../registry/manifests.js';
import { findingsOf } from './checks.js';
import { copyFile, isSameFile, syncTree } from './copy-file.js';
import { dataDirOf } from './doctor.js';
import { checkIsTheirs, flushed, standingsOf, type Standings } from './live-folder.js';
import { note, print, printJson, sizeText, type OutputOptions } from './output.js';
import { Service, withService, type ServiceOptions } from './service.js';
import { ToldError } from './told.js';

interface Options extends ServiceOptions, OutputOptions {
  readonly dataDir?: string;
}

/** What was copied. */
interface Summary {
  files: number;
  bytes: number;
  reflinks: number;
  rounds: number;
}

/** Datasets that are written all the time are given up then. */
const ROUNDS_MAX = 8;

export function command(): Command {
  return withService(new Command('backup'))
    .summary('copy a data folder, also while it is served')
    .description(
      'Copies the data folder to a new folder, which can be served as it is, and compares each file. Where a service has the folder, it is asked to bring its files up to date (--url, and a key that may write). Files outside the data folder are named, not copied.',
    )
    .argument('<folder>', 'the copy: a name for a new folder')
    .option('--data-dir <folder>', 'the data folder; HYPERSLAB_DATA_DIR, else ./data')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  hyperslab backup /backups/2026-12-01 --data-dir /srv/hyperslab')
    .action(backup);
}

async function backup(folder: string, options: Options): Promise<void> {
  const from = await realFolder(dataDirOf(options.dataDir));
  const to = path.resolve(folder);
  await checkTarget(from, to);
  const partial = `${to}.part`;
  await fs.rm(partial, { recursive: true, force: true });
  const lock = await lockOf(from);
  const summary: Summary = { files: 0, bytes: 0, reflinks: 0, rounds: 0 };
  try {
    await fs.mkdir(partial, { recursive: true, mode: 0o700 });
    if (lock) await copyStill(from, partial, summary);
    else await copyLive(from, partial, summary, new Service(options));
    for (const room of ['arrays', 'catalog', 'journal']) await fs.mkdir(path.join(partial, room), { recursive: true });
    await syncTree(partial);
    await fs.rename(partial, to);
  } catch (error) {
    await fs.rm(partial, { recursive: true, force: true });
    throw error;
  } finally {
    lock?.release();
  }
  await tell(from, to, summary, lock === undefined, options);
}

async function tell(from: string, to: string, summary: Summary, isLive: boolean, { json }: Options): Promise<void> {
  const { records } = await new Manifests(to).load();
  const outside = records
    .filter(({ path: file }) => !file.startsWith(`${to}/`))
    .map(({ name, path: file }) => ({ name, file }));
  const bad = (await findingsOf(to)).filter(
    ({ level, about }) => level === 'bad' && !outside.some(({ name }) => name === about),
  );
  if (json) printJson({ folder: to, ...summary, live: isLive, outside, bad });
  else {
    const shared = summary.reflinks > 0 ? `, ${summary.reflinks} of them by sharing blocks` : '';
    print(
      `${from} was copied to ${to}: ${summary.files} files, ${sizeText(summary.bytes)}${shared}; each was compared.\n`,
    );
    for (const { name, file } of outside) note(`${name} lies outside, and was not copied: ${file}`);
    for (const { about, found } of bad) note(`${about} cannot be served, there as here: ${found}`);
  }
}

async function realFolder(folder: string): Promise<string> {
  return fs.realpath(folder).catch(() => {
    throw new ToldError(`There is no data folder ${folder}. Say where it is with --data-dir.`);
  });
}

async function checkTarget(from: string, to: string): Promise<void> {
  if (to === from || to.startsWith(`${from}/`))
    throw new ToldError(`${to} lies in the data folder itself. Choose another place.`);
  const entries = await fs.readdir(to).catch(() => undefined);
  if (entries && entries.length > 0) throw new ToldError(`${to} is not empty. Choose a name for a new folder.`);
}

/** The folder for this command, its journals replayed; undefined where a service has it. */
async function lockOf(from: string): Promise<KernelLock | undefined> {
  const lock = await locked(from);
  const journals = await fs.readdir(path.join(from, 'journal')).catch((): string[] => []);
  if (!lock || !journals.some(name => name.endsWith('.journal'))) return lock;
  // A service that was ended by force left its last commits there: a start and a stop bring the files up to date.
  lock.release();
  const texts = { [SETTINGS.dataDir.name]: from, [SETTINGS.roots.name]: process.env[SETTINGS.roots.name] ?? '' };
  const { buildApp } = await import('../app.js');
  const { app } = await buildApp(readConfig({}, texts), false);
  await app.close();
  return locked(from);
}

async function locked(from: string): Promise<KernelLock | undefined> {
  try {
    return await lockFolder(from);
  } catch (error) {
    if (error instanceof FolderInUse) return undefined;
    throw error;
  }
}

/** Copies a folder that no service has. */
async function copyStill(from: string, to: string, summary: Summary): Promise<void> {
  const [file] = await copyAll(from, to, summary, undefined);
  if (file === undefined) return;
  throw new ToldError(`${file} was changed by another program while it was copied. Pause that program, and repeat.`);
}

/** Copies what has moved since the round before, until nothing has. */
async function copyLive(from: string, to: string, summary: Summary, service: Service): Promise<void> {
  let stale: ReadonlySet<string> | undefined;
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    // oxlint-disable no-await-in-loop -- Each step needs the one before it.
    const { records } = await new Manifests(from).load();
    if (round === 1) checkIsTheirs(records, await standingsOf(service), service.url);
    else note('Some datasets were written meanwhile: they are copied again.');
    const asked = records.filter(({ path: file }) => stale === undefined || stale.has(file));
    for (const { name } of asked) await flushed(service, name);
    const before = await standingsOf(service);
    const differing = await copyAll(from, to, summary, stale);
    const after = await standingsOf(service);
    // oxlint-enable no-await-in-loop
    if (sameStandings(before, after) && differing.length === 0) return;
    const moved = records.filter(({ name }) => before.get(name) !== after.get(name));
    stale = new Set([...moved.map(record => record.path), ...differing]);
  }
  const named = [...(stale ?? [])][0] ?? from;
  throw new ToldError(
    `${named} is written all the time: no copy of it is consistent. Pause who writes it, and repeat.`,
  );
}

function sameStandings(one: Standings, other: Standings): boolean {
  return one.size === other.size && [...one].every(([name, standing]) => other.get(name) === standing);
}

/**
 * Copies the tree; arrays only where they are `stale`, all else always. What is gone goes from the copy, too.
 * Returns the files that changed while they were copied.
 */
async function copyAll(
  from: string,
  to: string,
  summary: Summary,
  stale: ReadonlySet<string> | undefined,
): Promise<string[]> {
  summary.rounds++;
  const present = new Set<string>();
  const differing: string[] = [];
  for await (const relative of filesIn(from, '')) {
    const [source, target] = [path.join(from, relative), path.join(to, relative)];
    const before = await sizeOf(target);
    const isSmall = relative.startsWith('catalog/') || relative.startsWith('journal/');
    present.add(relative);
    if (stale && !isSmall && !stale.has(source) && before !== undefined) continue;
    try {
      if ((await copyFile(source, target)) === 'reflink') summary.reflinks++;
      if (!(await isSameFile(source, target))) differing.push(source);
      if (before === undefined) summary.files++;
      summary.bytes += ((await sizeOf(target)) ?? 0) - (before ?? 0);
    } catch (error) {
      // It went away while the folder was read.
      if (systemErrorCode(error) !== 'ENOENT') throw error;
      present.delete(relative);
    }
  }
  for await (const relative of filesIn(to, '')) {
    if (!present.has(relative)) await fs.rm(path.join(to, relative), { force: true });
  }
  return differing;
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await fs.stat(file).catch(() => undefined))?.size;
}

/** Regular files below a folder, relative to it, without what belongs to one process alone. */
async function* filesIn(folder: string, below: string): AsyncGenerator<string> {
  for (const entry of await fs.readdir(path.join(folder, below), { withFileTypes: true })) {
    const relative = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.name.startsWith(TEMPORARY_PREFIX)) continue;
    if (relative === 'lock' || (below === 'journal' && entry.name.endsWith('.journal'))) continue;
    if (entry.isDirectory()) yield* filesIn(folder, relative);
    else if (entry.isFile()) yield relative;
  }
}
