/**
 * One open file: its descriptor and its windows.
 * Hazard: other programs may truncate or replace the file at any time; `verify` before every answer.
 */
import fs from 'node:fs';
import { memoryLimit } from '../cgroup.js';
import { LIMITS } from '../limits.js';
import type { PageTable, SourceDescriptor } from '../descriptor.js';
import type { ByteSource } from '../layout/gather.js';
import { gapsOfOthers, type Gaps } from './alter.js';
import type { FileState } from './file-state.js';
import { HeadWatch, kindOfHead, type Head } from './head.js';
import { closeDescriptor, readFully } from './io.js';
import { libc, PAGE_BYTES } from './libc.js';
import { pagesAround, type MappingBackend } from './mapping.js';
import type { WindowCount } from './open-files.js';
import { bytesOfPath } from './path-bytes.js';
import { failChanged, failReplaced, failTruncated } from './refusals.js';
import { takeRoom } from './slab.js';
import { Windows } from './windows.js';

/** The unit of st_blocks, whatever the file system. */
const STAT_BLOCK_BYTES = 512;

export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** A file, and when it was last seen to change. */
export interface FileStamp extends FileIdentity {
  readonly ctimeMs: number;
  readonly bytes: number;
}

export function sameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

/** Whether what was found at a path is that file. */
export function isSameFile({ dev, ino }: FileIdentity, found: fs.Stats): boolean {
  return Number(dev) === found.dev && Number(ino) === found.ino;
}

/** The same, and nothing has been done to it since. */
export function isStampOf(stamp: FileStamp, found: fs.Stats): boolean {
  return isSameFile(stamp, found) && stamp.ctimeMs === found.ctimeMs && stamp.bytes === found.size;
}

interface OpenFileInit {
  readonly fd: number;
  readonly realPath: string;
  readonly writable: boolean;
  readonly state: FileState;
  /** Undefined: every read is positional. */
  readonly backend: MappingBackend | undefined;
  /** Windows of all files, which this one's are counted among. */
  readonly mapped?: WindowCount;
  /** Called when it is closed for good. */
  readonly onClosed?: (file: OpenFile) => void;
}

/** A file that stays as it is while it is read. */
export interface FrozenFile {
  readonly file: OpenFile;
  /** Must be called when the reader has ended. */
  readonly release: () => void;
}

const nothing = (): void => {};

/** What the container may use: it does not change while the process runs. */
const cacheBytes = memoryLimit() ?? Infinity;

/** A file in use, whatever is behind it: one of the disk, or several that are read as one (joined-file.ts). */
export type OpenFile = Pick<PlainFile, keyof PlainFile>;

export class PlainFile {
  readonly fd: number;
  readonly realPath: string;
  readonly writable: boolean;
  readonly state: FileState;
  readonly identity: FileIdentity;
  /** Mapped bytes may go to a socket: nobody here writes them, and they can be read in off the event loop. */
  readonly sendsMapped: boolean;
  /** What may be done about the bytes between elements where other programs may write them. */
  readonly gapsOfOthers: Gaps;
  /** The identity as numbers, which are cheaper to ask for at every request; rounding cannot hide a change for long. */
  readonly #device: number;
  readonly #inode: number;
  readonly #windows: Windows | undefined;
  /** mincore tells the truth only to those who could write the file. */
  readonly #residencyTrusted: boolean;
  /** Reading all of it would push everything else out of the container's memory. */
  readonly #outgrowsCache: boolean;
  readonly #onClosed: OpenFileInit['onClosed'];
  readonly #watch: HeadWatch;
  /** What stands over its bytes where a dataset of mode c looks at it (private-file.ts). */
  readonly pages: PageTable | undefined = undefined;
  /** Its bytes are those of several files: workers read them, by the table of its parts. */
  readonly isJoined: boolean = false;
  /** Another program has written the file, and its generation has not moved for it yet. */
  hasUnseenChange = false;
  /** How often that was noticed: while it stands still, what was read of the file holds, wherever in it that stands. */
  changesNoticed = 0;
  #leases = 0;
  /** The size that was found in this turn of the event loop. */
  #verifiedBytes: number | undefined;
  /** Another file stands at the path, or will: what waits to be written to this one has come too late. */
  isDropped = false;
  #retired = false;
  #closed = false;

