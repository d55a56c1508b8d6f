/**
 * Name → dataset. The index lives in memory, manifests make it durable; a change is on disk before it is visible.
 * Hazard: two requests for one name at a time. A name that is being made, changed or removed is held meanwhile.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { fail, systemErrorCode } from '../errors.js';
import { Dataset } from '../dataset/dataset.js';
import { isWritable, type DatasetRecord, type Mode } from '../dataset/record.js';
import { parseDType } from '../dtype.js';
import { removeTemporaries } from '../file/atomic.js';
import type { FileTable } from '../file/file-table.js';
import { kindOfFileSystem } from '../file/file-system.js';
import { closeDescriptor } from '../file/io.js';
import { translated } from '../file/system-errors.js';
import { npyHeader, parseJsonScalar } from '../formats/index.js';
import { sizeOf } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { createArrayFile } from './array-files.js';
import { headerMatches, inspectFile } from './inspect.js';
import { Manifests } from './manifests.js';
import { checkName, SortedNames } from './names.js';
import { checkAttrs, checkDims, checkRequest, makesFile, type CreateRequest } from './request.js';

export interface RegistryOptions {
  readonly dataDir: string;
  readonly files: FileTable;
  /** Writable datasets on network and FUSE file systems. */
  readonly remoteWrites: 'refuse' | 'allow';
}

/** What PATCH may change; undefined leaves a member alone. */
export interface RecordPatch {
  readonly attrs?: Readonly<Record<string, unknown>>;
  readonly dims?: readonly string[] | null;
  readonly mode?: Mode;
  readonly external?: boolean;
}

export class Registry {
  readonly arraysDir: string;
  readonly #files: FileTable;
  readonly #manifests: Manifests;
  readonly #remoteWrites: RegistryOptions['remoteWrites'];
  readonly #datasets = new Map<string, Dataset>();
  readonly #names = new SortedNames();
  readonly #quarantined = new Map<string, string>();
  /** (device:inode) of every dataset's file, as last seen. */
  readonly #identities = new Map<string, string>();
  readonly #held = new Set<string>();

  constructor({ dataDir, files, remoteWrites }: RegistryOptions) {
    this.arraysDir = path.join(dataDir, 'arrays');
    this.#files = files;
    this.#remoteWrites = remoteWrites;
    this.#manifests = new Manifests(dataDir);
  }

