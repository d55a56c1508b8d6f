/** What is looked at in a data folder, and what to do about each thing that is found. Nothing is changed. */
import fs from 'node:fs/promises';
import path from 'node:path';
import type { DatasetRecord } from '../dataset/record.js';
import { systemErrorCode } from '../errors.js';
import { LIMITS } from '../limits.js';
import { TEMPORARY_PREFIX } from '../file/atomic.js';
import { descriptorLimit } from '../file/descriptors.js';
import { kindOfFileSystem } from '../file/file-system.js';
import { OWN_ROOMS } from '../file/own-folder.js';
import { Manifests } from '../registry/manifests.js';
import { fileFinding, filesOf } from './check-files.js';
import { journalFindings } from './check-journals.js';
import type { Finding } from './finding.js';
import { sizeText } from './output.js';

const FREE_BYTES_MIN = 1_000_000_000;
const DESCRIPTORS_MIN = 1024;
const MAPS_MIN = 65_530;

/** The whole folder. */
export async function findingsOf(dataDir: string): Promise<Finding[]> {
  const unusable = await accessFindings(dataDir);
  if (unusable.length > 0) return unusable;
  const { records, findings } = await manifestFindings(dataDir);
  return [
    ...(await placeFindings(dataDir)),
    await spaceFinding(dataDir),
    ...(await ownerFindings(dataDir)),
    ...findings,
    ...(await filesFindings(records)),
    ...(await journalFindings(dataDir, records)),
    ...(await leftovers(dataDir, records)),
    ...(await keyFindings(dataDir)),
    ...(await limitFindings()),
  ];
}

/** What keeps all of it from being used. */
async function accessFindings(dataDir: string): Promise<Finding[]> {
  const stats = await fs.stat(dataDir).catch(() => undefined);
  if (!stats?.isDirectory()) {
    const remedy = 'Say where it is with --data-dir; "hyperslab serve" makes a new one.';
    return [{ level: 'bad', about: dataDir, found: stats ? 'is no folder' : 'is not there', remedy }];
  }
  const findings: Finding[] = [];
  for (const room of ['.', ...OWN_ROOMS]) {
    const about = path.join(dataDir, room);
    // oxlint-disable-next-line no-await-in-loop
    const fault = await accessFault(about);
    if (fault === undefined || fault === 'ENOENT') continue;
    const remedy = accessRemedy(fault, dataDir);
    findings.push({ level: 'bad', about, found: `cannot be read and written (${fault})`, remedy });
  }
  return findings;
}

async function placeFindings(dataDir: string): Promise<Finding[]> {
  const { mappable } = await kindOfFileSystem(dataDir);
  if (mappable) return [];
  const remedy =
    'Keep the data folder on a local disk: others may lose what they confirmed, and cannot be mapped safely.';
  return [{ level: 'warning', about: dataDir, found: 'lies on a remote file system', remedy }];
}

async function spaceFinding(dataDir: string): Promise<Finding> {
  const { bavail, bsize, blocks, files, ffree } = await fs.statfs(dataDir);
  const freeBytes = bavail * bsize;
  const hasNoNames = files > 0 && ffree === 0;
  const isLow = freeBytes < FREE_BYTES_MIN || bavail < blocks * 0.02;
  const level = hasNoNames || freeBytes < LIMITS.commitBytesMax ? 'bad' : isLow ? 'warning' : 'ok';
  return {
    level,
    about: dataDir,
    found: hasNoNames ? 'no inodes are free' : `${sizeText(freeBytes)} free`,
    ...(level !== 'ok' && { remedy: 'Free some space: a full disk is answered 507, and nothing can be written.' }),
  };
}

function accessRemedy(fault: string, dataDir: string): string {
  if (fault === 'EROFS') return 'It is mounted read-only: look for disk errors, and mount it writable.';
  const uid = process.getuid?.() ?? 'this user';
  return `Make user ${uid} its owner (chown -R ${uid} ${dataDir}), or run this as the user that serves.`;
}

