/**
 * Arrays in several files: registered, looked for again, and let go of. Each file is claimed as that of a dataset is.
 * Hazard: a claim is made in the step in which it was found to be free; others may come between those of two files.
 */
import type { Dataset } from '../dataset/dataset.js';
import type { JoinedDataset } from '../dataset/joined.js';
import { standingOf, type Precondition } from '../dataset/precondition.js';
import { isWritable, type DatasetRecord, type Mode, type PartRecord, type PartsAsked } from '../dataset/record.js';
import { fail } from '../errors.js';
import { translated } from '../file/system-errors.js';
import { isTurnOver, nextTurn } from '../turns.js';
import type { Catalog } from './catalog.js';
import { identityOf, type Claim } from './claims.js';
import { findParts, partRecordOf, type FoundPart, type FoundParts } from './find-parts.js';
import { checkCanWrite } from './inspect.js';
import { failTaken } from './names.js';
import { joinedRecord, patchedRecord, randomId, relookedRecord, type RecordPatch } from './records.js';
import { checkDims, type PartsRequest } from './request.js';

/** Claims that are made in one turn. */
const CLAIMS_PER_TURN = 512;

export async function registerParts(catalog: Catalog, request: PartsRequest): Promise<Dataset> {
  const { name, asked, mode } = request;
  if (catalog.index.find(name) !== undefined) failTaken(name, 'Forget it first, or choose another name.');
  const found = await findParts(catalog.files.roots, asked);
  checkDims(request.dims ?? null, found.shape.length);
  if (isWritable({ mode })) await checkPartsWritable(catalog, found.parts);
  return claimingParts(catalog, name, mode, found.parts, async (claims, parts) => {
    const record = joinedRecord(request, found, parts);
    return catalog.save(await catalog.begun(record, undefined), claims);
  });
}

/** A file that is written is one part. @throws file_in_use, and what one file is refused for */
async function checkPartsWritable(catalog: Catalog, parts: readonly FoundPart[]): Promise<void> {
  const seen = new Map<string, string>();
  for (const { name, realPath, found } of parts) {
    const twice = seen.get(found.identity);
    if (twice !== undefined) {
      fail('file_in_use', `Part ${name} is the same file as part ${twice}, and mode r+ takes each once. Use mode r.`, {
        part: name,
      });
    }
    seen.set(found.identity, name);
    // oxlint-disable-next-line no-await-in-loop
    await checkCanWrite(catalog.files.roots, realPath, catalog.remoteWrites, found);
  }
}

/** Claims every file, and takes the claims back where the work fails. */
async function claimingParts(
  catalog: Catalog,
  name: string,
  mode: Mode,
  parts: readonly FoundPart[],
  work: (claims: readonly Claim[], parts: readonly PartRecord[]) => Promise<Dataset>,
): Promise<Dataset> {
  const { claims, files } = catalog;
  const made: Claim[] = [];
  const records: PartRecord[] = [];
  try {
    for (const { realPath, found } of parts) await claims.refreshOthers(found.identity, realPath); // oxlint-disable-line no-await-in-loop
    for (const [i, part] of parts.entries()) {
      const { realPath, found } = part;
      claims.checkSettled(realPath);
      claims.refresh(realPath, found.identity);
      if (isWritable({ mode })) claims.checkSoleWriter(name, found.identity, realPath);
      const fileId = claims.first(found.identity, realPath)?.fileId ?? randomId();
      made.push(claims.add({ name, fileId, path: realPath, identity: found.identity, writable: isWritable({ mode }) }));
      // oxlint-disable-next-line no-await-in-loop
      const firstGeneration = await translated(() => files.begin(fileId));
      records.push(partRecordOf(part, { fileId, firstGeneration }));
      // oxlint-disable-next-line no-await-in-loop
      if (isTurnOver(i, CLAIMS_PER_TURN)) await nextTurn();
    }
    return await work(made, records);
  } catch (error) {
    for (const claim of made) claims.drop(claim);
    for (const { fileId } of made) {
      // oxlint-disable-next-line no-await-in-loop
      if (!claims.isUsed(fileId)) await files.generations.abandon(fileId);
    }
    throw error;
  }
}

