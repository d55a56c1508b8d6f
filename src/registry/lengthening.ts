/** How datasets take on a length that their file has got by a growth or a cut of ours. */
import type { Dataset } from '../dataset/dataset.js';
import type { DatasetRecord } from '../dataset/record.js';
import { sizeOf } from '../layout/view.js';
import { growingAxis } from '../formats/index.js';
import type { Catalog } from './catalog.js';

/** All registrations of a .npy grow with it; a raw array alone. In one turn, with the generation. */
export function lengthen(
  catalog: Catalog,
  { record: { name, fileId, format } }: Dataset,
  shape: readonly number[],
): void {
  for (const each of format === 'npy' ? catalog.claims.namesOn(fileId) : [name]) {
    const dataset = catalog.index.find(each);
    if (!dataset || dataset.record.fileId !== fileId || dataset.record.format !== format) continue;
    const { registration } = dataset;
    registration.growths = (registration.growths ?? 0) + 1;
    registration.shape = shape;
    catalog.index.insert({ ...dataset.record, shape });
  }
}

/** Durably, for all that `lengthen` is about. */
export async function saveShape(catalog: Catalog, { record }: Dataset, shape: readonly number[]): Promise<void> {
  const names = record.format === 'npy' ? catalog.claims.namesOn(record.fileId) : [record.name];
  // oxlint-disable-next-line no-await-in-loop
  for (const name of names) await saveOne(catalog, name, record, shape);
}

/** Of what is changed about the dataset meanwhile, whoever changes it takes care (Catalog.save). */
async function saveOne(
  catalog: Catalog,
  name: string,
  { fileId, format }: DatasetRecord,
  shape: readonly number[],
): Promise<void> {
  for (;;) {
    const before = catalog.index.find(name)?.record;
    if (before?.fileId !== fileId || before.format !== format) return;
    await catalog.manifests.save({ ...before, shape }); // oxlint-disable-line no-await-in-loop
    if (catalog.index.find(name)?.record === before) return;
  }
}

/** The record of a raw array that ends at another byte than it says. */
export function endingAt(record: DatasetRecord, itemsize: number, end: number): DatasetRecord {
  const axis = growingAxis(record);
  const rowBytes = sizeOf(record.shape.with(axis, 1)) * itemsize;
  return { ...record, shape: record.shape.with(axis, (end - record.offset) / rowBytes) };
}