/** What is owned by another user than the folder: the service, which runs as that one, may not write it. */
async function ownerFindings(dataDir: string): Promise<Finding[]> {
  const { uid } = await fs.stat(dataDir);
  const findings: Finding[] = [];
  for (const room of OWN_ROOMS) {
    for (const name of ['.', ...(await fs.readdir(path.join(dataDir, room)).catch((): string[] => []))]) {
      // oxlint-disable-next-line no-await-in-loop
      const stats = await fs.lstat(path.join(dataDir, room, name)).catch(() => undefined);
      if (!stats || stats.uid === uid) continue;
      findings.push({
        level: 'warning',
        about: path.join(room, name),
        found: `belongs to user ${stats.uid}, the folder to user ${uid}`,
        remedy: `Where the service runs as user ${uid}, it may not write it: chown -R ${uid} ${dataDir}.`,
      });
    }
  }
  return findings;
}

async function accessFault(where: string): Promise<string | undefined> {
  try {
    await fs.access(where, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK);
    return undefined;
  } catch (error) {
    return systemErrorCode(error) ?? 'unknown';
  }
}

async function manifestFindings(dataDir: string): Promise<{ records: DatasetRecord[]; findings: Finding[] }> {
  try {
    const { records, quarantined } = await new Manifests(dataDir).load();
    const damaged = quarantined.map(({ name, reason }): Finding => {
      const remedy = `Put the manifest back from a backup, or forget the dataset (DELETE /v1/datasets/${name}) and register its file again.`;
      return { level: 'bad', about: name, found: reason, remedy };
    });
    return { records, findings: [{ level: 'ok', about: 'catalog', found: `${records.length} datasets` }, ...damaged] };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') {
      return { records: [], findings: [{ level: 'ok', about: 'catalog', found: 'no datasets yet' }] };
    }
    const found = error instanceof Error ? error.message : String(error);
    const remedy = 'Serve the folder with the version that wrote it.';
    return { records: [], findings: [{ level: 'bad', about: 'catalog', found, remedy }] };
  }
}

/** One after the other, in bounded memory: there may be many. */
async function filesFindings(records: readonly DatasetRecord[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const file of records.flatMap(filesOf)) {
    // oxlint-disable-next-line no-await-in-loop
    const found = await fileFinding(file);
    if (found) findings.push(found);
  }
  return findings;
}

/** Arrays that belong to no dataset. */
async function leftovers(dataDir: string, records: readonly DatasetRecord[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  const used = new Set(records.flatMap(record => filesOf(record).map(file => file.path)));
  for (const name of await fs.readdir(path.join(dataDir, 'arrays')).catch((): string[] => [])) {
    const file = path.join(dataDir, 'arrays', name);
    if (name.startsWith(TEMPORARY_PREFIX) || used.has(file)) continue;
    findings.push({
      level: 'warning',
      about: `arrays/${name}`,
      found: 'belongs to no dataset',
      remedy: 'Register it by its path (POST /v1/datasets), or delete it.',
    });
  }
  return findings;
}

async function keyFindings(dataDir: string): Promise<Finding[]> {
  const stats = await fs.stat(path.join(dataDir, 'keys.json')).catch(() => undefined);
  if (!stats || (stats.mode & 0o077) === 0) return [];
  return [
    {
      level: 'warning',
      about: 'keys.json',
      found: 'can be read by other users',
      remedy: `chmod 600 ${path.join(dataDir, 'keys.json')}`,
    },
  ];
}

/** Limits of the kernel. */
async function limitFindings(): Promise<Finding[]> {
  const descriptors = descriptorLimit();
  const maps = Number(await fs.readFile('/proc/sys/vm/max_map_count', 'latin1').catch(() => 'NaN'));
  const isShort = descriptors < DESCRIPTORS_MIN;
  const findings: Finding[] = [
    {
      level: isShort ? 'warning' : 'ok',
      about: 'open files',
      found: `${descriptors} for each process (ulimit -n)`,
      ...(isShort && {
        remedy: 'Raise it (ulimit -n 65536, LimitNOFILE= of systemd): connections and files share it.',
      }),
    },
  ];
  if (!Number.isNaN(maps)) {
    const isLow = maps < MAPS_MIN;
    findings.push({
      level: isLow ? 'warning' : 'ok',
      about: 'vm.max_map_count',
      found: String(maps),
      ...(isLow && { remedy: 'sysctl -w vm.max_map_count=65530: each window of a file is a mapping.' }),
    });
  }
  return findings;
}
