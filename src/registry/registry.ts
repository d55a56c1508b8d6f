/**
 * Name → dataset. The index lives in memory, manifests make it durable; a change is on disk before it is visible.
 * Hazard: two requests for one name at a time. A name that is being made, changed or removed is held meanwhile.
 */
import path from 'node:path';
import { fail } from '../errors.js';
import type { Dataset } from '../dataset/dataset.js';
import { standingOf, UNCONDITIONAL, type Precondition, type Standing } from '../dataset/precondition.js';
import { isWritable, type DatasetRecord } from '../dataset/record.js';
import { removeTemporaries } from '../file/atomic.js';
import { removeFile } from '../file/folder.js';
import type { FileTable } from '../file/file-table.js';
import type { OpenFile } from '../file/open-file.js';
import { inOwnFolder } from '../file/own-folder.js';
import { translated } from '../file/system-errors.js';
import { LIMITS } from '../limits.js';
import { runTurns } from '../turns.js';
import { newArrayOf, writeArray } from './array-files.js';
import { claimOf, Claims, identityOf, type Claim } from './claims.js';
import { DatasetIndex, type Listed, type ListQuery } from './dataset-index.js';
import { arrayIn, checkCanWrite, checkFileSystem, inspectFile, type RemoteWrites } from './inspect.js';
import { loadManifests, replayJournals } from './load.js';
import { Manifests, type Quarantined } from './manifests.js';
import { checkName, failMissing, failTaken, HeldNames } from './names.js';
import { placeArray } from './placing.js';
import {
  becomesWritable,
  createdRecord,
  importedRecord,
  patchedRecord,
  registeredRecord,
  relearnedRecord,
  type ImportedGeometry,
  type RecordPatch,
} from './records.js';
import { checkDims, checkRequest, makesFile, type CreateRequest } from './request.js';

export type { Listed, ListQuery } from './dataset-index.js';
export type { RecordPatch } from './records.js';

export interface RegistryOptions {
  readonly dataDir: string;
  readonly files: FileTable;
  readonly remoteWrites: RemoteWrites;
}

/** An array that comes from outside, known by its header. */
export interface IncomingArray {
  readonly geometry: ImportedGeometry;
  /** Writes the whole file. */
  readonly write: (fd: number) => Promise<void>;
}

export class Registry {
  readonly arraysDir: string;
  readonly #files: FileTable;
  readonly #manifests: Manifests;
  readonly #remoteWrites: RemoteWrites;
  readonly #index: DatasetIndex;
  readonly #claims = new Claims();
  readonly #held = new HeldNames();

  constructor({ dataDir, files, remoteWrites }: RegistryOptions) {
    this.arraysDir = path.join(dataDir, 'arrays');
    this.#files = files;
    this.#index = new DatasetIndex(files, (dataset, file) => this.#learn(dataset, file));
    this.#remoteWrites = remoteWrites;
    this.#manifests = new Manifests(dataDir);
  }

