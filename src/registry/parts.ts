/**
 * Arrays in several files: registered, looked for again, and let go of. Each file is claimed as that of a dataset is.
 * Hazard: a claim is made in the step in which it was found to be free; others may come between those of two files.
 */
import type { Dataset } from '../dataset/dataset.js';
import type { JoinedDataset } from '../dataset/joined.js';
import { standingOf, type Precondition } from '../dataset/precondition.js';
import { isWritable, type DatasetRecord, type Mode, type PartRecord, type PartsAsked } from '../dataset/record.js';
import { fail } from '../errors.js';
import { ofPart } from '../file/refusals.js';
import { translated } from '../file/system-errors.js';
import { givingTurns, mapGivingTurns } from '../turns.js';
import type { Catalog } from './catalog.js';
import { identityOf, type Claim } from './claims.js';
import { findParts, isShapeOf, partRecordOf, type FoundPart, type FoundParts } from './find-parts.js';
import { checkCanWrite } from './inspect.js';
import { failTaken } from './names.js';
import { joinedRecord, patchedRecord, randomId, relookedRecord, type RecordPatch } from './records.js';
import { checkDims, checkNamed, type PartsRequest } from './request.js';

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
    await checkCanWrite(catalog.files.roots, realPath, catalog.remoteWrites, found).catch((error: unknown) => {
      throw ofPart(error, name);
    });
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
  const writable = isWritable({ mode });
  // Most of what is awaited here is there at once.
  const turn = givingTurns();
  try {
    for (const { realPath, found } of parts) {
      // oxlint-disable-next-line no-await-in-loop
      await claims.refreshOthers(found.identity, realPath);
      // oxlint-disable-next-line no-await-in-loop
      await turn();
    }
    for (const part of parts) {
      const { realPath, found } = part;
      claims.refresh(realPath, found.identity);
      try {
        claims.checkSettled(realPath);
        if (writable) claims.checkSoleWriter(name, found.identity, realPath);
      } catch (error) {
        throw ofPart(error, part.name);
      }
      const fileId = claims.first(found.identity, realPath)?.fileId ?? randomId();
      made.push(claims.add({ name, fileId, path: realPath, identity: found.identity, writable }));
      // oxlint-disable-next-line no-await-in-loop
      const firstGeneration = await translated(() => files.begin(fileId));
      records.push(partRecordOf(part, { fileId, firstGeneration }));
      // oxlint-disable-next-line no-await-in-loop
      await turn();
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
  const save = (next: DatasetRecord, claims: readonly Claim[]): Promise<Dataset> =>
    catalog.files.withFileToItself(record.fileId, async () => {
      precondition(standingOf(dataset));
      // Answers under way are of the files as they were.
      if (asked) dataset.whole.preImages.cutAll();
      if (asked || (record.external && !changed.external)) await startAnew(dataset, asked !== undefined);
      return catalog.save(next, claims);
    });
  const claimed = catalog.claims.of(record.name);
  if (!asked && changed.mode === record.mode) return save(changed, claimed);
  const found = asked ? await findParts(catalog.files.roots, asked) : await asBefore(dataset);
  if (isWritable(changed)) await checkPartsWritable(catalog, found.parts);
  if (asked) checkSameForm(dataset, found);
  const before = record.parts!.map(({ fileId }) => fileId);
  const saved = await claimingParts(catalog, record.name, changed.mode, found.parts, (claims, parts) =>
    save(asked ? relookedRecord(changed, asked, found, parts) : changed, [...claimed, ...claims]),
  );
  // Those of thousands of files are not dropped in one step.
  await mapGivingTurns(claimed, claim => catalog.claims.drop(claim));
  for (const fileId of before) await letGoOfPart(catalog, fileId); // oxlint-disable-line no-await-in-loop
  return saved;
}

/** Moves the generation of the whole. Where the counters of its files begin anew in the sum, it goes on above what it was. */
async function startAnew({ files, record, whole, generation }: JoinedDataset, areOthers: boolean): Promise<void> {
  const { generations } = files;
  const reached = areOthers ? generation : generations.current(record.fileId);
  await translated(() => generations.startAbove(record.fileId, reached));
  whole.writesStarted++;
}

function askedAgain(record: DatasetRecord, { path, paths }: RecordPatch): PartsAsked | undefined {
  if (path === undefined && paths === undefined) return undefined;
  checkNamed(path, paths);
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
    parts.push({ name: part.name, realPath, found });
  }
  return { dtype: geometry.dtype, shape: record.shape, parts, patternPath: undefined };
}

/** @throws part_differs */
function checkSameForm({ record }: JoinedDataset, { dtype, shape, parts }: FoundParts): void {
  if (dtype.typestr === record.dtype && isShapeOf(shape, [null, ...record.shape.slice(1)])) return;
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
