/**
 * Read-only windows of files in memory, two ways behind one interface: mmap-io below 2 GiB (its arguments are 32-bit
 * and wrap silently), mmap(2) through koffi for the rest.
 * Hazard: touching a page that the file no longer has kills the process (SIGBUS). `populate` every range first.
 */
import { createRequire } from 'node:module';
import { invariant } from '../errors.js';
import { libc, MADV_POPULATE_READ, PAGE_BYTES } from './libc.js';

/** Every window starts at a multiple of this: a multiple of any page size in use. */
export const WINDOW_ALIGNMENT_BYTES = 64 * 1024;

export interface Window {
  /** Position in the file of the first byte. */
  readonly start: number;
  readonly bytes: Uint8Array;
  /** Where the bytes are, for worker threads; undefined where koffi is missing. */
  readonly address: number | undefined;
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
  const all = [mmapIoBackend(), koffiBackend()].filter(backend => backend !== undefined);
  return choice === 'auto' ? all : all.filter(backend => backend.name === choice);
}

function koffiBackend(): MappingBackend | undefined {
  const c = libc();
  if (!c) return undefined;
  return {
    name: 'koffi',
    fileBytesMax: Number.MAX_SAFE_INTEGER,
    map(fd, start, length) {
      const address = c.mapRead(fd, start, length);
      if (address === undefined) return undefined;
      const bytes = new Uint8Array(c.view(address, length));
      invariant(bytes.byteLength === length, 'a window has the length that was asked for');
      return {
        start,
        bytes,
        address,
        populate: (from, count) => populateAt(address, from, count),
        unmap: () => c.unmap(address, length),
      };
    },
  };
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

function mmapIoBackend(): MappingBackend | undefined {
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
    fileBytesMax: 2 ** 31 - 1,
    map(fd, start, length) {
      invariant(start + length <= 2 ** 31 - 1, 'mmap-io maps below 2 GiB only');
      const buffer = mmap.map(length, mmap.PROT_READ, mmap.MAP_SHARED, fd, start);
      invariant(buffer.byteLength === length, 'a window has the length that was asked for');
      return {
        start,
        bytes: buffer,
        address: libc()?.addressOf(buffer),
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
