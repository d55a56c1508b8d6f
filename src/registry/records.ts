/** The records of datasets: how each way to one fills them in. */
import { randomBytes } from 'node:crypto';
import {
  isCopyOnWrite,
  isWritable,
  recordedFill,
  type DatasetRecord,
  type Mode,
  type PartRecord,
  type PartsAsked,
} from '../dataset/record.js';
import { fail } from '../errors.js';
import type { NewArray } from './array-files.js';
import type { FoundParts } from './find-parts.js';
import type { FoundArray } from './inspect.js';
import type { MemberArray } from './member.js';
import { checkAttrs, checkDims, type CreateRequest, type PartsRequest } from './request.js';

/** What PATCH may change; undefined leaves a member alone. */
export interface RecordPatch {
  readonly attrs?: Readonly<Record<string, unknown>>;
  readonly dims?: readonly string[] | null;
  readonly mode?: Mode;
  readonly external?: boolean;
  /** Of an array in several files: look for them again. */
  readonly path?: string;
  readonly paths?: readonly string[];
}

/** What an import's header says. */
export type ImportedGeometry = Pick<DatasetRecord, 'dtype' | 'shape' | 'order' | 'offset'>;

export function createdRecord(request: CreateRequest, array: NewArray, target: string): DatasetRecord {
  const fill = recordedFill(array.fill);
  return {
    name: request.name,
    id: randomId(),
    fileId: randomId(),
    firstGeneration: 1,
    path: target,
    dtype: array.dtype.typestr,
    shape: array.shape,
    order: array.order,
    offset: array.offset,
    mode: request.mode ?? 'r+',
    format: array.format,
    external: request.external ?? false,
    made: true,
    ...(fill !== undefined && { fill }),
    ...(array.sparse && { sparse: true }),
    attrs: request.attrs ?? {},
    dims: request.dims ?? null,
  };
}

export function importedRecord(
  name: string,
  geometry: ImportedGeometry,
  described: Pick<DatasetRecord, 'attrs' | 'dims'>,
  target: string,
): DatasetRecord {
  return {
    name,
    id: randomId(),
    fileId: randomId(),
    firstGeneration: 1,
    path: target,
    ...geometry,
    mode: 'r+',
    format: 'npy',
    external: false,
    made: true,
    ...described,
  };
}

/** The record of a file registered in place; `shared` is what it has in common with a dataset that stands on it already. */
export function registeredRecord(
  request: CreateRequest,
  found: FoundArray,
  realPath: string,
  shared: { readonly fileId: string | undefined; readonly external: boolean | undefined },
): DatasetRecord {
  return {
    name: request.name,
    id: randomId(),
    fileId: shared.fileId ?? randomId(),
    firstGeneration: 1,
    path: realPath,
    dtype: found.dtype.typestr,
    shape: found.shape,
    order: found.order,
    ...(found.strides && { strides: found.strides }),
    offset: found.offset,
    mode: request.mode ?? 'r',
    format: found.format,
    ...(found.format === 'raw' && { content: found.content }),
    ...(found.member !== undefined && { member: found.member }),
    external: request.external ?? shared.external ?? true,
    made: false,
    attrs: request.attrs ?? {},
    dims: request.dims ?? null,
  };
}

/** The record of an array in several files. */
export function joinedRecord(request: PartsRequest, found: FoundParts, parts: readonly PartRecord[]): DatasetRecord {
  return {
    name: request.name,
    id: randomId(),
    fileId: randomId(),
    firstGeneration: 1,
    dtype: found.dtype.typestr,
    order: 'C',
    offset: 0,
    mode: request.mode,
    ...joinedForm(found, parts),
    asked: request.asked,
    external: request.external ?? true,
    made: false,
    attrs: request.attrs ?? {},
    dims: request.dims ?? null,
  };
}

function joinedForm(
  { shape, patternPath, parts: found }: FoundParts,
  parts: readonly PartRecord[],
): Pick<DatasetRecord, 'path' | 'shape' | 'format' | 'parts'> {
  const format = parts.every(each => each.format === 'npy') ? 'npy' : 'raw';
  return { path: patternPath ?? found[0]!.realPath, shape, format, parts };
}

/** What a look again has found, in the place of what was there. */
export function relookedRecord(
  record: DatasetRecord,
  asked: PartsAsked,
  found: FoundParts,
  parts: readonly PartRecord[],
): DatasetRecord {
  return { ...record, ...joinedForm(found, parts), asked };
}

/** @throws too_large, bad_shape, mode_fixed */
export function patchedRecord(record: DatasetRecord, patch: RecordPatch): DatasetRecord {
  const changed: DatasetRecord = {
    ...record,
    ...(patch.attrs !== undefined && { attrs: patch.attrs }),
    ...(patch.dims !== undefined && { dims: patch.dims }),
    ...(patch.mode !== undefined && { mode: patch.mode }),
    ...(patch.external !== undefined && { external: patch.external }),
  };
  if (isCopyOnWrite(record) !== isCopyOnWrite(changed)) failMode(record, changed.mode);
  checkAttrs(changed.attrs);
  if (patch.dims !== undefined) checkDims(patch.dims, changed.shape.length);
  return changed;
}

/** The record of a file whose header has become another one. Names of axes, and a fill, that are not its own any more are dropped. */
export function relearnedRecord(record: DatasetRecord, { dtype, shape, order, offset }: MemberArray): DatasetRecord {
  const dims = record.dims?.length === shape.length ? record.dims : null;
  const { fill, ...rest } = record;
  const keeps = fill !== undefined && dtype.typestr === record.dtype;
  return { ...rest, dtype: dtype.typestr, shape, order, offset, dims, ...(keeps && { fill }) };
}

/** What was written in memory is no state of a file, and what a file holds is none of what was written in memory. */
function failMode({ name, mode }: DatasetRecord, asked: Mode): never {
  return fail(
    'mode_fixed',
    `The dataset ${name} has mode ${mode}, and mode c is neither taken on nor given up. Register its file once more, under another name, with mode ${asked}.`,
    { dataset: name, mode, asked },
  );
}

export function becomesWritable(before: DatasetRecord, after: DatasetRecord): boolean {
  return isWritable(after) && !isWritable(before);
}

export function randomId(): string {
  return randomBytes(12).toString('hex');
}
