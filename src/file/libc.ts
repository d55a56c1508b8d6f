/**
 * The few C calls that Node lacks, through koffi (prebuilt, optional). Undefined where koffi or glibc is missing:
 * every caller has another way. Addresses are numbers: user space ends at 2^47.
 * Hazard: these calls take addresses on trust; only this folder makes them.
 */
import { createRequire } from 'node:module';

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
/** madvise(2): read pages in and map them, with an error where the file has none. Linux 5.14. */
export const MADV_POPULATE_READ = 22;
/** The same for writing: pages are made writable, and holes get their blocks. Linux 5.14. */
const MADV_POPULATE_WRITE = 23;
const RWF_NOWAIT = 8;
const MADV_DONTNEED = 4;
const FALLOC_FL_KEEP_SIZE = 1;
const POSIX_FADV_DONTNEED = 4;
/** SYNC_FILE_RANGE_WAIT_BEFORE, _WRITE and _WAIT_AFTER. */
const WAIT_WRITE_WAIT = 7;
const LOCK_EX = 2;
const LOCK_NB = 4;
const EWOULDBLOCK = 11;
const MAP_FAILED = 2 ** 64;
const EMPTY = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;

export interface Libc {
  /** Maps `length` bytes for reading and writing, shared. Address, or undefined with the reason in errno(). */
  mapWrite(fd: number, offset: number, length: number): number | undefined;
  unmap(address: number, length: number): void;
  /** Maps bytes of a file, read-only and shared, in the place of what is mapped at an address. False when it cannot be. */
  mapReadAt(address: number, fd: number, offset: number, length: number): boolean;
  /** Puts empty memory, which costs nothing until it is touched, in the place of what is mapped at an address. */
  mapEmptyAt(address: number, length: number): boolean;
  /** The same as memory that was allocated, off the event loop: giving up a gigabyte of pages takes milliseconds. */
  giveUpAt(address: number, length: number): Promise<boolean>;
  /**
   * The memory at an address, without a copy. V8 counts it as memory of its own, and collects garbage for each gigabyte.
   */
  view(address: number, length: number): ArrayBuffer;
  /** Where the memory of a buffer is. */
  addressOf(buffer: ArrayBuffer | Uint8Array): number;
  /** Reads pages in and maps them. False with errno EFAULT where the file has no such page. */
  populateRead(address: number, length: number): boolean;
  /** Pages can be made writable in advance, with an error where that fails. */
  readonly populatesWrites: boolean;
  /** Makes pages ready to be written. False where the file has no such page, or the disk has no room for it. */
  populateWrite(address: number, length: number): boolean;
  populateReadAsync(address: number, length: number): Promise<boolean>;
  /** True when every page of the range is in memory, as far as the kernel tells this user. */
  isResident(address: number, length: number): boolean;
  /** Pages of the range that are in memory. */
  residentPages(address: number, length: number): number;
  /** Reads what is in memory at once, to an address: bytes read, or -1 when some of it would have to be waited for. */
  readNoWait(fd: number, offset: number, address: number, length: number): number;
  /**
   * Opens an absolute path on which no link stands, not even at its end: the kernel refuses the first one it meets
   * (openat2(2), Linux 5.6). A descriptor, or -1 whatever the reason. Undefined where the kernel or a filter has no
   * such call.
   */
  openWithoutLinks: ((path: string, flags: number) => Promise<number>) | undefined;
  /** Reserves blocks. 0, or the error number. */
  allocate(fd: number, length: number): Promise<number>;
  /** The same for a range, at once. */
  allocateRange(fd: number, offset: number, length: number): number;
  /** Reserves blocks for a range, whether or not the file reaches there; it is as long as before. 0, or the error number. */
  allocateBehind(fd: number, offset: number, length: number): Promise<number>;
  /** Starts writing the changed pages of a range to the disk, and waits for that. Not durable by itself; false where it failed. */
  writeOut(fd: number, offset: number, length: number): Promise<boolean>;
  /** Lets the kernel drop the pages of a range that nobody else uses; of a mapping first, where there is one. */
  dropPages(
    fd: number,
    range: { readonly offset: number; readonly bytes: number },
    mapped: { readonly first: number; readonly bytes: number } | undefined,
  ): void;
  /** Takes an exclusive lock of a file without waiting; false when another process has it. */
  tryLock(fd: number): boolean;
  errno(): number;
}

