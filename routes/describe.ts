/** A dataset as clients see it: the record without paths, and what follows from it. */
import type { Dataset } from '../src/dataset/dataset.js';
import type { DatasetBody } from './schemas/index.js';

export async function describe(dataset: Dataset): Promise<DatasetBody> {
  const { record, geometry } = dataset;
  return {
    name: record.name,
    id: record.id,
    dtype: record.dtype,
    shape: [...record.shape],
    strides: [...geometry.view.strides],
    order: record.order,
    offset: record.offset,
    size: geometry.size,
    nbytes: geometry.nbytes,
    mode: record.mode,
    format: record.format,
    generation: dataset.generation,
    external: record.external,
    state: await dataset.state(),
    attrs: record.attrs,
    dims: record.dims && [...record.dims],
  };
}
