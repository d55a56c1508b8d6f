/**
 * What a start finds: the manifests that are served, those that are not, and what an earlier run committed last. Always
 * comes to the same result for the same folder.
 */
import { stat } from 'node:fs/promises';
import { HyperslabError } from '../errors.js';
import type { Dataset } from '../dataset/dataset.js';
import { JoinedDataset } from '../dataset/joined.js';
import { Part } from '../dataset/part.js';
import { geometryOf, isCopyOnWrite, type DatasetRecord } from '../dataset/record.js';
import type { FileTable } from '../file/file-table.js';
import { readHead } from '../file/head.js';
import { closeDescriptor } from '../file/io.js';
import { Turnstile } from '../file/turnstile.js';
import { admit } from './admit.js';
import { claimOf, identityOf, type Claim, type Claims } from './claims.js';
import { shapeInHeader } from './inspect.js';
import type { Manifests, Quarantined } from './manifests.js';

export interface Admitted {
  readonly record: DatasetRecord;
  readonly claims: readonly Claim[];
}

/** Reads every manifest and claims the files of those that are served. Files are looked at, not opened. */
export async function loadManifests(
  manifests: Manifests,
  files: FileTable,
  claims: Claims,
): Promise<{ admitted: Admitted[]; quarantined: Quarantined[] }> {
  const { records, quarantined } = await manifests.load();
  const found = await Promise.all(
    records.map(async stored => ({
      record: await grownRecord(files, stored),
      identities: await Promise.all(filesOf(stored).map(file => identityOf(file.path))),
    })),
  );
  const admitted: Admitted[] = [];
  // Each beside those before it, in the order of the names.
  for (const { record, identities } of found.sort((a, b) => (a.record.name < b.record.name ? -1 : 1))) {
    // oxlint-disable-next-line no-await-in-loop
    const decided = await admitFiles(files, claims, record, identities);
    if ('reason' in decided) quarantined.push({ name: record.name, reason: decided.reason });
    else admitted.push(decided);
  }
  files.generations.settle(
    admitted.flatMap(({ record }) => countersOf(record)),
    quarantined.length > 0,
  );
  return { admitted, quarantined };
}

/** Looks at as many files at a time as a start does at other small ones. */
const looking = new Turnstile(32);

/** An array of the service may have grown since its manifest was written: its header says how long it is. */
async function grownRecord({ roots, journals }: FileTable, record: DatasetRecord): Promise<DatasetRecord> {
  const { format, external, fileId, path, offset } = record;
  if (format !== 'npy' || record.parts || external || journals.isUnreplayed(fileId)) return record;
  return looking.run(async () => {
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile() || found.size === offset + geometryOf(record).nbytes) return record;
    try {
      const fd = await roots.open(path, false);
      try {
        const shape = shapeInHeader(readHead(fd, offset), record);
        const grown = shape && { ...record, shape };
        return grown && found.size >= offset + geometryOf(grown).nbytes ? grown : record;
      } finally {
        await closeDescriptor(fd);
      }
    } catch {
      // Whoever reads it is told.
      return record;
    }
  });
}

/** The counter of its file; of mode c also that of what is written in memory. */
function countersOf(record: DatasetRecord): { readonly fileId: string; readonly firstGeneration: number }[] {
  if (record.parts) return [record, ...record.parts];
  return isCopyOnWrite(record) ? [record, { fileId: record.id, firstGeneration: 1 }] : [record];
}

/** The files of a dataset, each as that of a dataset. */
function filesOf(record: DatasetRecord): readonly DatasetRecord[] {
  return record.parts ? record.parts.map(part => ({ ...record, ...part })) : [record];
}

/** Of an array in several files each has to be served. */
async function admitFiles(
  files: FileTable,
  claims: Claims,
  record: DatasetRecord,
  identities: readonly (string | undefined)[],
): Promise<Admitted | { readonly reason: string }> {
  const made: Claim[] = [];
  for (const [i, file] of filesOf(record).entries()) {
    // oxlint-disable-next-line no-await-in-loop
    const decided = await admit(files, claims, file, identities[i]);
    if ('reason' in decided) {
      for (const claim of made) claims.drop(claim);
      return decided;
    }
    made.push(claims.add(claimOf(decided, identities[i])));
  }
  const parts = record.parts?.map((part, i) => ({ ...part, fileId: made[i]!.fileId }));
  const own = parts ? { parts } : { fileId: made[0]!.fileId };
  return { record: { ...record, ...own }, claims: made };
}

/** Each holds a record; most of the time goes into waiting for the disk. */
const REPLAYED_AT_ONCE = 4;

/** Applies what an earlier run committed. A file that cannot take it now is asked again when it is first read. */
export async function replayJournals(files: FileTable, datasets: Iterable<Dataset>): Promise<void> {
  const replaying = new Turnstile(REPLAYED_AT_ONCE);
  const open = async (dataset: Dataset): Promise<void> => {
    try {
      // A part's own dataset is made where there is something to replay.
      for (const each of dataset instanceof JoinedDataset ? dataset.parts : [dataset]) {
        if (!files.journals.isUnreplayed(each.record.fileId)) continue;
        // oxlint-disable-next-line no-await-in-loop
        await (each instanceof Part ? each.dataset : each).open();
      }
    } catch (error) {
      if (!(error instanceof HyperslabError)) throw error;
    }
  };
  await Promise.all(Array.from(datasets, dataset => replaying.run(() => open(dataset))));
}
