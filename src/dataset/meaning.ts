/**
 * Whether a file still is what the record says of it: by its first bytes, or, of a member, by the index of its container.
 * Hazard: other programs write at any moment. What was found is remembered with the bytes, or the number of changes, that
 * it was found by, and asked again when these are others.
 */
import { closeDescriptor } from '../file/io.js';
import type { FileReference } from '../file/file-reference.js';
import type { FileTable } from '../file/file-table.js';
import { KIND_BYTES, kindOfHead, readHead, type Head, type HeadKind } from '../file/head.js';
import type { OpenFile } from '../file/open-file.js';
import { failHeader, failKind, failWritten } from '../file/refusals.js';
import { sameShape, sizeOf } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { isWritable, type DatasetRecord, type Geometry } from './record.js';
import type { ContentCheck } from './registration.js';

/** How often the index of a container is read that another program writes meanwhile. */
const INDEX_TRIES_MAX = 4;

export class Meaning {
  /** What is compared before a file is handed out. */
  readonly header: FileReference['header'];
  readonly #record: DatasetRecord;
  readonly #geometry: Geometry;
  readonly #files: FileTable;
  readonly #check: ContentCheck;
  /** What was last found to mean what the record says, and in which file. */
  #head: Head | undefined;
  /** The same of a member: the file, and how often it had changed, when its index was read; not while it was young. */
  #indexed: { readonly file: OpenFile; readonly changes: number; readonly isYoung: boolean } | undefined;