export const PAGE_BYTES = 4096;

let loaded: Libc | undefined | null = null;

/** The C library, loaded on first use; undefined where it cannot be had. */
export function libc(): Libc | undefined {
  if (loaded === null) loaded = load();
  return loaded;
}

function load(): Libc | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return bind(createRequire(import.meta.url)('koffi') as Koffi);
  } catch {
    // Missing package, no prebuilt binary for this platform, or another C library: positional reads take over.
    return undefined;
  }
}

/** What is used of koffi. Its own types are not imported: the build must not need an optional package. */
interface Koffi {
  load(path: null): { func(definition: string): CFunction };
  view(address: bigint, length: number): ArrayBuffer;
  address(buffer: ArrayBuffer | ArrayBufferView): bigint;
  errno(): number;
}

type Argument = number | bigint | string;

interface CFunction {
  (...args: Argument[]): number | bigint;
  async(...args: [...Argument[], Done]): void;
}

type Done = (error: Error | null, result: number | bigint) => void;

/** The result of a call on another thread. */
function later(call: (done: Done) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    call((error, result) => {
      if (error) reject(error);
      else resolve(Number(result));
    });
  });
}

function bind(koffi: Koffi): Libc {
  const library = koffi.load(null);
  const mmap = library.func('uintptr_t mmap(uintptr_t addr, size_t len, int prot, int flags, int fd, int64_t off)');
  const munmap = library.func('int munmap(uintptr_t addr, size_t len)');
  const madvise = library.func('int madvise(uintptr_t addr, size_t len, int advice)');
  const mincore = library.func('int mincore(uintptr_t addr, size_t len, uintptr_t vec)');
  const preadv2 = library.func('int64_t preadv2(int fd, uintptr_t iov, int count, int64_t off, int flags)');
  const posixFallocate = library.func('int posix_fallocate(int fd, int64_t off, int64_t len)');
  const fallocate = library.func('int fallocate(int fd, int mode, int64_t off, int64_t len)');

  const posixFadvise = library.func('int posix_fadvise(int fd, int64_t off, int64_t len, int advice)');
  const syncFileRange = library.func('int sync_file_range(int fd, int64_t off, int64_t len, unsigned int flags)');
  const flock = library.func('int flock(int fd, int operation)');

  // Scratch that outlives every call: one byte of state per page for mincore, and one iovec.
  const pagesMax = 256 * 1024;
  const pageStates = new Uint8Array(new ArrayBuffer(pagesMax));
  const pageStatesAddress = Number(koffi.address(pageStates));
  const iovec = new BigUint64Array(new ArrayBuffer(16));
  const iovecAddress = Number(koffi.address(iovec));

  const readPageStates = (address: number, length: number): number => {
    const pages = Math.ceil(length / PAGE_BYTES);
    return pages <= pagesMax && mincore(address, length, pageStatesAddress) === 0 ? pages : 0;
  };

  const populateWrite = (address: number, length: number): boolean =>
    madvise(address, length, MADV_POPULATE_WRITE) === 0;

  return {
    mapWrite(fd, offset, length) {
      const address = Number(mmap(0, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset));
      return address <= 0 || address >= MAP_FAILED - 4096 ? undefined : address;
    },
    unmap: (address, length) => void munmap(address, length),
    mapReadAt: (address, fd, offset, length) =>
      Number(mmap(address, length, PROT_READ, MAP_SHARED | MAP_FIXED, fd, offset)) === address,
    mapEmptyAt: (address, length) => Number(mmap(address, length, PROT_READ | PROT_WRITE, EMPTY, -1, 0)) === address,
    async giveUpAt(address, length) {
      // First, since it keeps nobody from memory meanwhile.
      await later(done => madvise.async(address, length, MADV_DONTNEED, done));
      const flags = EMPTY & ~MAP_NORESERVE;
      return (await later(done => mmap.async(address, length, PROT_READ | PROT_WRITE, flags, -1, 0, done))) === address;
    },
    view: (address, length) => koffi.view(BigInt(address), length),
    addressOf: buffer => Number(koffi.address(buffer)),
    populateRead: (address, length) => madvise(address, length, MADV_POPULATE_READ) === 0,
    // The kernel knows the advice where it takes it for no bytes.
    populatesWrites: populateWrite(0, 0),
    populateWrite,
    populateReadAsync: async (address, length) =>
      (await later(done => madvise.async(address, length, MADV_POPULATE_READ, done))) === 0,
    isResident(address, length) {
      const pages = readPageStates(address, length);
      for (let page = 0; page < pages; page++) if ((pageStates[page]! & 1) === 0) return false;
      return pages > 0;
    },
    residentPages(address, length) {
      const pages = readPageStates(address, length);
      let resident = 0;
      for (let page = 0; page < pages; page++) resident += pageStates[page]! & 1;
      return resident;
    },
    readNoWait(fd, offset, address, length) {
      iovec[0] = BigInt(address);
      iovec[1] = BigInt(length);
      return Number(preadv2(fd, iovecAddress, 1, offset, RWF_NOWAIT));
    },
    openWithoutLinks: bindOpenat2(koffi, library),
    allocate: (fd, length) => later(done => posixFallocate.async(fd, 0, length, done)),
    allocateRange: (fd, offset, length) => Number(posixFallocate(fd, offset, length)),
    async allocateBehind(fd, offset, length) {
      // Other threads keep their error numbers to themselves: what failed there is asked for once more here.
      const failed = await later(done => fallocate.async(fd, FALLOC_FL_KEEP_SIZE, offset, length, done));
      return failed === 0 || Number(fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, length)) === 0 ? 0 : koffi.errno();
    },
    writeOut: async (fd, offset, length) =>
      (await later(done => syncFileRange.async(fd, offset, length, WAIT_WRITE_WAIT, done))) === 0,
    dropPages(fd, { offset, bytes }, mapped) {
      if (mapped) madvise(mapped.first, mapped.bytes, MADV_DONTNEED);
      posixFadvise.async(fd, offset, bytes, POSIX_FADV_DONTNEED, () => undefined);
    },
    // Whatever else may be wrong with locks here, only this says that somebody has it.
    tryLock: fd => flock(fd, LOCK_EX | LOCK_NB) === 0 || koffi.errno() !== EWOULDBLOCK,
    errno: () => koffi.errno(),
  };
}

