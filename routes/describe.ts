/** A dataset as clients see it: the record without paths of the server, and what follows from it. */
import { descriptionOf } from '../src/dtype/index.js';
import type { Dataset } from '../src/dataset/dataset.js';
import { fillOf, type DatasetRecord, type Geometry } from '../src/dataset/record.js';
import type { DatasetState } from '../src/dataset/registration.js';
import { JoinedDataset } from '../src/dataset/joined.js';
import { hasJson, jsonItemSize, jsonOfItem, parseExactJson } from '../src/formats/index.js';
import { LIMITS } from '../src/limits.js';
import { mapGivingTurns } from '../src/turns.js';
import type { DatasetBody } from './schemas/index.js';

type Member = Exclude<keyof DatasetBody, 'residency'>;

/** What is told of every dataset, in this order. */
export const MEMBERS: { readonly [M in Member]: (dataset: Dataset, state: DatasetState) => unknown } = {
  name: ({ record }) => record.name,
  id: ({ record }) => record.id,
  dtype: ({ geometry }) => descriptionOf(geometry.dtype),
  shape: ({ record }) => record.shape,
  strides: ({ record, geometry }) => (record.parts ? null : geometry.view.strides),
  order: ({ record }) => (record.strides || record.parts ? null : record.order),
  offset: ({ record }) => (record.parts ? null : record.offset),
  size: ({ geometry }) => geometry.size,
  nbytes: ({ geometry }) => geometry.nbytes,
  mode: ({ record }) => record.mode,
  format: ({ record }) => record.format,
  member: ({ record }) => record.member,
  path: dataset => dataset.record.folderPath ?? placeOf(dataset)?.path ?? null,
  root: dataset => (dataset.record.folderPath === undefined ? (placeOf(dataset)?.root ?? null) : null),
  generation: dataset => dataset.generation,
  fill: ({ record, geometry }) => fillAsJson(record, geometry),
  external: ({ record }) => record.external,
  state: (_dataset, state) => state,
  attrs: ({ record }) => record.attrs,
  dims: ({ record }) => record.dims,
  parts: ({ record }) => record.parts?.length,
};

const fills = new WeakMap<DatasetRecord, { readonly value: unknown }>();

/** The element of new rows as JSON, once for each record; null where the dtype has none, or one as long as an answer. */
function fillAsJson(record: DatasetRecord, { dtype }: Geometry): unknown {
  const known = fills.get(record);
  if (known) return known.value;
  const isShort = hasJson(dtype) && jsonItemSize(dtype).textMax <= LIMITS.fillTextMax;
  const bytes = isShort ? (fillOf(record, dtype.itemsize) ?? new Uint8Array(dtype.itemsize)) : undefined;
  const value = bytes ? parseExactJson(jsonOfItem(dtype, bytes)) : null;
  fills.set(record, { value });
  return value;
}

const ALL = Object.keys(MEMBERS) as Member[];

/** Of a list of files each has a place of its own. */
function placeOf({ files, record }: Dataset): { readonly path: string; readonly root: number } | undefined {
  return record.asked?.paths ? undefined : files.roots.locate(record.path);
}

export async function describe(dataset: Dataset): Promise<DatasetBody> {
  const state = await dataset.state();
  const body: Record<string, unknown> = {};
  for (const name of ALL) body[name] = MEMBERS[name](dataset, state);
  return body as DatasetBody;
}

/** The files of an array in several, in their order. */
export async function partsOf(dataset: Dataset): Promise<{ path: string; rows: number }[] | undefined> {
  if (!(dataset instanceof JoinedDataset)) return undefined;
  return mapGivingTurns(dataset.parts, ({ name, rows }) => ({ path: name, rows }));
}