  /** Loads every manifest. Files are looked at, not opened. */
  async load(): Promise<void> {
    await removeTemporaries(this.arraysDir);
    const { records, quarantined } = await this.#manifests.load();
    for (const { name, reason } of quarantined) this.#quarantined.set(name, reason);
    for (const record of records) {
      const reason = this.#whyNotServed(record);
      if (reason === undefined) this.#insert(record);
      else this.#quarantined.set(record.name, reason);
    }
    await Promise.all(records.map(record => this.#see(record)));
  }

  get size(): number {
    return this.#datasets.size;
  }

  /** Name and reason of every dataset that could not be loaded. */
  get quarantined(): { name: string; reason: string }[] {
    return [...this.#quarantined].map(([name, reason]) => ({ name, reason }));
  }

  /** @throws unknown_dataset, quarantined */
  get(name: string): Dataset {
    return this.#datasets.get(name) ?? this.#explainMissing(name);
  }

  has(name: string): boolean {
    return this.#datasets.has(name);
  }

  /** The datasets on files, by the files' ids. */
  namesOf(fileIds: readonly string[]): string[] {
    return [...this.#datasets.values()]
      .filter(({ record }) => fileIds.includes(record.fileId))
      .map(({ record }) => record.name);
  }

  /** Datasets in the order of their names' bytes. */
  list(prefix: string, after: string | undefined, limit: number): Dataset[] {
    return this.#names.page(prefix, after, limit).map(name => this.#datasets.get(name)!);
  }

  /** Registers a file or makes an array. */
  async create(request: CreateRequest): Promise<Dataset> {
    checkRequest(request);
    return this.#holding(request.name, () => (makesFile(request) ? this.#make(request) : this.#register(request)));
  }

  /**
   * Registers a file that was just written under `arrays/` by an import. `place` puts it there and returns the record's
   * geometry.
   */
  async adopt(
    name: string,
    overwrite: boolean,
    place: (target: string) => Promise<Pick<DatasetRecord, 'dtype' | 'shape' | 'order' | 'offset'>>,
  ): Promise<{ dataset: Dataset; replaced: boolean }> {
    checkName(name);
    return this.#holding(name, async () => {
      const previous = this.#datasets.get(name);
      if (previous && !overwrite) this.#failExists(name, 'Import with ?overwrite=true to replace it.');
      const target = path.join(this.arraysDir, `${name}.npy`);
      this.#checkReplaceable(target, name);
      const geometry = await place(target);
      const record: DatasetRecord = {
        name,
        ...this.#freshIds(),
        path: target,
        mode: 'r+',
        format: 'npy',
        external: false,
        attrs: {},
        dims: null,
        ...geometry,
      };
      return { dataset: await this.#replace(record, previous), replaced: previous !== undefined };
    });
  }

  async patch(name: string, patch: RecordPatch): Promise<Dataset> {
    return this.#holding(name, async () => {
      const { record } = this.get(name);
      const changed: DatasetRecord = {
        ...record,
        ...(patch.attrs !== undefined && { attrs: patch.attrs }),
        ...(patch.dims !== undefined && { dims: patch.dims }),
        ...(patch.mode !== undefined && { mode: patch.mode }),
        ...(patch.external !== undefined && { external: patch.external }),
      };
      checkAttrs(changed.attrs);
      checkDims(changed.dims, changed.shape.length);
      if (isWritable(changed) && !isWritable(record)) {
        await this.#checkCanWrite(changed.path);
        this.#checkSoleWriter(name, this.#identities.get(name));
      }
      await translated(() => this.#manifests.save(changed));
      return this.#insert(changed);
    });
  }

  /** Forgets a dataset; with `deleteData` also its file. @throws not_owned, file_in_use */
  async forget(name: string, deleteData: boolean): Promise<void> {
    checkName(name);
    await this.#holding(name, async () => {
      const dataset = this.#datasets.get(name);
      if (!dataset) {
        // A quarantined manifest may be given up, but what it points to is not known.
        if (!this.#quarantined.has(name) || deleteData) this.#explainMissing(name);
        await translated(() => this.#manifests.remove(name));
        this.#quarantined.delete(name);
        return;
      }
      const { record } = dataset;
      if (deleteData) this.#checkDeletable(record);
      await translated(() => this.#manifests.remove(name));
      this.#remove(name);
      if (deleteData) await translated(() => fs.rm(record.path, { force: true }));
      if (!this.#isFileUsed(record.fileId)) await translated(() => this.#files.forget(record.fileId));
    });
  }

  async #make(request: CreateRequest): Promise<Dataset> {
    const { name, shape = [], overwrite = false } = request;
    // With one axis or none both orders are the same layout; numpy calls it C.
    const order = shape.length > 1 ? (request.order ?? 'C') : 'C';
    const previous = this.#datasets.get(name);
    if (previous && !overwrite) this.#failExists(name, 'Replace it with mode w+ and overwrite true.');
    const dtype = parseDType(request.dtype!);
    checkDims(request.dims ?? null, shape.length);
    const fill = request.fill === undefined ? undefined : parseJsonScalar(request.fill, dtype);
    const format = request.format ?? 'npy';
    const target =
      request.path === undefined
        ? path.join(this.arraysDir, `${name}.${format}`)
        : await this.#files.roots.place(request.path);
    this.#checkReplaceable(target, name);
    if (request.path !== undefined) await this.#checkPlace(target);
    const header = format === 'npy' ? npyHeader({ dtype, shape, order }) : new Uint8Array(0);
    const nbytes = sizeOf(shape) * dtype.itemsize;
    await createArrayFile({ path: target, overwrite, header, nbytes, fill, sparse: request.sparse ?? false });
    const record: DatasetRecord = {
      name,
      ...this.#freshIds(),
      path: target,
      dtype: dtype.typestr,
      shape,
      order,
      offset: header.byteLength,
      mode: request.mode ?? 'r+',
      format,
      external: request.external ?? false,
      attrs: request.attrs ?? {},
      dims: request.dims ?? null,
    };
    return this.#replace(record, previous);
  }

  async #register(request: CreateRequest): Promise<Dataset> {
    const { name, mode = 'r' } = request;
    if (this.#datasets.has(name)) this.#failExists(name, 'Forget it first, or choose another name.');
    const realPath = await this.#files.roots.find(request.path!);
    const found = await inspectFile(this.#files.roots, realPath, request);
    checkDims(request.dims ?? null, found.shape.length);
    if (mode !== 'r') await this.#checkCanWrite(realPath);
    const twin = this.#withIdentity(found.identity);
    const record: DatasetRecord = {
      name,
      id: randomId(),
      fileId: twin?.record.fileId ?? randomId(),
      path: realPath,
      dtype: found.dtype.typestr,
      shape: found.shape,
      order: found.order,
      offset: found.offset,
      mode,
      format: found.format,
      external: request.external ?? twin?.record.external ?? true,
      attrs: request.attrs ?? {},
      dims: request.dims ?? null,
    };
    if (isWritable(record)) this.#checkSoleWriter(name, found.identity);
    // From here the file is spoken for, so that a request that arrives meanwhile cannot become its second writer.
    this.#identities.set(name, found.identity);
    try {
      await translated(() => this.#manifests.save(record));
      return this.#insert(record);
    } catch (error) {
      this.#identities.delete(name);
      throw error;
    }
  }

  /** Puts a record whose file was just made in the place of an earlier one, and goes on with its generations. */
  async #replace(record: DatasetRecord, previous: Dataset | undefined): Promise<Dataset> {
    return translated(async () => {
      if (previous) await this.#files.generations.startAbove(record.fileId, previous.generation);
      await this.#manifests.save(record);
      const dataset = this.#insert(record);
      await this.#see(record);
      if (previous) await this.#letGoOf(previous.record, record.path);
      return dataset;
    });
  }

  async #letGoOf(previous: DatasetRecord, keptPath: string): Promise<void> {
    // An array of ours that nobody can reach any more: its name now belongs to another file.
    if (previous.path !== keptPath && this.#isOwned(previous)) await fs.rm(previous.path, { force: true });
    if (!this.#isFileUsed(previous.fileId)) await this.#files.forget(previous.fileId);
  }

  #whyNotServed(record: DatasetRecord): string | undefined {
    if (!this.#files.roots.has(record.path)) {
      return 'its file is outside the folders that are served now (HYPERSLAB_ROOTS)';
    }
    if (this.#files.generations.isDamaged(record.fileId)) return 'the counter of its generations is damaged';
    return undefined;
  }

  #insert(record: DatasetRecord): Dataset {
    const dataset = new Dataset(record, this.#files, headerMatches);
    this.#datasets.set(record.name, dataset);
    this.#names.add(record.name);
    this.#quarantined.delete(record.name);
    return dataset;
  }

  #remove(name: string): void {
    this.#datasets.delete(name);
    this.#names.delete(name);
    this.#identities.delete(name);
  }

  /** Notes which inode a dataset is on; a file that is missing has none. */
  async #see(record: DatasetRecord): Promise<void> {
    try {
      const { dev, ino } = await fs.stat(record.path, { bigint: true });
      this.#identities.set(record.name, `${dev}:${ino}`);
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
    }
  }

  #withIdentity(identity: string): Dataset | undefined {
    for (const [name, seen] of this.#identities) {
      const dataset = this.#datasets.get(name);
      if (seen === identity && dataset) return dataset;
    }
    return undefined;
  }

  /** @throws file_in_use when another dataset may write the file */
  #checkSoleWriter(name: string, identity: string | undefined): void {
    for (const [other, seen] of this.#identities) {
      const record = this.#datasets.get(other)?.record;
      if (other !== name && seen === identity && (!record || isWritable(record))) {
        fail(
          'file_in_use',
          `The file is registered for writing as ${other}. Register it with mode r, or write through ${other}.`,
          {
            dataset: other,
          },
        );
      }
    }
  }

  /** @throws file_in_use when another dataset has the file that would be replaced */
  #checkReplaceable(target: string, name: string): void {
    for (const { record } of this.#datasets.values()) {
      if (record.path === target && record.name !== name) {
        fail('file_in_use', `The file is registered as ${record.name}. Forget that dataset first.`, {
          dataset: record.name,
        });
      }
    }
  }