  constructor(record: DatasetRecord, geometry: Geometry, files: FileTable, check: ContentCheck) {
    this.#record = record;
    this.#geometry = geometry;
    this.#files = files;
    this.#check = check;
    const { format, offset, external, content } = record;
    const npy = { bytes: offset, isIts: (head: Uint8Array) => this.#shapeOf(head) !== undefined };
    // As much of the index as is compared before a journal is replayed.
    const tensors = { ...npy, bytes: Math.min(offset, LIMITS.npyHeaderBytesMax) };
    const raw = { bytes: KIND_BYTES, isIts: (head: Uint8Array) => this.#isStillRaw({ bytes: head }) };
    // Nobody but the service writes the others, and what it writes is meant.
    const byFormat = {
      npy,
      safetensors: tensors,
      npz: undefined,
      raw: external && content !== undefined ? raw : undefined,
    };
    this.header = byFormat[format];
  }

  /** Whether it was found in what the file is at this moment. */
  isKnownOf(file: OpenFile): boolean {
    return file.head === this.#head && (!this.#isMember || this.#isIndexed(file));
  }

  /** Where the first bytes, or the index, are others than were looked at, so may be the size; or a recovery cut it off. */
  mayBeAnother(file: OpenFile): boolean {
    if (this.#isMember) return !this.#isIndexed(file);
    return this.#record.format === 'npy' ? file.head !== this.#head : this.#hasRecoveredEnd(file);
  }

  /** Whether the file is as the record says; remembered until it changes. @throws file_changed */
  async accepts(file: OpenFile): Promise<boolean> {
    return this.#isMember ? this.#acceptsIndex(file) : this.#acceptsHead(file);
  }

  /**
   * Asked again when bytes were taken. `mayHaveGrown`: the service has changed the length since the record was made.
   * @throws file_changed
   */
  recheck(file: OpenFile, mayHaveGrown: boolean, changedMs?: number): void {
    if (this.#isMember) {
      // What the index says now cannot be found out in this step.
      if (this.#indexed?.file !== file || this.#indexed.changes !== file.changesNoticed) failWritten();
      return;
    }
    const isOutgrown = file.head !== this.#head && mayHaveGrown && this.isOfSomeLength(file);
    if (file.head !== this.#head && !isOutgrown && !this.#acceptsHead(file)) failHeader();
    const isSame = changedMs === undefined || changedMs === file.stamp.ctimeMs;
    if (!isSame && this.#record.format === 'npy' && !file.state.isWriting) failWritten();
  }

  /** Whether nothing but the length of the array may be another than the record says. */
  isOfSomeLength(file: OpenFile): boolean {
    const { format, offset } = this.#record;
    return format !== 'npy' || this.#shapeOf(file.headOf(offset).bytes) !== undefined;
  }

  /** Whether the array is another length of what the record says: grown by who appends, or cut by an earlier run. */
  isOfOtherLength(file: OpenFile): boolean {
    return this.#hasRecoveredEnd(file) || this.#isLonger(file.headOf(this.#record.offset).bytes);
  }

  /** Whether the .npy has more rows than the record; asked of the file at the path where none is open. */
  async hasGrown(file: OpenFile | undefined): Promise<boolean> {
    return file ? this.#isLonger(file.headOf(this.#record.offset).bytes) : this.#headed(head => this.#isLonger(head));
  }

  /** @throws file_changed where a raw file has become a container */
  checkRaw(file: OpenFile): void {
    if (this.#record.format === 'raw') failKind(kindOfHead(file.headOf(KIND_BYTES)));
  }

  /** Whether what stands at the path says what the record says. */
  async isStillThere(): Promise<boolean> {
    const { header } = this;
    if (this.#isMember) return this.#opened(fd => this.#check.member(fd, this.#record));
    if (!header) return true;
    const { format, shape } = this.#record;
    return this.#headed(head => (format === 'npy' ? this.#saysShape(head, shape) : header.isIts(head)));
  }

  get #isMember(): boolean {
    return this.#record.member !== undefined;
  }

  #shapeOf(head: Uint8Array): readonly number[] | undefined {
    return this.#check.head(head.subarray(0, this.#record.offset), this.#record);
  }

  #saysShape(head: Uint8Array, shape: readonly number[]): boolean {
    const said = this.#shapeOf(head);
    return said !== undefined && sameShape(said, shape);
  }

  /** A header with more rows than the record, as who appends to a file leaves it: what was there is there still. */
  #isLonger(head: Uint8Array): boolean {
    const shape = this.#record.format === 'npy' ? this.#shapeOf(head) : undefined;
    return shape !== undefined && sizeOf(shape) > this.#geometry.size;
  }

  /** What is to be said of the first bytes that stand at the path. */
  #headed<T>(look: (head: Uint8Array) => T): Promise<T> {
    return this.#opened(fd => Promise.resolve(look(readHead(fd, this.header?.bytes ?? KIND_BYTES))));
  }

  async #opened<T>(look: (fd: number) => Promise<T>): Promise<T> {
    const fd = await this.#files.roots.open(this.#record.path, false);
    try {
      return await look(fd);
    } finally {
      await closeDescriptor(fd);
    }
  }

  #acceptsHead(file: OpenFile): boolean {
    const { format, shape } = this.#record;
    const head = file.headOf(this.header?.bytes ?? KIND_BYTES);
    if (format === 'raw') file.state.kind ??= this.#content ?? kindOfHead(head);
    const said = format === 'npy' ? this.#shapeOf(head.bytes) : shape;
    if (!said || !sameShape(said, shape) || this.#hasRecoveredEnd(file)) return false;
    if (format === 'raw' && !this.#isStillRaw(head)) return false;
    file.verify(this.#geometry.endBytes);
    this.#head = head;
    return true;
  }

  #isIndexed(file: OpenFile): boolean {
    return this.#indexed?.file === file && this.#indexed.changes === file.changesNoticed && !this.#indexed.isYoung;
  }

  /** Whether the index of the container still has the member where, and as what, the record says. */
  async #acceptsIndex(file: OpenFile): Promise<boolean> {
    for (let tries = 0; tries < INDEX_TRIES_MAX; tries++) {
      const head = file.headOf(KIND_BYTES);
      const changes = file.changesNoticed;
      const { isYoung } = file;
      if (this.#isIndexed(file)) return true;
      // oxlint-disable-next-line no-await-in-loop
      if (!(await this.#check.member(file.fd, this.#record))) return false;
      file.recheck();
      if (file.changesNoticed !== changes) continue;
      file.verify(this.#geometry.endBytes);
      this.#head = head;
      this.#indexed = { file, changes, isYoung };
      return true;
    }
    return failWritten();
  }

  /** A raw array that an earlier run made longer or shorter, and this one has not noted yet. */
  #hasRecoveredEnd({ state: { recoveredEnd } }: OpenFile): boolean {
    const { format, offset } = this.#record;
    return (
      format === 'raw' &&
      isWritable(this.#record) &&
      recoveredEnd !== undefined &&
      recoveredEnd !== offset + this.#geometry.nbytes
    );
  }

  /** What the file began as when it was registered, where others may have changed that since. */
  get #content(): HeadKind | undefined {
    return this.#record.external ? this.#record.content : undefined;
  }

  /** A raw file may begin with anything, but not become a container: its bytes would be taken for elements. */
  #isStillRaw(head: Head): boolean {
    const kind = kindOfHead(head);
    const state = this.#files.knownStateOf(this.#record.fileId);
    return kind === 'raw' || kind === this.#content || kind === state?.kind || state?.isWriting === true;
  }
}