/** Changes a dataset in several files; where paths are given, it is looked for them, and for their rows, anew. */
export async function patchParts(
  catalog: Catalog,
  dataset: JoinedDataset,
  patch: RecordPatch,
  precondition: Precondition,
): Promise<Dataset> {
  const { record } = dataset;
  const changed = patchedRecord(record, patch);
  const asked = askedAgain(record, patch);
  const found = asked ? await findParts(catalog.files.roots, asked) : await asBefore(dataset);
  if (isWritable(changed) && (asked || !isWritable(record))) await checkPartsWritable(catalog, found.parts);
  if (asked) checkSameForm(dataset, found);
  return claimingParts(catalog, record.name, changed.mode, found.parts, async (claims, parts) => {
    const ask = (): void => precondition(standingOf(dataset));
    const next = asked ? relookedRecord(changed, asked, found, parts) : changed;
    const { generations } = catalog.files;
    const before = record.parts!.map(({ fileId }) => fileId);
    const saved = await catalog.files.withFileToItself(record.fileId, async () => {
      ask();
      // Answers under way are of the files as they were.
      if (asked) dataset.whole.preImages.cutAll();
      const endsExternal = record.external && !changed.external;
      if (asked || endsExternal) {
        // Where the counters of the files begin anew in the sum, the dataset goes on above what it was.
        const reached = asked ? dataset.generation : generations.current(record.fileId);
        await translated(() => generations.startAbove(record.fileId, reached));
        dataset.whole.writesStarted++;
      }
      return catalog.save(next, claims);
    });
    for (const fileId of before) await letGoOfPart(catalog, fileId); // oxlint-disable-line no-await-in-loop
    return saved;
  });
}

function askedAgain(record: DatasetRecord, { path, paths }: RecordPatch): PartsAsked | undefined {
  if (path === undefined && paths === undefined) return undefined;
  if (path !== undefined && paths !== undefined) fail('bad_request', 'paths and path say the same. Give one of them.');
  const { pattern: _, paths: __, ...raw } = record.asked!;
  return path === undefined ? { ...raw, paths: paths! } : { ...raw, pattern: path };
}

/** The parts that it has, for claims of another mode. */
async function asBefore(dataset: JoinedDataset): Promise<FoundParts> {
  const { record, geometry } = dataset;
  const parts: FoundPart[] = [];
  for (const part of dataset.parts) {
    const { path: realPath, rows, order, offset, format, content = 'raw' } = part.record;
    // oxlint-disable-next-line no-await-in-loop
    const identity = (await identityOf(realPath)) ?? `missing:${realPath}`;
    const shape = [rows, ...record.shape.slice(1)];
    const found = { dtype: geometry.dtype, shape, order, offset, format, content, identity };
    parts.push({ name: dataset.nameOf(part), realPath, found });
  }
  return { dtype: geometry.dtype, shape: record.shape, parts, patternPath: undefined };
}

/** @throws part_differs */
function checkSameForm({ record }: JoinedDataset, { dtype, shape, parts }: FoundParts): void {
  const isSame =
    dtype.typestr === record.dtype &&
    shape.length === record.shape.length &&
    shape.every((length, axis) => axis === 0 || length === record.shape[axis]);
  if (isSame) return;
  const [{ name }] = parts as [FoundPart];
  fail(
    'part_differs',
    `Part ${name}: it has the dtype ${dtype.typestr} and the shape [${shape.join(', ')}], and the dataset has ${record.dtype} and [${record.shape.join(', ')}]: only the first length may become another. Register them under another name.`,
    { part: name },
  );
}

/** Empties the journal of a file, and closes it where no dataset stands on it any more. */
export async function letGoOfPart(catalog: Catalog, fileId: string): Promise<void> {
  if (catalog.claims.isUsed(fileId)) return;
  await catalog.files.withFileToItself(fileId, async () => {});
  await catalog.letGoOf(fileId);
}
