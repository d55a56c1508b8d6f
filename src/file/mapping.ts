/**
 * Read-only windows of files in memory, two ways behind one interface: mmap-io below 2 GiB (its arguments are 32-bit
 * and wrap silently), mmap(2) through koffi for the rest.
 * Hazard: touching a page that the file no longer has kills the process (SIGBUS). `populate` every range first.
 */
import { createRequire } from 'node:module';
import { invariant } from '../errors.js';
import { libc, MADV_POPULATE_READ, PAGE_BYTES, type Libc } from './libc.js';
import { Turnstile } from './turnstile.js';

/** Every window starts at a multiple of this: a multiple of any page size in use. */
export const WINDOW_ALIGNMENT_BYTES = 64 * 1024;

export interface Window {
  /** Position in the file of the first byte. */
  readonly start: number;
  readonly bytes: Uint8Array;
  /** Where the bytes are; undefined where koffi is missing. */
  readonly address: number | undefined;
  /** Whether `bytes` can be sent to another thread. */
  readonly isShared: boolean;
  /** Reads in the pages of a range of the window; false when the file does not have them (any more). */
  populate(from: number, length: number): boolean;
  /** Lets go of the memory. Nothing may touch `bytes` afterwards. */
  unmap(): void;
}

export interface MappingBackend {
  readonly name: 'mmap-io' | 'koffi';
  /** The largest file it maps. */
  readonly fileBytesMax: number;
  map(fd: number, start: number, length: number): Window | undefined;
}

export type MappingChoice = 'auto' | 'mmap-io' | 'koffi' | 'positional';

/** The backends of this machine, the preferred one first. */
export function availableBackends(choice: MappingChoice): MappingBackend[] {
  if (choice === 'positional') return [];
  const koffi = choice === 'mmap-io' ? undefined : koffiBackend();
  const mmapIo = choice === 'koffi' ? undefined : mmapIoBackend(koffi ? COUNTED_BYTES_MAX : 2 ** 31 - 1);
  return [mmapIo, koffi].filter(backend => backend !== undefined);
}

/** V8 counts what mmap-io maps as memory of its own: for each gigabyte or two it stops and collects garbage. */
const COUNTED_BYTES_MAX = 32 * 1024 * 1024;

function koffiBackend(): MappingBackend | undefined {
  const c = libc();
  if (!c) return undefined;
  return {
    name: 'koffi',
    fileBytesMax: Number.MAX_SAFE_INTEGER,
    map(fd, start, length) {
      const room = takeRoom(c, length);
      if (!room) return undefined;
      const { address } = room;
      if (!c.mapReadAt(address, fd, start, length)) {
        giveBackRoom(c, room);
        return undefined;
      }
      return {
        start,
        bytes: room.bytes.subarray(0, length),
        address,
        isShared: true,
        populate: (from, count) => populateAt(address, from, count),
        unmap: () => giveBackRoom(c, room),
      };
    },
  };
}

/** Memory that files are mapped into: of a SharedArrayBuffer, which V8 does not count as memory of its own. */
interface Room {
  readonly bytes: Uint8Array;
  readonly address: number;
}

/** A thousand at a time would be more calls than koffi takes. */
const givingUp = new Turnstile(2);

/** Rooms without a file, by their size. They are used again: when they are let go of is up to the garbage collector. */
const freeRooms = new Map<number, Room[]>();

function takeRoom(c: Libc, length: number): Room | undefined {
  const size = roomBytesFor(length);
  const free = freeRooms.get(size)?.pop();
  if (free) return free;
  try {
    // Untouched, it is address space and no memory.
    const memory = new Uint8Array(new SharedArrayBuffer(size + WINDOW_ALIGNMENT_BYTES));
    const address = c.addressOf(memory);
    const from = (WINDOW_ALIGNMENT_BYTES - (address % WINDOW_ALIGNMENT_BYTES)) % WINDOW_ALIGNMENT_BYTES;
    return { bytes: memory.subarray(from, from + size), address: address + from };
  } catch {
    // The system gives no process so much: the file is read by position.
    return undefined;
  }
}

/** Few sizes, so that rooms fit other windows. */
function roomBytesFor(length: number): number {
  return Math.max(WINDOW_ALIGNMENT_BYTES, 2 ** Math.ceil(Math.log2(length)));
}

function giveBackRoom(c: Libc, room: Room): void {
  const size = room.bytes.byteLength;
  void givingUp.run(async () => {
    invariant(await c.giveUpAt(room.address, size), 'memory that a file was mapped into is had back');
    const free = freeRooms.get(size);
    if (free) free.push(room);
    else freeRooms.set(size, [room]);
  });
}

/** Widens the range to whole pages, as madvise wants. */
function populateAt(address: number, from: number, length: number): boolean {
  const { first, bytes } = pagesAround(address + from, length);
  return libc()!.populateRead(first, bytes);
}

/** The page-aligned range that covers `[address, address + length)`. */
export function pagesAround(address: number, length: number): { first: number; bytes: number } {
  const first = address - (address % PAGE_BYTES);
  return { first, bytes: address + length - first };
}

/** What is used of mmap-io. Declared here: the build must not need an optional package. */
interface MmapIo {
  readonly PROT_READ: number;
  readonly MAP_SHARED: number;
  map(size: number, protection: number, flags: number, fd: number, offset: number): Buffer;
  advise(buffer: Buffer, offset: number, length: number, advice: number): void;
}

function mmapIoBackend(fileBytesMax: number): MappingBackend | undefined {
  let mmap: MmapIo;
  try {
    const loaded = createRequire(import.meta.url)('mmap-io') as MmapIo & { default?: MmapIo };
    mmap = loaded.default ?? loaded;
  } catch {
    // Optional: its addon is compiled at install, which needs a compiler.
    return undefined;
  }
  return {
    name: 'mmap-io',
    fileBytesMax,
    map(fd, start, length) {
      invariant(start + length <= 2 ** 31 - 1, 'mmap-io maps below 2 GiB only');
      const buffer = mmap.map(length, mmap.PROT_READ, mmap.MAP_SHARED, fd, start);
      invariant(buffer.byteLength === length, 'a window has the length that was asked for');
      return {
        start,
        bytes: buffer,
        address: libc()?.addressOf(buffer),
        isShared: false,
        populate(from, count) {
          const first = from - (from % PAGE_BYTES);
          try {
            mmap.advise(buffer, first, from + count - first, MADV_POPULATE_READ);
            return true;
          } catch {
            // EFAULT: the file ends before; the self-test has shown that the kernel knows the advice.
            return false;
          }
        },
        // The garbage collector unmaps it; unmapping it by hand would unmap it twice.
        unmap() {},
      };
    },
  };
}
