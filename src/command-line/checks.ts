/** What is looked at in a data folder, and what to do about each thing that is found. Nothing is changed. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { isWritable, geometryOf, type DatasetRecord } from '../dataset/record.js';
import { systemErrorCode } from '../errors.js';
import { TEMPORARY_PREFIX } from '../file/atomic.js';
import { descriptorLimit } from '../file/descriptors.js';
import { kindOfFileSystem } from '../file/file-system.js';
import { OWN_ROOMS } from '../file/own-folder.js';
import { shapeInHeader } from '../registry/inspect.js';
import { Manifests } from '../registry/manifests.js';
import { sizeText } from './output.js';

/** `bad` keeps something from being served; `warning` may, some day. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'bad';
  /** What it is about: a folder, a dataset, a limit. */
  readonly about: string;
  readonly found: string;
  readonly remedy?: string;
}

const FREE_BYTES_MIN = 1_000_000_000;
const DESCRIPTORS_MIN = 1024;
const MAPS_MIN = 65_530;

/** The whole folder. */
export async function findingsOf(dataDir: string): Promise<Finding[]> {
  const folder = await folderFindings(dataDir);
  if (folder.some(({ level }) => level === 'bad')) return folder;
  const { records, findings } = await manifestFindings(dataDir);
  return [
    ...folder,
    ...findings,
    ...(await Promise.all(records.map(fileFinding))).filter(found => found !== undefined),
    ...(await leftovers(dataDir, records)),
    ...(await keyFindings(dataDir)),
    ...(await limitFindings()),
  ];
}

async function folderFindings(dataDir: string): Promise<Finding[]> {
  const about = dataDir;
  const stats = await fs.stat(dataDir).catch(() => undefined);
  if (!stats?.isDirectory()) {
    const remedy = 'Say where it is with --data-dir; "hyperslab serve" makes a new one.';
    return [{ level: 'bad', about, found: stats ? 'is no folder' : 'is not there', remedy }];
  }
  const findings: Finding[] = [];
  for (const room of ['.', ...OWN_ROOMS]) {
    // oxlint-disable-next-line no-await-in-loop
    const fault = await accessFault(path.join(dataDir, room));
    if (fault === 'ENOENT') continue;
    if (fault !== undefined) {
      const uid = process.getuid?.() ?? 'this user';
      const remedy = `Make user ${uid} its owner (chown -R ${uid} ${dataDir}), or run this as the user that serves.`;
      findings.push({
        level: 'bad',
        about: path.join(dataDir, room),
        found: `cannot be read and written (${fault})`,
        remedy,
      });
    }
  }
  const { mappable } = await kindOfFileSystem(dataDir);
  if (!mappable) {
    const remedy =
      'Keep the data folder on a local disk: others may lose what they confirmed, and cannot be mapped safely.';
    findings.push({ level: 'warning', about, found: 'lies on a remote file system', remedy });
  }
  const { bavail, bsize, blocks } = await fs.statfs(dataDir);
  const freeBytes = bavail * bsize;
  const isFull = freeBytes < FREE_BYTES_MIN || bavail < blocks * 0.02;
  findings.push({
    level: isFull ? 'warning' : 'ok',
    about,
    found: `${sizeText(freeBytes)} free`,
    ...(isFull && { remedy: 'Free some space: a full disk is answered 507, and nothing can be written.' }),
  });
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

/** The file of a dataset: there, readable, long enough, with the header that the manifest says. */
async function fileFinding(record: DatasetRecord): Promise<Finding | undefined> {
  const about = record.name;
  const bad = (found: string, remedy: string): Finding => ({ level: 'bad', about, found, remedy });
  const forget = `Put it back, or forget the dataset (DELETE /v1/datasets/${about}).`;
  try {
    const stats = await fs.lstat(record.path);
    if (!stats.isFile()) return bad(`${record.path} is no regular file`, forget);
    const mode = fs.constants.R_OK | (isWritable(record) ? fs.constants.W_OK : 0);
    if ((await fs.access(record.path, mode).catch(() => false)) === false) {
      return bad(
        `${record.path} cannot be ${isWritable(record) ? 'written' : 'read'}`,
        'Mend its owner or permissions, or set mode r.',
      );
    }
    const { endBytes } = geometryOf(record);
    if (stats.size < endBytes) {
      return bad(
        `${record.path} has ${stats.size} bytes of ${endBytes}: it was cut`,
        'Put it back from a backup; what is left can be registered anew.',
      );
    }
    if (record.format === 'npy' && !(await hasItsHeader(record))) {
      return bad(
        `${record.path} has another header than its manifest says`,
        'Another program wrote it: read it once, and it is taken on as it is, or put it back.',
      );
    }
    return undefined;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return bad(
      code === 'ENOENT' ? `${record.path} is missing` : `${record.path} cannot be looked at (${code})`,
      forget,
    );
  }
}

async function hasItsHeader(record: DatasetRecord): Promise<boolean> {
  const handle = await fs.open(record.path);
  try {
    const head = Buffer.alloc(record.offset);
    const { bytesRead } = await handle.read(head, 0, record.offset, 0);
    return shapeInHeader(head.subarray(0, bytesRead), record) !== undefined;
  } finally {
    await handle.close();
  }
}

/** What lies in the rooms that belongs to no dataset, or waits for the next start. */
async function leftovers(dataDir: string, records: readonly DatasetRecord[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  const used = new Set(records.map(record => record.path));
  const namesIn = (room: string): Promise<string[]> => fs.readdir(path.join(dataDir, room)).catch(() => []);
  for (const name of await namesIn('arrays')) {
    const file = path.join(dataDir, 'arrays', name);
    if (name.startsWith(TEMPORARY_PREFIX) || used.has(file)) continue;
    findings.push({
      level: 'warning',
      about: `arrays/${name}`,
      found: 'belongs to no dataset',
      remedy: 'Register it by its path (POST /v1/datasets), or delete it.',
    });
  }
  for (const name of (await namesIn('journal')).filter(each => each.endsWith('.journal'))) {
    // oxlint-disable-next-line no-await-in-loop
    const stats = await fs.stat(path.join(dataDir, 'journal', name)).catch(() => undefined);
    const isKnown = records.some(({ fileId }) => name.startsWith(fileId));
    if (!stats) continue;
    findings.push(
      isKnown
        ? {
            level: 'ok',
            about: `journal/${name}`,
            found: `${sizeText(stats.size)}, of a service that runs or was ended by force; the next start replays it`,
          }
        : {
            level: 'warning',
            about: `journal/${name}`,
            found: 'belongs to no dataset',
            remedy:
              'Where a manifest is damaged, mend that first: the journal may hold the only copy of its last writes. Else delete it.',
          },
    );
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