const SYS_OPENAT2 = 437;
const AT_FDCWD = -100;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_NO_SYMLINKS = 0x04;
const O_CLOEXEC = 0o2000000;
const CALLS_MAX = 32;
/** Names a file without opening it: on a folder it needs no permission to read. Node has no name for it. */
export const O_PATH = 0o10000000;

function bindOpenat2(koffi: Koffi, library: ReturnType<Koffi['load']>): Libc['openWithoutLinks'] {
  const syscall = library.func('long syscall(long number, long dirfd, const char *path, uintptr_t how, size_t size)');
  /** struct open_how: flags, mode, resolve. */
  const howOf = (flags: number): BigUint64Array =>
    BigUint64Array.of(BigInt(flags | O_CLOEXEC), 0n, BigInt(RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS));
  const probe = howOf(O_PATH);
  const fd = Number(syscall(SYS_OPENAT2, AT_FDCWD, '/', Number(koffi.address(probe)), probe.byteLength));
  if (fd < 0) return undefined;
  // Not by Node, which warns when a worker closes what it did not open.
  library.func('int close(int fd)')(fd);
  let underWay = 0;
  return (path, flags) => {
    // koffi throws beyond a number of calls at a time.
    if (underWay >= CALLS_MAX) return Promise.resolve(-1);
    underWay++;
    const how = howOf(flags);
    return new Promise(resolve => {
      const done: Done = (error, result) => {
        underWay--;
        // The kernel reads `how` on another thread: it is mentioned here so that it lives until then.
        resolve(error || how.length === 0 ? -1 : Number(result));
      };
      syscall.async(SYS_OPENAT2, AT_FDCWD, path, Number(koffi.address(how)), how.byteLength, done);
    });
  };
}