  #checkDeletable(record: DatasetRecord): void {
    if (!this.#isOwned(record)) {
      fail('not_owned', 'Only arrays that the service made can be deleted. Use data=keep to forget the dataset.', {
        dataset: record.name,
      });
    }
    for (const other of this.#datasets.values()) {
      if (other.record.name !== record.name && other.record.fileId === record.fileId) {
        fail('file_in_use', `The file is registered as ${other.record.name} too. Forget that dataset first.`, {
          dataset: other.record.name,
        });
      }
    }
  }

  async #checkCanWrite(realPath: string): Promise<void> {
    await translated(() => this.#checkPlace(realPath));
    await closeDescriptor(await this.#files.roots.open(realPath, true));
  }

  /** @throws file_system_refused where a flush may not hold what it promises */
  async #checkPlace(realPath: string): Promise<void> {
    if (this.#remoteWrites === 'allow') return;
    const kind = await kindOfFileSystem(path.dirname(realPath));
    if (!kind.mappable) {
      fail(
        'file_system_refused',
        `The file is on ${kind.name}, which may lose what it confirmed. Use mode r, or set HYPERSLAB_REMOTE_WRITES=allow.`,
        { file_system: kind.name },
      );
    }
  }

  #isOwned(record: DatasetRecord): boolean {
    return record.path.startsWith(`${this.arraysDir}/`) && !record.external;
  }

  #isFileUsed(fileId: string): boolean {
    return [...this.#datasets.values()].some(({ record }) => record.fileId === fileId);
  }

  #freshIds(): { id: string; fileId: string } {
    return { id: randomId(), fileId: randomId() };
  }

  #failExists(name: string, remedy: string): never {
    return fail('exists', `A dataset named ${name} exists. ${remedy}`, { dataset: name });
  }

  #explainMissing(name: string): never {
    const reason = this.#quarantined.get(name);
    if (reason !== undefined) {
      fail(
        'quarantined',
        `The dataset could not be loaded: ${reason}. Mend it and restart, or forget it with DELETE.`,
        {
          dataset: name,
          reason,
        },
      );
    }
    return fail(
      'unknown_dataset',
      `No dataset is named ${JSON.stringify(name.slice(0, 140))}. GET /v1/datasets lists them.`,
      {
        dataset: name.slice(0, 140),
      },
    );
  }

  async #holding<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (this.#held.has(name)) {
      fail('busy', `The dataset ${name} is being made, changed or removed by another request. Repeat in a moment.`, {
        dataset: name,
      });
    }
    if (this.#datasets.size >= LIMITS.datasetsMax && !this.#datasets.has(name)) {
      fail('too_large', `The service holds ${this.#datasets.size} datasets; ${LIMITS.datasetsMax} are possible.`, {
        limit: LIMITS.datasetsMax,
      });
    }
    this.#held.add(name);
    try {
      return await work();
    } finally {
      this.#held.delete(name);
    }
  }
}

function randomId(): string {
  return randomBytes(12).toString('hex');
}
