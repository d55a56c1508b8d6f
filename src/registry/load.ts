/**
 * What a start finds: the manifests that are served, those that are not, and what an earlier run committed last. Always
 * comes to the same result for the same folder.
 */
import { HyperslabError } from '../errors.js';
import type { Dataset } from '../dataset/dataset.js';
import { isCopyOnWrite, type DatasetRecord } from '../dataset/record.js';
import type { FileTable } from '../file/file-table.js';
import { Turnstile } from '../file/turnstile.js';
import { admit } from './admit.js';
import { claimOf, identityOf, type Claim, type Claims } from './claims.js';
import type { Manifests, Quarantined } from './manifests.js';

export interface Admitted {
  readonly record: DatasetRecord;
  readonly claim: Claim;
}

/** Reads every manifest and claims the files of those that are served. Files are looked at, not opened. */
export async function loadManifests(
  manifests: Manifests,
  files: FileTable,
  claims: Claims,
): Promise<{ admitted: Admitted[]; quarantined: Quarantined[] }> {
  const { records, quarantined } = await manifests.load();
  const found = await Promise.all(records.map(async record => ({ record, identity: await identityOf(record.path) })));
  const admitted: Admitted[] = [];
  // Each beside those before it, in the order of the names.
  for (const { record, identity } of found.sort((a, b) => (a.record.name < b.record.name ? -1 : 1))) {
    // oxlint-disable-next-line no-await-in-loop
    const decided = await admit(files, claims, record, identity);
    if ('reason' in decided) quarantined.push({ name: record.name, reason: decided.reason });
    else admitted.push({ record: decided, claim: claims.add(claimOf(decided, identity)) });
  }
  files.generations.settle(
    admitted.flatMap(({ record }) => countersOf(record)),
    quarantined.length > 0,
  );
  return { admitted, quarantined };
}

/** The counter of its file; of mode c also that of what is written in memory. */
function countersOf(record: DatasetRecord): { readonly fileId: string; readonly firstGeneration: number }[] {
  return isCopyOnWrite(record) ? [record, { fileId: record.id, firstGeneration: 1 }] : [record];
}

/** Each holds a record; most of the time goes into waiting for the disk. */
const REPLAYED_AT_ONCE = 4;

/** Applies what an earlier run committed. A file that cannot take it now is asked again when it is first read. */
export async function replayJournals(files: FileTable, datasets: Iterable<Dataset>): Promise<void> {
  const replaying = new Turnstile(REPLAYED_AT_ONCE);
  const open = async (dataset: Dataset): Promise<void> => {
    if (!files.journals.isUnreplayed(dataset.record.fileId)) return;
    try {
      await dataset.open();
    } catch (error) {
      if (!(error instanceof HyperslabError)) throw error;
    }
  };
  await Promise.all(Array.from(datasets, dataset => replaying.run(() => open(dataset))));
}