  constructor({ fd, realPath, writable, state, backend, mapped = { windows: 0 }, onClosed }: OpenFileInit) {
    this.#onClosed = onClosed;
    const stats = fs.fstatSync(fd, { bigint: true });
    this.fd = fd;
    this.realPath = realPath;
    this.writable = writable;
    this.state = state;
    this.identity = { dev: stats.dev, ino: stats.ino };
    this.#watch = new HeadWatch(fd);
    this.#device = Number(stats.dev);
    this.#inode = Number(stats.ino);
    const usable = backend && Number(stats.size) <= backend.fileBytesMax ? backend : undefined;
    this.#windows = usable && new Windows(fd, usable, mapped);
    this.gapsOfOthers = gapsOfOthers(usable !== undefined);
    this.sendsMapped = usable !== undefined && !writable && libc() !== undefined;
    this.#outgrowsCache = Number(stats.size) > cacheBytes / 2;
    const user = process.geteuid?.();
    this.#residencyTrusted = writable || user === 0 || user === Number(stats.uid);
  }

  readonly #sizeBytes = (): number => fs.fstatSync(this.fd).size;

  get windowCount(): number {
    return this.#windows?.count ?? 0;
  }

  /** How long the file is now, and whether writing may have to find room on the disk: it has holes. */
  extent(): { bytes: number; isSparse: boolean } {
    const { blocks, size } = fs.fstatSync(this.fd);
    return { bytes: size, isSparse: blocks * STAT_BLOCK_BYTES < size };
  }

  get isIdle(): boolean {
    return this.#leases === 0;
  }

  /**
   * Finds out whether the path still leads to this file and whether it still has `endBytes` bytes. The kernel is asked
   * once per turn of the event loop: requests of one turn had all arrived when it began, so whatever a client changed
   * before it sent its request is seen.
   * Returns how many bytes it has. @throws file_changed with `reason`: replaced, deleted or truncated
   */
  verify(endBytes: number): number {
    const size = this.#verifiedBytes ?? this.#look();
    if (size < endBytes) failTruncated(size, endBytes);
    return size;
  }

  /** The first bytes as they are now, at least so many of them. Another object where they are others. */
  headOf(length: number): Head {
    this.#watch.reach(length);
    this.recheck();
    return this.#watch.head!;
  }

  /** The same as last looked at. */
  get head(): Head | undefined {
    return this.#watch.head;
  }

  /** Its times are too young to tell the next change apart from the last. */
  get isYoung(): boolean {
    return this.#watch.isYoung;
  }

