/**
 * Which manifests are served at the start. Those that contradict each other were copied or changed by hand: two may not
 * write one file, and one file has one lock and one generation, whatever the manifests say.
 */
import { isCopyOnWrite, isWritable, type DatasetRecord } from '../dataset/record.js';
import type { FileTable } from '../file/file-table.js';
import { isShortage } from '../file/descriptors.js';
import { systemErrorCode } from '../errors.js';
import type { Claims } from './claims.js';

/** The record as it is to be served beside those that were admitted before it, or why it is not. */
export async function admit(
  { roots, generations, journals }: FileTable,
  claims: Claims,
  record: DatasetRecord,
  identity: string | undefined,
): Promise<DatasetRecord | { readonly reason: string }> {
  const { name, fileId } = record;
  if (!roots.has(record.path))
    return { reason: 'its file is outside the folders that are served now (HYPERSLAB_ROOTS)' };
  if (generations.isDamaged(fileId) || (isCopyOnWrite(record) && generations.isDamaged(record.id)))
    return { reason: 'the counter of its generations is damaged' };
  const writer = isWritable(record) ? claims.writer(name, identity, record.path) : undefined;
  if (writer) return { reason: `its file is registered for writing as ${writer.name} already` };
  const twin = claims.first(identity, record.path);
  const other = claims.sharer(name, fileId);
  if (other && !twin)
    return { reason: `the file_id in its manifest is that of ${other.name}, which is on another file` };
  if (!twin || twin.fileId === fileId) return record;
  if (journals.isUnreplayed(fileId)) {
    return { reason: `its journal holds commits to a file that is now that of ${twin.name}, too` };
  }
  try {
    // The dataset goes on above the generations that it answered with under its own counter.
    const used = Math.max(generations.current(fileId), record.firstGeneration);
    if (used > generations.current(twin.fileId)) await generations.startAbove(twin.fileId, used);
  } catch (error) {
    if (isShortage(error)) throw error;
    return { reason: `the counter of its generations cannot be written (${systemErrorCode(error) ?? 'unknown'})` };
  }
  return { ...record, fileId: twin.fileId };
}
