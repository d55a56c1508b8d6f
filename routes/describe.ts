/** A dataset as clients see it: the record without paths of the server, and what follows from it. */
import { descriptionOf } from '../src/dtype/index.js';
import type { Dataset, DatasetState } from '../src/dataset/dataset.js';
import type { DatasetBody } from './schemas/index.js';

type Member = Exclude<keyof DatasetBody, 'residency'>;

/** What is told of every dataset, in this order. */
export const MEMBERS: { readonly [M in Member]: (dataset: Dataset, state: DatasetState) => unknown } = {
  name: ({ record }) => record.name,
  id: ({ record }) => record.id,
  dtype: ({ geometry }) => descriptionOf(geometry.dtype),
  shape: ({ record }) => record.shape,
  strides: ({ geometry }) => geometry.view.strides,
  order: ({ record }) => record.order,
  offset: ({ record }) => record.offset,
  size: ({ geometry }) => geometry.size,
  nbytes: ({ geometry }) => geometry.nbytes,
  mode: ({ record }) => record.mode,
  format: ({ record }) => record.format,
  path: ({ files, record }) => files.roots.locate(record.path)?.path ?? null,
  root: ({ files, record }) => files.roots.locate(record.path)?.root ?? null,
  generation: dataset => dataset.generation,
  external: ({ record }) => record.external,
  state: (_dataset, state) => state,
  attrs: ({ record }) => record.attrs,
  dims: ({ record }) => record.dims,
};

const ALL = Object.keys(MEMBERS) as Member[];

export async function describe(dataset: Dataset): Promise<DatasetBody> {
  return membersOf(dataset, await dataset.state(), ALL) as DatasetBody;
}

export function membersOf(dataset: Dataset, state: DatasetState, names: readonly Member[]): Partial<DatasetBody> {
  const members: Record<string, unknown> = {};
  for (const name of names) members[name] = MEMBERS[name](dataset, state);
  return members;
}
