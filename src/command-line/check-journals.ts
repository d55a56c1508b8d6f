/** Journals, as the doctor looks at them: looked through where no service has the folder. Nothing is changed. */
import { constants, openSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { DatasetRecord } from '../dataset/record.js';
import { HyperslabError, systemErrorCode } from '../errors.js';
import { tryKernelLock } from '../file/kernel-lock.js';
import { recordsInJournal } from '../file/journal/recovery.js';
import { filesOf } from './check-files.js';
import type { Finding } from './finding.js';

const SUFFIX = '.journal';

/** Whether a service has the folder, and what the journals hold. */
export async function journalFindings(dataDir: string, records: readonly DatasetRecord[]): Promise<Finding[]> {
  const folder = path.join(dataDir, 'journal');
  const names = (await fs.readdir(folder).catch((): string[] => [])).filter(name => name.endsWith(SUFFIX));
  const owners = new Map(records.flatMap(record => filesOf(record).map(({ fileId }) => [fileId, record.name])));
  const lock = await lockOf(dataDir);
  try {
    const found: (Finding | undefined)[] = [];
    if (lock === 'taken') found.push({ level: 'ok', about: dataDir, found: 'a service has it' });
    for (const name of names) {
      const fileId = name.slice(0, -SUFFIX.length);
      const owner = owners.get(fileId);
      if (owner === undefined) found.push(ofNobody(name));
      // One that is being written cannot be looked through.
      // oxlint-disable-next-line no-await-in-loop
      else if (lock !== 'taken') found.push(await contentFinding(path.join(folder, name), fileId, owner));
    }
    return found.filter(each => each !== undefined);
  } finally {
    if (lock !== 'taken') lock?.release();
  }
}

function ofNobody(name: string): Finding {
  return {
    level: 'warning',
    about: `journal/${name}`,
    found: 'belongs to no dataset',
    remedy:
      'Where a manifest is damaged, mend that first: the journal may hold the only copy of its last writes. Else delete it.',
  };
}

/** Undefined where it is empty. */
async function contentFinding(file: string, fileId: string, about: string): Promise<Finding | undefined> {
  try {
    const records = await recordsInJournal(file, fileId);
    const writes = records === 1 ? '1 write' : `${records} writes`;
    return records === 0
      ? undefined
      : { level: 'ok', about, found: `${writes} in its journal, which the next start replays` };
  } catch (error) {
    if (error instanceof HyperslabError) {
      const { reason } = error.values;
      const remedy = `Put the file and its journal back from a backup, or forget the dataset (DELETE /v1/datasets/${about}), which drops the journal.`;
      return { level: 'bad', about, found: typeof reason === 'string' ? reason : error.message, remedy };
    }
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    const remedy = 'The service has to read and write it: mend its owner or permissions.';
    return { level: 'bad', about, found: `its journal cannot be read (${code})`, remedy };
  }
}

/** Undefined where nobody ever had the folder, or it cannot be asked. */
async function lockOf(dataDir: string): Promise<Awaited<ReturnType<typeof tryKernelLock>> | 'taken'> {
  let fd: number;
  try {
    fd = openSync(path.join(dataDir, 'lock'), constants.O_RDWR);
  } catch {
    return undefined;
  }
  return (await tryKernelLock({ folder: dataDir, purpose: 'data', fd })) ?? 'taken';
}
