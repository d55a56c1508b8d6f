/**
 * `hyperslab backup FOLDER`: a copy of a data folder that can be served elsewhere, also while a service has it. Files are
 * brought up to date and copied; those whose datasets moved meanwhile are copied again. Journals are empty then
 * and stay behind; only those that could not be replayed go with their files. Hard links are never made: arrays are written in place, and a link would be.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { readConfig, SETTINGS } from '../config.js';
import type { DatasetRecord } from '../dataset/record.js';
import { FolderInUse, lockFolder } from '../file/folder-lock.js';
import type { KernelLock } from '../file/kernel-lock.js';
import { Manifests } from '../registry/manifests.js';
import { filesOf } from './check-files.js';
import { findingsOf } from './checks.js';
import { syncTree } from './copy-file.js';
import { copyAll, type Summary } from './copy-tree.js';
import { dataDirOf } from './doctor.js';
import { checkIsTheirs, flushed, standingsOf, type Standings } from './live-folder.js';
import { note, print, printJson, sizeText, type OutputOptions } from './output.js';
import { Service, withService, type ServiceOptions } from './service.js';
import { ToldError } from './told.js';

interface Options extends ServiceOptions, OutputOptions {
  readonly dataDir?: string;
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
    .flatMap(filesOf)
    .filter(file => !isIn(to, file))
    .map(({ name, path: file }) => ({ name, file }));
  const bad = (await findingsOf(to)).filter(
    ({ level, about }) => level === 'bad' && about !== to && !outside.some(({ name }) => name === about),
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
  const { records } = await loaded(from);
  const [file] = await copyAll(from, to, summary, { journals: journalsOf(records, from) });
  if (file === undefined) return;
  throw new ToldError(`${file} was changed by another program while it was copied. Pause that program, and repeat.`);
}

/** Copies what has moved since the round before, until nothing has. */
async function copyLive(from: string, to: string, summary: Summary, service: Service): Promise<void> {
  let stale: ReadonlySet<string> | undefined;
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    // oxlint-disable no-await-in-loop -- Each step needs the one before it.
    const { records } = await loaded(from);
    const own = ownOf(records, from);
    if (round === 1) checkIsTheirs(records, await standingsOf(service, records), service.url);
    else note('Some datasets were written meanwhile: they are copied again.');
    const left = await flushedAll(service, own, stale);
    const before = await standingsOf(service, own);
    const differing = await copyAll(from, to, summary, { stale, journals: journalsOf(left, from) });
    const present = ownOf((await loaded(from)).records, from);
    const after = await standingsOf(service, present);
    // oxlint-enable no-await-in-loop
    if (sameStandings(before, after) && differing.length === 0) return;
    const moved = present.filter(({ name }) => before.get(name) !== after.get(name));
    stale = new Set([...moved.flatMap(filesOf).map(file => file.path), ...differing]);
  }
  const named = [...(stale ?? [])][0] ?? from;
  throw new ToldError(
    `${named} is written all the time: no copy of it is consistent. Pause who writes it, and repeat.`,
  );
}

/** Returns those whose journals could not be emptied. */
async function flushedAll(
  service: Service,
  records: readonly DatasetRecord[],
  stale: ReadonlySet<string> | undefined,
): Promise<DatasetRecord[]> {
  const left: DatasetRecord[] = [];
  for (const record of records) {
    if (stale && !filesOf(record).some(file => stale.has(file.path))) continue;
    // oxlint-disable-next-line no-await-in-loop
    if (!(await flushed(service, record.name))) left.push(record);
  }
  return left;
}

function loaded(folder: string): ReturnType<Manifests['load']> {
  return new Manifests(folder).load();
}

/** Those that have a file in the folder. */
function ownOf(records: readonly DatasetRecord[], folder: string): DatasetRecord[] {
  return records.filter(record => filesOf(record).some(file => isIn(folder, file)));
}

function isIn(folder: string, { path: file }: DatasetRecord): boolean {
  return file.startsWith(`${folder}/`);
}

/** The journals of their files in the folder, if they have any, relative to it. */
function journalsOf(records: readonly DatasetRecord[], folder: string): ReadonlySet<string> {
  const files = records.flatMap(filesOf).filter(file => isIn(folder, file));
  return new Set(files.map(({ fileId }) => `journal/${fileId}.journal`));
}

function sameStandings(one: Standings, other: Standings): boolean {
  return one.size === other.size && [...one].every(([name, standing]) => other.get(name) === standing);
}