  get stamp(): FileStamp {
    return { ...this.identity, ...this.#watch.stamp };
  }

  /** Looks at the open file, wherever it is by now: bytes that were taken from it before have the meaning of `head`. */
  recheck(): void {
    this.#notice(fs.fstatSync(this.fd));
  }

  /** A write of ours has ended: it is what moved the times of the file. */
  noteOwnWrite(): void {
    this.#watch.look(fs.fstatSync(this.fd));
    this.state.kind = kindOfHead(this.#watch.head!);
    this.state.isWriting = false;
  }

  #notice(found: fs.Stats): void {
    if (!this.#watch.look(found) || this.state.isWriting) return;
    this.hasUnseenChange = true;
    this.changesNoticed++;
  }

  /** The size of the file at the path, which must be this one. */
  #look(): number {
    const found = fs.statSync(bytesOfPath(this.realPath), { throwIfNoEntry: false });
    if (!found) return failChanged('deleted', 'The file was deleted. Put it back, or forget the dataset.');
    if (found.ino !== this.#inode || found.dev !== this.#device) {
      return failReplaced();
    }
    this.#notice(found);
    this.#verifiedBytes = found.size;
    setImmediate(() => {
      this.#verifiedBytes = undefined;
    });
    return found.size;
  }

  /** Keeps descriptor and windows until the returned function is called. */
  lease(): () => void {
    this.#leases++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#leases--;
      if (this.#retired) this.#closeWhenIdle();
    };
  }

  /**
   * The file for a reader that takes more than this turn. Its bytes are kept by locks and snapshots; this keeps what a
   * dataset of mode c has over them, until it is released, or `cut` because a write needs the memory.
   */
  frozen(_cut?: () => void): FrozenFile {
    return { file: this, release: nothing };
  }

  /** Closes as soon as nobody holds a lease. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#closeWhenIdle();
  }

  /** @throws file_changed, quarantined, durability_unknown, bulk_load */
  checkWritable(): void {
    this.state.checkChangeable();
    if (this.isDropped) failChanged('replaced', 'The file was replaced while the write waited. Repeat the request.');
  }

  /** Reads a small answer on the event loop, if no disk has to be waited for. */
  readNow(start: number, length: number): Uint8Array | undefined {
    const c = libc();
    if (!c) return undefined;
    const room = takeRoom(length);
    return c.readNoWait(this.fd, start, room.address, length) === length ? room.bytes : undefined;
  }

  read(start: number, into: Uint8Array): Promise<void> {
    return readFully(this.fd, into, start);
  }

  /**
   * The same for one piece: what is in memory is copied on the event loop, 0.1 ms for a megabyte, which is less than
   * the way to another thread and back.
   */
  async readPiece(start: number, into: Uint8Array): Promise<void> {
    const c = libc();
    if (c?.readNoWait(this.fd, start, c.addressOf(into), into.byteLength) !== into.byteLength)
      await this.read(start, into);
  }

  /** A mapped source for the event loop, only when the whole of `[start, end)` is known to be in memory. */
  residentSource(start: number, end: number): ByteSource | undefined {
    const c = libc();
    if (!this.#windows || !c || !this.#residencyTrusted || end - start > LIMITS.inlineSpanBytesMax) return undefined;
    const window = this.#windows.holding(start, end, this.#sizeBytes);
    if (window?.address === undefined) return undefined;
    const pages = pagesAround(window.address + start - window.start, end - start);
    if (!c.isResident(pages.first, pages.bytes)) return undefined;
    const at = (from: number, length: number): Uint8Array =>
      window.bytes.subarray(from - window.start, from - window.start + length);
    return { span: at, read: (from, into) => into.set(at(from, into.byteLength)) };
  }

  /** The mapped bytes of a span, read in off the event loop; undefined where they cannot be had this way. */
  async populated(start: number, length: number): Promise<Uint8Array | undefined> {
    const window = this.#windows?.holding(start, start + length, this.#sizeBytes);
    if (window?.address === undefined) return undefined;
    const from = start - window.start;
    const pages = pagesAround(window.address + from, length);
    const c = libc()!;
    const ready =
      (this.#residencyTrusted && c.isResident(pages.first, pages.bytes)) ||
      (await c.populateReadAsync(pages.first, pages.bytes));
    if (!ready) return undefined;
    return window.bytes.subarray(from, from + length);
  }

  /**
   * Gives back the pages of a range that was read for one answer and is not needed again. Only in a container whose
   * memory the file would fill: page cache counts as its memory there. Elsewhere what was read is kept for the next.
   */
  giveBack(start: number, end: number): void {
    if (!this.givesBack || end <= start) return;
    const window = this.#windows?.holding(start, end, this.#sizeBytes);
    const mapped =
      window?.address === undefined ? undefined : pagesAround(window.address + start - window.start, end - start);
    libc()?.dropPages(this.fd, { offset: start, bytes: end - start }, mapped);
  }

  /** Whether it is in such a container. */
  get givesBack(): boolean {
    return this.#outgrowsCache;
  }

  /**
   * What a worker needs to read `[start, end)`. The caller holds a lease meanwhile. `isOurs` promises that nobody but this
   * service writes the file.
   */
  describe(start: number, end: number, isOurs = false): SourceDescriptor {
    const isFar = end - start > LIMITS.lentBytesMax;
    const windows = (isFar ? undefined : this.#windows?.covering(start, end, this.#sizeBytes)) ?? [];
    const lent = windows.flatMap(({ start: from, bytes, address, isShared }) =>
      address === undefined
        ? []
        : [{ start: from, length: bytes.byteLength, address, bytes: isShared ? bytes : undefined }],
    );
    return {
      fd: this.fd,
      windows: lent.length === windows.length ? lent : [],
      residencyTrusted: this.#residencyTrusted,
      keptAs: isOurs && this.#mayBeKept ? this.keptAs : undefined,
    };
  }

  /** The name of its bytes among all files. */
  get keptAs(): string {
    return `${this.identity.dev}:${this.identity.ino}`;
  }

  /** Whether workers may keep it mapped: what fills a container's memory must be given back. */
  get #mayBeKept(): boolean {
    return this.#windows !== undefined && this.#residencyTrusted && !this.#outgrowsCache;
  }

  /** Pages of the range, and how many of them are in memory; undefined where the file is not mapped. */
  residency(start: number, end: number): { pages: number; resident: number } | undefined {
    const c = libc();
    if (!this.#windows || !c) return undefined;
    let resident = 0;
    let pages = 0;
    for (let from = start; from < end; from += LIMITS.spanBytesMax) {
      const to = Math.min(end, from + LIMITS.spanBytesMax);
      const window = this.#windows.holding(from, to, this.#sizeBytes);
      if (window?.address === undefined) return undefined;
      const range = pagesAround(window.address + from - window.start, to - from);
      pages += Math.ceil(range.bytes / PAGE_BYTES);
      resident += c.residentPages(range.first, range.bytes);
    }
    return { pages, resident };
  }

  /**
   * In a later turn: whoever was handed the file in this one has leased it by then. A descriptor that is closed too
   * early would be read as whatever file is opened next.
   */
  #closeWhenIdle(): void {
    setImmediate(() => {
      if (this.#leases > 0 || this.#closed) return;
      this.#closed = true;
      this.#windows?.clear();
      // Nobody is left to be told of a failure, and the kernel has let go of it all the same.
      void closeDescriptor(this.fd)
        .catch(() => undefined)
        .then(() => this.#onClosed?.(this));
    });
  }
}