  /** Loads every manifest. @throws what the folders' file system says */
  async load(): Promise<void> {
    await removeTemporaries(this.arraysDir);
    const { admitted, quarantined } = await loadManifests(this.#manifests, this.#files, this.#claims);
    for (const each of quarantined) this.#index.quarantine(each);
    for (const { record, claim } of admitted) this.#insert(record, claim);
    await replayJournals(this.#files, this.#index.values());
  }

  get size(): number {
    return this.#index.size;
  }

  /** How many datasets a caller may know of. */
  async count(): Promise<number> {
    return this.size;
  }

  /** Name and reason of every dataset that could not be loaded, or whose journal could not be replayed. */
  get quarantined(): Quarantined[] {
    const damaged = this.#files.damagedFiles.flatMap(({ fileId, reason }) =>
      this.namesOf([fileId]).map(name => ({ name, reason })),
    );
    return [...this.#index.unloaded, ...damaged];
  }

  /** @throws unknown_dataset, quarantined */
  get(name: string): Dataset {
    return this.#index.get(name);
  }

  has(name: string): boolean {
    return this.#index.find(name) !== undefined;
  }

  /** The datasets on files, by the files' ids. */
  namesOf(fileIds: readonly string[]): string[] {
    return fileIds.flatMap(fileId =>
      this.#claims.namesOn(fileId).filter(name => this.#index.find(name)?.record.fileId === fileId),
    );
  }

  /** Datasets and quarantined names, in the order of the names' bytes. */
  list(query: ListQuery): Promise<Listed[]> {
    return runTurns(this.#index.list(query));
  }

  /** Registers a file or makes an array. */
  async create(asked: CreateRequest, precondition = UNCONDITIONAL): Promise<Dataset> {
    const request = checkRequest(asked);
    return this.#holding(request.name, () => {
      precondition(this.#standing(request.name));
      return makesFile(request) ? this.#make(request, precondition) : this.#register(request);
    });
  }

  /** Imports an array into a file of ours. `open` is told the path and reads the header. */
  async adopt(
    name: string,
    overwrite: boolean,
    open: (target: string) => Promise<IncomingArray>,
    precondition = UNCONDITIONAL,
  ): Promise<{ dataset: Dataset; replaced: boolean }> {
    checkName(name);
    return this.#holding(name, async () => {
      precondition(this.#standing(name));
      const replaced = this.has(name);
      if (replaced && !overwrite) failTaken(name, 'Import with ?overwrite=true to replace it.');
      const target = path.join(this.arraysDir, `${name}.npy`);
      // Asked again when the header is there; now, to spare the client the rest.
      this.#claims.checkReplaceable(name, target);
      const { geometry, write } = await open(target);
      const record = importedRecord(name, geometry, target);
      return { dataset: await this.#place(record, overwrite, write, precondition), replaced };
    });
  }

  async patch(name: string, patch: RecordPatch, precondition = UNCONDITIONAL): Promise<Dataset> {
    return this.#holding(name, async () => {
      const dataset = this.get(name);
      const { record } = dataset;
      const changed = patchedRecord(record, patch);
      const isChecked = becomesWritable(record, changed);
      const layout = record.made ? undefined : record;
      if (isChecked) await checkCanWrite(this.#files.roots, changed.path, this.#remoteWrites, layout);
      const identity = await identityOf(changed.path);
      if (identity !== undefined) await this.#claims.refreshOthers(identity, changed.path);
      this.#claims.refresh(changed.path, identity);
      if (isChecked) this.#claims.checkSoleWriter(name, identity, changed.path);
      const ask = (): void => precondition(standingOf(dataset));
      return this.#claiming(claimOf(changed, identity), async claim => {
        if (record.external && !changed.external) return this.#save(changed, claim, ask);
        if (precondition === UNCONDITIONAL) return this.#save(changed, claim);
        const state = this.#files.stateOf(record.fileId);
        state.checkNotLoading();
        // No write comes between the question and the change.
        return state.lock.withRead(() => {
          ask();
          return this.#save(changed, claim);
        });
      });
    });
  }

  /** Forgets a dataset; with `deleteData` also its file. @throws not_owned, file_in_use, bulk_load */
  async forget(name: string, deleteData: boolean, precondition = UNCONDITIONAL): Promise<DatasetRecord | undefined> {
    checkName(name);
    return this.#holding(name, async () => {
      const dataset = this.#index.find(name);
      if (!dataset) {
        // A quarantined manifest may be given up, but what it points to is not known.
        const reason = this.#index.reasonOf(name);
        if (reason === undefined || deleteData) failMissing(name, reason);
        precondition('untagged');
        await translated(() => this.#manifests.remove(name));
        this.#index.release(name);
        return undefined;
      }
      const { record } = dataset;
      // A write that is under way is finished first; one that waits behind will find no dataset.
      await this.#files.withFileToItself(record.fileId, async () => {
        if (deleteData) this.#checkDeletable(record);
        // The journal may hold the only copy of what was committed.
        else this.#files.stateOf(record.fileId).checkDurable();
        precondition(standingOf(dataset));
        // The file goes on under another name; this one must not count from below when it comes again.
        if (this.#claims.sharer(name, record.fileId)) {
          await translated(() => this.#files.generations.passBy(record.fileId));
        }
        await translated(() => this.#manifests.remove(name));
        this.#index.delete(dataset);
        this.#claims.dropAll(name);
        if (deleteData) await inOwnFolder(() => removeFile(record.path));
        await this.#letGoOf(record.fileId);
      });
      return record;
    });
  }

  async #make(request: CreateRequest, precondition: Precondition): Promise<Dataset> {
    const { name, overwrite = false } = request;
    if (this.has(name) && !overwrite) failTaken(name, 'Replace it with mode w+ and overwrite true.');
    const array = newArrayOf(request);
    const target =
      request.path === undefined
        ? path.join(this.arraysDir, `${name}.${array.format}`)
        : await this.#files.roots.place(request.path);
    if (request.path !== undefined) await checkFileSystem(target, this.#remoteWrites);
    const record = createdRecord(request, array, target);
    return this.#place(record, overwrite, fd => writeArray(fd, target, array), precondition);
  }

  async #register(request: CreateRequest): Promise<Dataset> {
    const { name, mode = 'r' } = request;
    if (this.has(name)) failTaken(name, 'Forget it first, or choose another name.');
    const realPath = await this.#files.roots.find(request.path!);
    const found = await inspectFile(this.#files.roots, realPath, request);
    checkDims(request.dims ?? null, found.shape.length);
    if (mode !== 'r') await checkCanWrite(this.#files.roots, realPath, this.#remoteWrites, found);
    await this.#claims.refreshOthers(found.identity, realPath);
    this.#claims.checkSettled(realPath);
    this.#claims.refresh(realPath, found.identity);
    const twin = this.#claims.first(found.identity, realPath);
    const external = twin && (this.#index.find(twin.name)?.record.external ?? true);
    const record = registeredRecord(request, found, realPath, { fileId: twin?.fileId, external });
    if (isWritable(record)) this.#claims.checkSoleWriter(name, found.identity, realPath);
    const endsExternal = external === true && !record.external ? (): void => {} : undefined;
    return this.#claiming(claimOf(record, found.identity), async claim =>
      this.#save(await this.#begun(record, undefined), claim, endsExternal),
    );
  }

  /** The dataset takes on what the header of its file says now. False where that is no array, or not a whole one. */
  async #learn(dataset: Dataset, file: OpenFile): Promise<boolean> {
    const { name, fileId } = dataset.record;
    return this.#held.hold(name, async () => {
      // Another request was first; who has the old record is told all the same.
      if (this.#index.find(name) !== dataset) return true;
      const header = await arrayIn(file.fd);
      if (!header) return false;
      const record = relearnedRecord(dataset.record, header);
      // What the journal holds was meant for the array that is gone, and has been applied.
      await translated(() =>
        this.#files.countUnseenChange(
          fileId,
          () => undefined,
          () => this.#manifests.save(record),
        ),
      );
      const { dev, ino } = file.identity;
      this.#claims.refresh(record.path, `${dev}:${ino}`);
      this.#index.insert(record);
      return true;
    });
  }

  /** With the generation that it begins at: above that of what had its name, whatever that was. */
  async #begun(record: DatasetRecord, previous: Dataset | undefined): Promise<DatasetRecord> {
    const firstGeneration = previous
      ? previous.generation + 1
      : await translated(() => this.#files.begin(record.fileId));
    return { ...record, firstGeneration };
  }

  /** Makes the file of a record, in the place of the dataset of this name, if there is one. */
  async #place(
    record: DatasetRecord,
    overwrite: boolean,
    write: IncomingArray['write'],
    precondition: Precondition,
  ): Promise<Dataset> {
    const previous = this.#index.find(record.name);
    // Nothing is awaited between the question and the claim.
    this.#claims.checkReplaceable(record.name, record.path);
    return this.#claiming(claimOf(record, undefined), async pending => {
      const settle = async (): Promise<void> => {
        const claim = this.#claims.add({ ...pending, identity: await identityOf(record.path) });
        this.#insert(placement.record, claim);
        if (previous) await this.#removeReplaced(previous.record);
      };
      const placement = {
        record: await this.#begun(record, previous),
        overwrite,
        previous,
        precondition,
        write,
        settle,
      };
      await placeArray(this.#files, this.#manifests, placement);
      return this.get(record.name);
    });
  }

  /**
   * `endsExternal`: until now other programs might write the file, and what is known of its bytes may be out of date. It
   * is called when it is the change's turn, and throws to refuse it.
   */
  async #save(record: DatasetRecord, claim: Claim, endsExternal?: () => void): Promise<Dataset> {
    if (endsExternal) await translated(() => this.#files.countUnseenChange(record.fileId, endsExternal));
    await translated(() => this.#manifests.save(record));
    return this.#insert(record, claim);
  }

  /** The file is spoken for while a manifest is written, so that nobody becomes its second writer meanwhile. */
  async #claiming(claim: Claim, work: (claim: Claim) => Promise<Dataset>): Promise<Dataset> {
    this.#claims.add(claim);
    try {
      return await work(claim);
    } catch (error) {
      this.#claims.drop(claim);
      if (!this.#claims.isUsed(claim.fileId)) await this.#files.generations.abandon(claim.fileId);
      throw error;
    }
  }

  /** Makes a dataset visible. Its claim takes the place of whatever the name claimed before. */
  #insert(record: DatasetRecord, claim: Claim): Dataset {
    const dataset = this.#index.insert(record);
    this.#claims.dropAll(record.name, claim);
    return dataset;
  }

  /** An array of ours that nobody can reach any more: its name now belongs to another file. */
  async #removeReplaced(previous: DatasetRecord): Promise<void> {
    const isReachable =
      this.#claims.first(undefined, previous.path) !== undefined || this.#claims.isUsed(previous.fileId);
    if (!isReachable && this.#isOwned(previous)) await inOwnFolder(() => removeFile(previous.path));
    await this.#letGoOf(previous.fileId);
  }

  /** What a precondition is asked about. A name whose dataset cannot be served is taken, too. */
  #standing(name: string): Standing {
    const dataset = this.#index.find(name);
    if (dataset) return standingOf(dataset);
    return this.#index.reasonOf(name) === undefined ? undefined : 'untagged';
  }

  async #letGoOf(fileId: string): Promise<void> {
    if (!this.#claims.isUsed(fileId)) await translated(() => this.#files.forget(fileId));
  }

  /** @throws not_owned, file_in_use */
  #checkDeletable(record: DatasetRecord): void {
    if (!this.#isOwned(record)) {
      fail('not_owned', 'Only arrays that the service made can be deleted. Use data=keep to forget the dataset.', {
        dataset: record.name,
      });
    }
    this.#claims.checkUnshared(record);
  }

  #isOwned(record: DatasetRecord): boolean {
    return record.made && record.path.startsWith(`${this.arraysDir}/`);
  }

  async #holding<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (this.size >= LIMITS.datasetsMax && !this.has(name)) {
      fail('too_large', `The service holds ${this.size} datasets; ${LIMITS.datasetsMax} are possible.`, {
        limit: LIMITS.datasetsMax,
      });
    }
    return this.#held.hold(name, work);
  }
}
