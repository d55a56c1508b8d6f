/** How a dataset comes to be: a file is registered, an array is made, or one is imported. */
import path from 'node:path';
import type { Dataset } from '../dataset/dataset.js';
import type { Precondition } from '../dataset/precondition.js';
import { isWritable, type DatasetRecord } from '../dataset/record.js';
import { removeFile } from '../file/folder.js';
import { inOwnFolder } from '../file/own-folder.js';
import { newArrayOf, writeArray } from './array-files.js';
import type { Catalog } from './catalog.js';
import { claimOf, identityOf } from './claims.js';
import { checkCanWrite, checkFileSystem, inspectFile } from './inspect.js';
import { checkName, failTaken } from './names.js';
import { placeArray } from './placing.js';
import { createdRecord, importedRecord, registeredRecord, type ImportedGeometry } from './records.js';
import { registerParts } from './parts.js';
import {
  asksParts,
  checkDims,
  checkPartsRequest,
  checkRequest,
  makesFile,
  plainRequest,
  type AskedDataset,
  type CreateRequest,
} from './request.js';

/** An array that comes from outside, known by its header. */
export interface IncomingArray {
  readonly geometry: ImportedGeometry;
  readonly described: Pick<DatasetRecord, 'attrs' | 'dims'>;
  /** Writes the whole file. */
  readonly write: (fd: number) => Promise<void>;
}

/** Registers a file or makes an array. */
export async function createDataset(
  catalog: Catalog,
  asked: AskedDataset,
  precondition: Precondition,
): Promise<Dataset> {
  if (asksParts(asked)) {
    const request = checkPartsRequest(asked);
    return catalog.holding(request.name, () => {
      precondition(catalog.standing(request.name));
      return registerParts(catalog, request);
    });
  }
  const request = checkRequest(plainRequest(asked));
  return catalog.holding(request.name, () => {
    precondition(catalog.standing(request.name));
    return makesFile(request) ? make(catalog, request, precondition) : register(catalog, request);
  });
}

/** Imports an array into a file of ours. `open` is told the path and reads the header. */
export async function adoptArray(
  catalog: Catalog,
  name: string,
  overwrite: boolean,
  open: (target: string) => Promise<IncomingArray>,
  precondition: Precondition,
): Promise<{ dataset: Dataset; replaced: boolean }> {
  checkName(name);
  return catalog.holding(name, async () => {
    precondition(catalog.standing(name));
    const replaced = catalog.index.find(name) !== undefined;
    if (replaced && !overwrite) failTaken(name, 'Import with ?overwrite=true to replace it.');
    const target = path.join(catalog.arraysDir, `${name}.npy`);
    // Asked again when the header is there; now, to spare the client the rest.
    catalog.claims.checkReplaceable(name, target);
    const { geometry, described, write } = await open(target);
    const record = importedRecord(name, geometry, described, target);
    return { dataset: await place(catalog, record, overwrite, write, precondition), replaced };
  });
}

async function make(catalog: Catalog, request: CreateRequest, precondition: Precondition): Promise<Dataset> {
  const { name, overwrite = false } = request;
  if (catalog.index.find(name) !== undefined && !overwrite)
    failTaken(name, 'Replace it with mode w+ and overwrite true.');
  const array = newArrayOf(request);
  const target =
    request.path === undefined
      ? path.join(catalog.arraysDir, `${name}.${array.format}`)
      : await catalog.files.roots.place(request.path);
  if (request.path !== undefined) await checkFileSystem(target, catalog.remoteWrites);
  const record = createdRecord(request, array, target);
  return place(catalog, record, overwrite, fd => writeArray(fd, target, array), precondition);
}

async function register(catalog: Catalog, request: CreateRequest): Promise<Dataset> {
  const { name, mode = 'r' } = request;
  if (catalog.index.find(name) !== undefined) failTaken(name, 'Forget it first, or choose another name.');
  const realPath = await catalog.files.roots.find(request.path!);
  const found = await inspectFile(catalog.files.roots, realPath, request);
  checkDims(request.dims ?? null, found.shape.length);
  if (isWritable({ mode })) await checkCanWrite(catalog.files.roots, realPath, catalog.remoteWrites, found);
  await catalog.claims.refreshOthers(found.identity, realPath);
  catalog.claims.checkSettled(realPath);
  catalog.claims.refresh(realPath, found.identity);
  const twin = catalog.claims.first(found.identity, realPath);
  // How long a raw file is says nothing while rows are laid down behind its end.
  if (twin && found.format === 'raw' && request.shape === undefined) {
    catalog.files.knownStateOf(twin.fileId)?.checkNotLoading();
  }
  const external = twin && (catalog.index.find(twin.name)?.record.external ?? true);
  const record = registeredRecord(request, found, realPath, { fileId: twin?.fileId, external });
  if (isWritable(record)) catalog.claims.checkSoleWriter(name, found.identity, realPath);
  const endsExternal = external === true && !record.external ? (): void => {} : undefined;
  return catalog.claiming(claimOf(record, found.identity), async claim =>
    catalog.save(await catalog.begun(record, undefined), claim, endsExternal),
  );
}

/** Makes the file of a record, in the place of the dataset of this name, if there is one. */
async function place(
  catalog: Catalog,
  record: DatasetRecord,
  overwrite: boolean,
  write: IncomingArray['write'],
  precondition: Precondition,
): Promise<Dataset> {
  const previous = catalog.index.find(record.name);
  // Nothing is awaited between the question and the claim.
  catalog.claims.checkReplaceable(record.name, record.path);
  return catalog.claiming(claimOf(record, undefined), async pending => {
    const settle = async (): Promise<void> => {
      const claim = catalog.claims.add({ ...pending, identity: await identityOf(record.path) });
      catalog.insert(placement.record, claim);
      if (previous) await removeReplaced(catalog, previous.record);
    };
    const placement = {
      record: await catalog.begun(record, previous),
      overwrite,
      previous,
      precondition,
      write,
      settle,
    };
    await placeArray(catalog.files, catalog.manifests, placement);
    return catalog.index.get(record.name);
  });
}

/** An array of ours that nobody can reach any more: its name now belongs to another file. */
async function removeReplaced(catalog: Catalog, previous: DatasetRecord): Promise<void> {
  const isReachable =
    catalog.claims.first(undefined, previous.path) !== undefined || catalog.claims.isUsed(previous.fileId);
  if (!isReachable && catalog.isOwned(previous)) await inOwnFolder(() => removeFile(previous.path));
  await catalog.dropCounter(previous);
  await catalog.letGoOf(previous.fileId);
}
