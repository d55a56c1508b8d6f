/** Looking for the files of an array in several: which they are, and whether they fit each other. */
import type { PartRecord, PartsAsked } from '../dataset/record.js';
import { dtypeOf, type DType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { ofPart } from '../file/refusals.js';
import type { FittingFile, Roots } from '../file/roots.js';
import { checkShape, sizeOf } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { mapGivingTurns, runTurns, sortTurns } from '../turns.js';
import { formatOfFile, inspectFile, type FoundArray } from './inspect.js';
import { fits, naturalKey } from './part-names.js';
import type { CreateRequest } from './request.js';

export interface FoundPart {
  /** As it was asked for, or as the folder has it. */
  readonly name: string;
  readonly realPath: string;
  readonly found: FoundArray;
}

export interface FoundParts {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly parts: readonly FoundPart[];
  /** Where the pattern was found. */
  readonly patternPath: string | undefined;
}

/** Files that are looked at together. */
const TOGETHER = 8;

/** @throws file_not_found, part_differs and what one file is refused for, each with the part's name */
export async function findParts(roots: Roots, asked: PartsAsked): Promise<FoundParts> {
  const { paths, pattern } = asked;
  const listed = pattern === undefined ? undefined : await roots.matching(pattern, fits);
  const names = listed ? await inNaturalOrder(listed.files) : paths!.map(name => ({ name, realPath: undefined }));
  if (names.length > LIMITS.partsMax) {
    fail(
      'too_large',
      `The array would lie in ${names.length} files; ${LIMITS.partsMax} are possible. Join some of them.`,
      {
        limit: LIMITS.partsMax,
        asked: names.length,
      },
    );
  }
  const parts: FoundPart[] = [];
  for (let from = 0; from < names.length; from += TOGETHER) {
    const looked = names
      .slice(from, from + TOGETHER)
      .map(({ name, realPath }) => inspectPart(roots, name, realPath, asked));
    // Of several that are refused the first is told.
    // oxlint-disable-next-line no-await-in-loop
    for (const result of await Promise.allSettled(looked)) {
      if (result.status === 'rejected') throw result.reason;
      parts.push(result.value);
      checkAgrees(parts[0]!, result.value);
    }
  }
  const { dtype, shape } = parts[0]!.found;
  const rows = parts.reduce((sum, { found }) => sum + found.shape[0]!, 0);
  const whole = [rows, ...shape.slice(1)];
  checkShape(whole, dtype.itemsize);
  return { dtype, shape: whole, parts, patternPath: listed?.path };
}

/** Files of one folder, so that no two have one name. */
async function inNaturalOrder(files: readonly FittingFile[]): Promise<FittingFile[]> {
  const keys = await mapGivingTurns(files, ({ file }) => naturalKey(file));
  const byKey = new Map(files.map((file, i) => [keys[i]!, file]));
  return (await runTurns(sortTurns(keys))).map(key => byKey.get(key)!);
}

async function inspectPart(
  roots: Roots,
  name: string,
  known: string | undefined,
  asked: PartsAsked,
): Promise<FoundPart> {
  try {
    const realPath = known ?? (await roots.find(name));
    const format = await formatOfFile(roots, realPath, name, asked.format);
    if (format !== 'npy' && format !== 'raw') {
      failDiffers('It is a container of arrays; parts are .npy or raw. Register its members one by one.', { format });
    }
    const found = await (format === 'npy' ? inspectNpy : inspectRaw)(
      roots,
      realPath,
      { ...requestOf(asked), path: name },
      asked,
    );
    if (found.shape.length === 0) failDiffers('It has no axes, and rows are what parts have. Leave it out.', {});
    return { name, realPath, found };
  } catch (error) {
    throw ofPart(error, name);
  }
}

function requestOf({ dtype, format }: PartsAsked): CreateRequest {
  return { name: '', ...(dtype !== undefined && { dtype }), ...(format && { format }) };
}

async function inspectNpy(
  roots: Roots,
  realPath: string,
  request: CreateRequest,
  asked: PartsAsked,
): Promise<FoundArray> {
  const { dtype, ...rest } = request;
  const found = await inspectFile(roots, realPath, rest);
  if (dtype !== undefined) {
    const { typestr } = dtypeOf(dtype);
    if (typestr !== found.dtype.typestr) failDtype(found.dtype.typestr, typestr);
  }
  if (asked.shape && !isShapeOf(found.shape, asked.shape)) failShape(found.shape, asked.shape);
  return found;
}

async function inspectRaw(
  roots: Roots,
  realPath: string,
  request: CreateRequest,
  asked: PartsAsked,
): Promise<FoundArray> {
  const { shape, order, offset } = asked;
  const raw = { ...request, ...(offset !== undefined && { offset }) };
  if (!shape) return inspectFile(roots, realPath, raw);
  const [rows, ...row] = shape as [number | null, ...number[]];
  const layout = order && { order };
  if (rows !== null) return inspectFile(roots, realPath, { ...raw, ...layout, shape: [rows, ...row] });
  const { itemsize } = dtypeOf(request.dtype ?? 'uint8');
  const found = await inspectFile(roots, realPath, { ...raw, dtype: '|u1' });
  const bytes = found.shape[0]!;
  const rowBytes = sizeOf(row) * itemsize;
  const fitting = rowBytes === 0 ? 0 : bytes / rowBytes;
  if (!Number.isInteger(fitting)) {
    fail(
      'bad_shape',
      `The ${bytes} bytes after the offset are no multiple of the ${rowBytes} bytes of a row. Give the number of rows instead of null, or another shape.`,
      { size: bytes, row_bytes: rowBytes },
    );
  }
  return inspectFile(roots, realPath, { ...raw, ...layout, shape: [fitting, ...row] });
}

/** A length null is any. */
export function isShapeOf(found: readonly number[], asked: readonly (number | null)[]): boolean {
  return found.length === asked.length && asked.every((length, axis) => length === null || length === found[axis]);
}

function checkAgrees(first: FoundPart, part: FoundPart): void {
  try {
    const [a, b] = [first.found, part.found];
    if (a.dtype.typestr !== b.dtype.typestr) failDtype(b.dtype.typestr, a.dtype.typestr);
    const expected = [null, ...a.shape.slice(1)];
    if (!isShapeOf(b.shape, expected)) failShape(b.shape, expected);
  } catch (error) {
    throw ofPart(error, part.name);
  }
}

function failDtype(found: string, expected: string): never {
  return failDiffers(`It has the dtype ${found}, and the others have ${expected}. Convert it, or leave it out.`, {
    dtype: found,
    expected,
  });
}

function failShape(found: readonly number[], expected: readonly (number | null)[]): never {
  const text = expected.map(length => length ?? 'any').join(', ');
  return failDiffers(
    `It has the shape [${found.join(', ')}], and the others have [${text}]: only the first length may differ. Leave it out.`,
    { shape: found, expected },
  );
}

function failDiffers(detail: string, values: Readonly<Record<string, unknown>>): never {
  return fail('part_differs', detail, values);
}

/** What a manifest keeps of a part. */
export function partRecordOf(
  { realPath, found }: FoundPart,
  file: Pick<PartRecord, 'fileId' | 'firstGeneration'>,
): PartRecord {
  const { shape, order, offset, format, content } = found;
  const own = { ...file, path: realPath, rows: shape[0]!, order, offset };
  return format === 'raw' ? { ...own, format, content } : { ...own, format: 'npy' };
}
